import CostModels
import Support
import Systems

extension Calibrator {
  /// Fits energy to the measured windows; nil if there are none.
  ///
  /// The idle power is what an idle board was measured to draw. The rest is non-negative least squares on relative
  /// error. A window at the power limit bounds the sum from below: it takes part only while the fit falls short of what
  /// it drew. Without that rule large matrix products, all of which run into the limit, would make operations look
  /// cheap, since the clocks that the limit leaves come at a lower voltage; left out altogether, nothing would keep
  /// operations from costing nothing.
  ///
  /// - Throws: `CalibrationError.tooFewRows`, also where no idle board was measured.
  func energy() throws(CalibrationError) -> EnergyFit? {
    guard let limit = measurements.powerLimit, !measurements.energy.isEmpty else { return nil }
    let order = measurements.energy.sorted {
      ($0.kernel, $0.bytes, $0.flops, $0.seconds) < ($1.kernel, $1.bytes, $1.flops, $1.seconds)
    }
    let below = order.filter { !$0.isAtLimit && $0.kernel != "idle" }
    let above = order.filter(\.isAtLimit)
    let idle = order.filter { $0.kernel == "idle" }
    for (name, rows, needed) in [("energy below the power limit", below, 8), ("idle power", idle, 1)] {
      guard rows.count >= needed else {
        throw .tooFewRows(
          path: source(of: Elementwise.table), kernel: name, rows: rows.count, needed: needed)
      }
    }
    if let wrong = idle.first(where: { $0.joules >= limit * $0.seconds }) {
      let problem = "an idle board draws \(wrong.joules) W, expected less than its limit, \(limit) W"
      throw .malformed(path: source(of: Elementwise.table), line: 0, problem: problem)
    }
    let idleWatts = idle.reduce(0) { $0 + $1.joules / $1.seconds } / Double(idle.count)
    func half(_ windows: [EnergyWindow], _ odd: Int) -> [EnergyWindow] {
      windows.enumerated().filter { $0.offset % 2 == odd }.map(\.element)
    }
    let trial = Self.fit(half(below, 0), atLimit: half(above, 0), idleWatts: idleWatts)
    func errors(_ windows: [EnergyWindow]) -> ErrorSummary? {
      ErrorSummary(
        windows.map { window in
          let free = trial.predict(Self.features(window)) + idleWatts * window.seconds
          return (window.isAtLimit ? min(free, limit * window.seconds) : free) / window.joules - 1
        })
    }
    let fit = Self.fit(below, atLimit: above, idleWatts: idleWatts)
    guard let heldOut = errors(half(below, 1)) else { return nil }
    return EnergyFit(
      source: source(of: Elementwise.table), idleWatts: rounded(idleWatts),
      // Less than a microwatt is rounding.
      busyWatts: fit.values[2] < 1e-6 ? 0 : rounded(fit.values[2]),
      perBytePicojoules: rounded(fit.values[0] * 1e12),
      perFLOPPicojoules: rounded(fit.values[1] * 1e12),
      standardErrors: [
        0, rounded(fit.standardErrors[0] * 1e12, digits: 3),
        rounded(fit.standardErrors[1] * 1e12, digits: 3), rounded(fit.standardErrors[2], digits: 3),
      ],
      limitWatts: limit, rows: idle.count + below.count + above.count, heldOut: heldOut,
      atLimit: errors(half(above, 1)),
      throttling: throttling(above, fit, headroom: limit - idleWatts))
  }

  /// Fits to windows below the limit, and to those at it that the fit would fall short of.
  ///
  /// Each window at the limit has a column of its own that takes away what the sum exceeds it by: non-negative, so
  /// that it excuses too much and never too little.
  private static func fit(
    _ windows: [EnergyWindow], atLimit: [EnergyWindow], idleWatts: Double
  ) -> RelativeFit {
    let all = windows + atLimit
    let columns = (0..<3).map { column in all.map { features($0)[column] / $0.joules } }
    let excesses = atLimit.indices.map { index in
      all.indices.map { $0 == windows.count + index ? -1.0 : 0 }
    }
    let target = all.map { 1 - idleWatts * $0.seconds / $0.joules }
    let solution = nonNegativeLeastSquares(columns: columns + excesses, target: target)
    let values = Array(solution[..<3])
    let bound = all.indices.filter { $0 < windows.count || solution[$0 - windows.count + 3] == 0 }
    return RelativeFit(
      values: values, jacobian: columns.map { column in bound.map { column[$0] } },
      residuals: bound.map { row in (0..<3).reduce(-target[row]) { $0 + values[$1] * columns[$1][row] } })
  }

  /// What the coefficients of a byte, an operation and a busy second are multiplied by.
  private static func features(_ window: EnergyWindow) -> SIMD8<Double> {
    SIMD8(window.bytes, window.flops, window.busySeconds, 0, 0, 0, 0, 0)
  }
}
