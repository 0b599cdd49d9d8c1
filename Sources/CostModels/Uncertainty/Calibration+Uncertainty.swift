extension Calibration {
  /// The calibration in one of the worlds that the measurements leave possible.
  ///
  /// Every fit that is looked up in the result is slower or faster by a log-normal factor of its own, whose spread
  /// is that of the fit's errors on held-out rows (``KernelFit/spread``). Kernels that are estimates share one
  /// factor, since they share the reasoning. The same seed and draw give a shape the same factor, whatever else is
  /// looked up.
  ///
  /// - Parameters:
  ///   - seed: The seed of all draws.
  ///   - draw: Which draw.
  /// - Returns: A calibration that differs from this one in what lookups return.
  public func perturbed(seed: UInt64, draw: Int) -> Calibration {
    var copy = self
    copy.perturbation = Perturbation(seed: seed, draw: draw)
    return copy
  }

  /// A fit in the world of this calibration.
  ///
  /// - Parameters:
  ///   - fit: The fit as it was found.
  ///   - kernel: The kernel.
  ///   - type: The data type, the implementation, or the name of an elementwise kernel.
  ///   - dimensions: The shape that was asked for.
  /// - Returns: The fit, as slow or fast as the draw has it.
  func drawn<Fit: KernelFit>(_ fit: Fit, _ kernel: Kernel, _ type: String, _ dimensions: [Int]) -> Fit {
    guard let perturbation else { return fit }
    let shape = dimensions.map(String.init).joined(separator: "x")
    let name = fit.origin == .estimate ? "estimates" : "\(kernel.rawValue) \(type) \(shape)"
    return fit.scaled(by: perturbation.factor(name, spread: fit.spread))
  }
}
