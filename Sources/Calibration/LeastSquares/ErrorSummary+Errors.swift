import CostModels
import Support

extension ErrorSummary {
  /// Summarises errors; nil if there are none.
  ///
  /// - Parameters:
  ///   - errors: Of predictions.
  ///   - tolerance: How far a measurement may itself be off, in seconds.
  /// - Complexity: O(n log n).
  init?(_ errors: [HeldOutError], beyond tolerance: Double = 0) {
    self.init(errors.map { $0.beyond(tolerance) })
  }

  /// Summarises relative errors; nil if there are none.
  ///
  /// - Parameter errors: Predicted over measured, minus one; not in percent.
  /// - Complexity: O(n log n).
  init?(_ errors: [Double]) {
    guard !errors.isEmpty else { return nil }
    let percents = errors.map { 100 * $0.magnitude }.sorted()
    func quantile(_ share: Double) -> Double {
      let position = share * Double(percents.count - 1)
      let below = Int(position)
      let above = min(below + 1, percents.count - 1)
      return percents[below] + (position - Double(below)) * (percents[above] - percents[below])
    }
    self.init(
      median: rounded(quantile(0.5), digits: 3), p90: rounded(quantile(0.9), digits: 3),
      worst: rounded(quantile(1), digits: 3), rows: percents.count)
  }
}
