extension Calibration {
  /// The fit of the experts of an MoE layer.
  ///
  /// Exact shapes first; else one fit for all shapes in the physical terms that they share; and for data types
  /// that nobody measured, the data sheet.
  ///
  /// - Parameters:
  ///   - hidden: Width of the residual stream.
  ///   - intermediatePerGPU: Width of one expert on one GPU.
  ///   - experts: Experts in the layer.
  ///   - topK: Experts that each token goes to.
  ///   - dtype: How the weights are stored.
  /// - Returns: A fit, whatever the shape; its `origin` says how far to trust it.
  /// - Complexity: O(s) for s measured shapes.
  public func moe(
    hidden: Int, intermediatePerGPU: Int, experts: Int, topK: Int, dtype: KernelDataType = .bf16
  ) -> MoEFit {
    let dimensions = [hidden, intermediatePerGPU, experts, topK]
    func fit(
      _ values: [Double], _ origin: FitOrigin, _ errors: ErrorSummary?, _ rows: Range<Double> = 0..<0
    ) -> MoEFit {
      let fit = MoEFit(
        hidden: hidden, intermediate: intermediatePerGPU, experts: experts, topK: topK,
        weightBytes: dtype.bytes,
        launch: values[0], secondsPerByte: values[1], secondsPerFLOP: values[2],
        secondsPerTileFLOP: SIMD4(values[3], values[4], values[5], values[6]), origin: origin,
        measuredRows: rows, heldOut: errors)
      return drawn(fit, .moe, dtype.rawValue, dimensions)
    }
    if let exact = fits(.moe, dtype.rawValue).first(where: { $0.dimensions == dimensions }) {
      return fit(exact.values, .measured, exact.heldOut, exact.range(0))
    }
    if let any = fits(.moeAllShapes, dtype.rawValue).first { return fit(any.values, .allShapes, any.heldOut) }
    let launch = fits(.moeAllShapes, KernelDataType.bf16.rawValue).first?.values.first ?? 0
    let perByte = 1 / (figures.memoryBandwidth * figures.memoryEfficiency)
    return fit([launch, perByte, 1 / figures.flops(dtype), 0, 0, 0, 0], .dataSheet, nil)
  }
}
