import CostModels
import Foundation
import Serving
import Support
import Systems

extension Calibrator {
  /// How the power limit slows kernels down, fitted to windows at the limit and to bursts of a product.
  ///
  /// Both fits rest on the fitted energies, and are of the times that ``PowerLimit`` makes of them: a kernel that would
  /// draw p times the headroom above idle takes p^(1/exponent) times as long in the end. The exponent makes the squares
  /// of the relative errors of those times least, over windows whose clock is below 95 % and that ran without pauses.
  /// The window does so for the mean launch of bursts from 20 ms on.
  ///
  /// - Returns: nil if fewer than three windows tell.
  func throttling(_ windows: [EnergyWindow], _ energy: RelativeFit, headroom: Double) -> ThrottlingFit? {
    let telling = windows.filter { $0.clock < 0.95 && $0.busySeconds > 0.99 * $0.seconds && $0.stretch > 1 }
    guard telling.count >= 3, headroom > 0 else { return nil }
    /// Energy above idle at full clock.
    func joules(bytes: Double, flops: Double, seconds: Seconds) -> Joules {
      energy.values[0] * bytes + energy.values[1] * flops + energy.values[2] * seconds
    }
    func errors(_ exponent: Double, _ windows: [EnergyWindow]) -> [Double] {
      windows.map { window in
        let watts =
          joules(bytes: window.bytes, flops: window.flops, seconds: window.fullClockSeconds)
          / window.fullClockSeconds
        return pow(max(1, watts / headroom), 1 / exponent) / window.stretch - 1
      }
    }
    let exponent = Self.best(of: (100...400).map { Double($0) / 100 }) { errors($0, telling) }
    let bursts = measurements.bursts.filter { $0.milliseconds >= 20 }
    var window: (milliseconds: Double, errors: ErrorSummary)?
    if !bursts.isEmpty {
      func burstErrors(_ milliseconds: Double) -> [Double] {
        bursts.map { burst in
          let (bytes, flops) = (Double(burst.bytes), Double(burst.flops))
          let joules = joules(bytes: bytes, flops: flops, seconds: burst.fullClockSeconds)
          let limit = PowerLimit(
            headroomWatts: headroom, window: milliseconds * 1e-3, clockExponent: exponent)
          return burst.meanLaunch(under: limit, joules: joules) / burst.meanSeconds - 1
        }
      }
      let best = Self.best(of: (5...300).map(Double.init)) { burstErrors($0) }
      if let errors = ErrorSummary(burstErrors(best)) { window = (best, errors) }
    }
    return ErrorSummary(errors(exponent, telling)).map {
      ThrottlingFit(
        clockExponent: exponent, errors: $0, windowMilliseconds: window?.milliseconds,
        burstErrors: window?.errors)
    }
  }

  /// The candidate whose errors have the least squares.
  private static func best(of candidates: [Double], _ errors: (Double) -> [Double]) -> Double {
    let squares = candidates.map { candidate in errors(candidate).reduce(0) { $0 + $1 * $1 } }
    return zip(candidates, squares).min { $0.1 < $1.1 }?.0 ?? 0
  }
}
