extension Calibrator {
  /// Fits energy to the measured windows; nil if there are none.
  ///
  /// Non-negative least squares on relative error. A window at the power limit bounds the sum from below: it takes
  /// part only while the fit falls short of what it drew. Without that rule large matrix products, all of which run
  /// into the limit, would make operations look cheap, since the clocks that the limit leaves come at a lower
  /// voltage; left out altogether, nothing would keep operations from costing nothing.
  ///
  /// - Throws: `CalibrationError.tooFewRows`.
  func energy() throws(CalibrationError) -> EnergyFit? {
    guard let limit = measurements.powerLimit, !measurements.energy.isEmpty else { return nil }
    let order = measurements.energy.sorted {
      ($0.kernel, $0.bytes, $0.flops, $0.seconds) < ($1.kernel, $1.bytes, $1.flops, $1.seconds)
    }
    let below = order.filter { !$0.isAtLimit && $0.kernel != "idle" }
    let above = order.filter(\.isAtLimit)
    guard below.count >= 8 else {
      throw .tooFewRows(
        path: source(of: .elementwise), kernel: "energy below the power limit", rows: below.count, needed: 8)
    }
    let idle = order.filter { $0.kernel == "idle" }
    func half(_ windows: [EnergyWindow], _ odd: Int) -> [EnergyWindow] {
      windows.enumerated().filter { $0.offset % 2 == odd }.map(\.element)
    }
    let trial = Self.fit(idle + half(below, 0), atLimit: half(above, 0))
    func errors(_ windows: [EnergyWindow]) -> ErrorSummary? {
      ErrorSummary(
        windows.map { window in
          let free = trial.predict(Self.features(window))
          return (window.isAtLimit ? min(free, limit * window.seconds) : free) / window.joules - 1
        })
    }
    let fit = Self.fit(idle + below, atLimit: above)
    guard let heldOut = errors(half(below, 1)) else { return nil }
    return EnergyFit(
      source: source(of: .elementwise), idleWatts: rounded(fit.values[0]),
      perBytePicojoules: rounded(fit.values[1] * 1e12), perFLOPPicojoules: rounded(fit.values[2] * 1e12),
      standardErrors: [
        rounded(fit.standardErrors[0], digits: 3), rounded(fit.standardErrors[1] * 1e12, digits: 3),
        rounded(fit.standardErrors[2] * 1e12, digits: 3),
      ],
      limitWatts: limit, rows: idle.count + below.count + above.count, heldOut: heldOut,
      atLimit: errors(half(above, 1)))
  }

  /// Fits to windows below the limit, and to those at it that the fit falls short of.
  ///
  /// The error is convex, and the windows that take part settle after a few rounds.
  private static func fit(_ windows: [EnergyWindow], atLimit: [EnergyWindow]) -> RelativeFit {
    var short: [Int] = []
    var fit = RelativeFit(windows.map(sample), count: 3)
    for _ in 0..<32 {
      // A margin keeps windows that agree with the fit to the last bits from going in and out.
      let now = atLimit.indices.filter {
        fit.predict(features(atLimit[$0])) < atLimit[$0].joules * (1 - 1e-9)
      }
      guard now != short else { break }
      short = now
      fit = RelativeFit((windows + short.map { atLimit[$0] }).map(sample), count: 3)
    }
    return fit
  }

  private static func sample(_ window: EnergyWindow) -> RelativeFit.Sample {
    RelativeFit.Sample(features: features(window), seconds: window.joules, isHeldOut: false)
  }

  private static func features(_ window: EnergyWindow) -> SIMD8<Double> {
    SIMD8(window.seconds, window.bytes, window.flops, 0, 0, 0, 0, 0)
  }
}
