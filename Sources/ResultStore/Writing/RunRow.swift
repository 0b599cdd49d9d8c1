/// What the `runs` table keeps of a run: what was asked for, and what came out.
///
/// Keys that name a column of `runs` go to that column; all others go into the JSON object in its column
/// `extra`. If a key occurs twice, the last one counts.
public struct RunRow: Sendable {
  /// What the run was given: policy, model, seed, hashes of its inputs.
  public var parameters: [(String, RunValue)]
  /// What came out: latencies, throughput, energy.
  public var summary: [(String, RunValue)]
  /// The whole configuration, as JSON.
  public var configJSON: String
  /// The command line.
  public var argv: String
  /// Columns of `instances` and their values, for each instance.
  public var instances: [[(String, RunValue)]]
  /// Columns of `percentiles` and their values, for each latency.
  public var percentiles: [[(String, RunValue)]]

  /// Creates the row of a run.
  public init(
    parameters: [(String, RunValue)] = [], summary: [(String, RunValue)] = [], configJSON: String = "{}",
    argv: String = "", instances: [[(String, RunValue)]] = [], percentiles: [[(String, RunValue)]] = []
  ) {
    self.parameters = parameters
    self.summary = summary
    self.configJSON = configJSON
    self.argv = argv
    self.instances = instances
    self.percentiles = percentiles
  }
}
