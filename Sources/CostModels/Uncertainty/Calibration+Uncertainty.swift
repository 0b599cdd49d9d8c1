import Systems

extension Calibration {
  /// The calibration in one of the worlds that the measurements leave possible.
  ///
  /// Every fit that is looked up in the result is slower or faster by a log-normal factor, whose spread is that of the
  /// fit's errors on held-out rows (``Fit/spread``). Half of the factor's variance is the fit's own, half is shared by
  /// all fits of its kernel: they were measured in the same runs, by the same code. Estimated elementwise
  /// kernels share one factor, since they share the reasoning. Where an engine's kernels are not those that were measured,
  /// each kind of kernel has a further factor for all of its shapes; so has a format that is priced by another one's rows. The same seed
  /// and draw give a shape the same factor, whatever else is looked up.
  ///
  /// - Parameters:
  ///   - seed: The seed of all draws.
  ///   - draw: Which draw.
  ///   - hasEnginesKernels: Whether the measured kernels are those of the engine that runs.
  /// - Returns: A calibration that differs from this one in what lookups return.
  public func perturbed(seed: UInt64, draw: Int, hasEnginesKernels: Bool = true) -> Calibration {
    var copy = self
    copy.perturbation = Perturbation(seed: seed, draw: draw)
    copy.hasEnginesKernels = hasEnginesKernels
    return copy
  }

  /// A fit in the world of this calibration, as slow or fast as the draw has it.
  func drawn<Shape: KernelShape>(_ fit: Fit<Shape.Family>, as shape: Shape) -> Fit<Shape.Family> {
    guard let perturbation else { return fit }
    let sizes = shape.dimensions.map(String.init).joined(separator: "x")
    if fit.quality == .estimate, Shape.Family.self == Elementwise.self {
      return fit.scaled(by: perturbation.factor("estimates", spread: fit.spread))
    }
    let half = fit.spread * 0.5.squareRoot()
    let engines = hasEnginesKernels ? 0 : Shape.Family.spreadOfEngines(shape)
    return fit.scaled(
      by: perturbation.factor("\(shape.kernel) \(shape.type) of an engine", spread: engines)
        * perturbation.factor("\(shape.kernel) of a format", spread: Shape.Family.spreadOfFormats(shape))
        * perturbation.factor("\(shape.kernel) \(shape.type) \(sizes)", spread: half)
        * perturbation.factor("\(shape.kernel) family", spread: half))
  }
}
