import Foundation

extension Calibration {
  /// The fit of prefill attention.
  ///
  /// The exact heads first; else the coefficients of the most similar heads, whose terms count this shape's own
  /// blocks, bytes and operations; else the data sheet.
  ///
  /// - Parameters:
  ///   - heads: Query heads on one GPU.
  ///   - kvHeads: KV heads on one GPU.
  ///   - headDim: Width of a head.
  ///   - window: Keys that a token sees at most, itself included; 0 for no limit.
  /// - Returns: A fit, whatever the heads; its `origin` says how far to trust it.
  /// - Complexity: O(s) for s measured sets of heads.
  public func prefillAttention(heads: Int, kvHeads: Int, headDim: Int, window: Int = 0) -> PrefillAttentionFit
  {
    let kernel = window > 0 ? Kernel.windowedPrefillAttention : .prefillAttention
    let found = attention(kernel, [heads, kvHeads, headDim, window])
    let prefix = found?.shape.range(2) ?? 0..<0
    let perTileFLOP = Double(figures.multiprocessors) / figures.bf16FLOPs
    let dataSheet = SIMD8(
      0, perTileFLOP, 0, 1 / (figures.memoryBandwidth * figures.memoryEfficiency), 0, 0, 0, 0)
    let fit = PrefillAttentionFit(
      heads: heads, kvHeads: kvHeads, headDim: headDim, window: window,
      multiprocessors: figures.multiprocessors,
      coefficients: found?.shape.vector ?? dataSheet, origin: found?.origin ?? .dataSheet,
      measuredBlocks: found?.shape.range(0) ?? 0..<0, measuredKeys: found?.shape.range(1) ?? 0..<0,
      measuredPrefix: prefix.upperBound > 1 ? prefix : 0..<0, heldOut: found?.errors)
    return drawn(fit, kernel, KernelDataType.bf16.rawValue, [heads, kvHeads, headDim, window])
  }

  /// The fit of decode attention.
  ///
  /// The exact heads first; else the coefficients of the most similar heads, whose terms count this shape's own
  /// blocks and bytes; else the data sheet.
  ///
  /// - Parameters:
  ///   - heads: Query heads on one GPU.
  ///   - kvHeads: KV heads on one GPU.
  ///   - headDim: Width of a head.
  ///   - window: Keys that a token sees at most, itself included; 0 for no limit.
  /// - Returns: A fit, whatever the heads; its `origin` says how far to trust it.
  /// - Complexity: O(s) for s measured sets of heads.
  public func decodeAttention(heads: Int, kvHeads: Int, headDim: Int, window: Int = 0) -> DecodeAttentionFit {
    let kernel = window > 0 ? Kernel.windowedDecodeAttention : .decodeAttention
    let found = attention(kernel, [heads, kvHeads, headDim, window])
    let dataSheet = SIMD8(0, 1 / (figures.memoryBandwidth * figures.memoryEfficiency), 0, 0, 0, 0, 0, 0)
    let fit = DecodeAttentionFit(
      heads: heads, kvHeads: kvHeads, headDim: headDim, window: window,
      multiprocessors: figures.multiprocessors,
      coefficients: found?.shape.vector ?? dataSheet, origin: found?.origin ?? .dataSheet,
      measuredBatch: found?.shape.range(0) ?? 0..<0, measuredContext: found?.shape.range(1) ?? 0..<0,
      heldOut: found?.errors)
    return drawn(fit, kernel, KernelDataType.bf16.rawValue, [heads, kvHeads, headDim, window])
  }

  /// The fit of these heads, or of the most similar ones: width of a head before all else.
  private func attention(
    _ kernel: Kernel, _ dimensions: [Int]
  ) -> (shape: FittedShape, origin: FitOrigin, errors: ErrorSummary?)? {
    let shapes = fits(kernel, KernelDataType.bf16.rawValue)
    if let exact = shapes.first(where: { $0.dimensions == dimensions }) {
      return (exact, .measured, exact.heldOut)
    }
    func distance(_ shape: FittedShape) -> Double {
      zip(zip(shape.dimensions, dimensions), [1, 2, 8, 1]).reduce(0) { sum, term in
        let ((measured, wanted), weight) = term
        return sum + weight * log(Double(max(1, measured)) / Double(max(1, wanted))).magnitude
      }
    }
    return shapes.min { distance($0) < distance($1) }.map { ($0, .neighbours, nil) }
  }
}
