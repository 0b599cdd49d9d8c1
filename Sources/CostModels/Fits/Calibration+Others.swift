extension Calibration {
  /// The fit of an all-reduce.
  ///
  /// The exact number of GPUs first; else the nearest one's coefficients, or the other implementation's. A single
  /// GPU has nothing to reduce: its fit answers 0.
  ///
  /// - Complexity: O(1).
  public func allReduce(
    implementation: AllReduceFit.Implementation = .custom, gpus: Int
  ) -> AllReduceFit {
    let candidates = [implementation] + AllReduceFit.Implementation.allCases.filter { $0 != implementation }
    for candidate in candidates {
      let shapes = fits(.allReduce, candidate.rawValue)
      guard let nearest = shapes.min(by: { distance($0, gpus) < distance($1, gpus) }) else { continue }
      let exact = candidate == implementation && nearest.dimensions == [gpus]
      let fit = AllReduceFit(
        implementation: candidate, gpus: gpus, coefficients: nearest.vector,
        origin: exact ? .measured : .neighbours, measuredBytes: nearest.range(0),
        heldOut: exact ? nearest.heldOut : nil)
      return drawn(fit, .allReduce, implementation.rawValue, [gpus])
    }
    return AllReduceFit(
      implementation: implementation, gpus: gpus, coefficients: .zero, origin: .dataSheet,
      measuredBytes: 0..<0)
  }

  /// The fit of a kernel that streams through memory: `embedding`, `rms_norm`, `qk_norm_rope_kv`, `router_topk`,
  /// `permute`, `silu_mul`, `combine` or `sampling`; for other names, the data sheet's bandwidth and the launch
  /// of `rms_norm`.
  ///
  /// - Complexity: O(1).
  public func elementwise(_ kernel: String) -> ElementwiseFit {
    let found = kernels.first { $0.kernel == .elementwise && $0.type == kernel }
    if let found, let shape = found.shapes.first {
      let fit = ElementwiseFit(
        kernel: kernel, launch: shape.values[0], secondsPerByte: shape.values[1],
        origin: found.quality == .measured ? .measured : .estimate, measuredBytes: shape.range(0),
        heldOut: shape.heldOut)
      return drawn(fit, .elementwise, kernel, [])
    }
    let fit = ElementwiseFit(
      kernel: kernel, launch: fits(.elementwise, "rms_norm").first?.values[0] ?? 0,
      secondsPerByte: 1 / (figures.memoryBandwidth * figures.memoryEfficiency), origin: .dataSheet,
      measuredBytes: 0..<0)
    return drawn(fit, .elementwise, kernel, [])
  }

  private func distance(_ shape: FittedShape, _ gpus: Int) -> Int { abs(shape.dimensions[0] - gpus) }
}
