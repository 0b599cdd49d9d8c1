/// How far predictions are off measurements that the fit has not seen: |predicted / measured − 1|, in percent.
public struct ErrorSummary: Codable, Sendable, Hashable {
  /// Half of the predictions are nearer than this.
  public let median: Double
  /// Nine of ten predictions are nearer than this.
  public let p90: Double
  /// The worst prediction.
  public let worst: Double
  /// The number of predictions.
  public let rows: Int

  package init(median: Double, p90: Double, worst: Double, rows: Int) {
    self.median = median
    self.p90 = p90
    self.worst = worst
    self.rows = rows
  }
}
