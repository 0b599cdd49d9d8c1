import Foundation
import ResultStore

/// The runs that a database already has, by the hash of their configuration.
package struct KnownRuns {
  /// A run of the database.
  package struct Run {
    package let id: Int64
    package let figures: CapacityFigures
  }

  private let runs: [String: Run]

  /// Creates a list without runs.
  package init() { runs = [:] }

  /// Reads the runs that keep at least what a log level does.
  ///
  /// The hash covers the revision of the figures: runs of another one are not known. Of several runs of a
  /// configuration, which have the same results, the first counts. The database need not exist.
  ///
  /// - Parameters:
  ///   - path: the database.
  ///   - logLevel: the least that a run must keep.
  ///   - statistics: limits whose figures each run must have.
  /// - Throws: if there is a database that cannot be read.
  package init(
    database path: String, logLevel: LogLevel, statistics: [LatencyLimit] = []
  ) throws(ResultStoreError) {
    guard FileManager.default.fileExists(atPath: path) else {
      runs = [:]
      return
    }
    let levels = LogLevel.allCases.filter { $0 >= logLevel }.map { "'\($0.rawValue)'" }
    let wanted = statistics.compactMap(\.figure)
    let columns = wanted.map { $0.isColumn ? "max(\($0))" : "max(json_extract(extra, '$.\"\($0)\"'))" }
    let reader: ResultReader
    do {
      reader = try ResultReader(path: path)
    } catch .missingDatabase {
      // An empty file, or one that another process is about to fill.
      runs = [:]
      return
    }
    let table = try reader.query(
      """
      SELECT config_hash, min(run_id), \(RunFigure.attainment), \(RunFigure.energy) / \(RunFigure.duration),
        \(RunFigure.energyPerToken), coalesce(\(RunFigure.unfinished), 0),
        1.0 * \(RunFigure.completed) / max(\(RunFigure.completed) + \(RunFigure.failed), 1),
        coalesce(mean_in_system / max(num_prompts, 1), 0),
        \(([RunFigure.attainmentOfFirstToken, .attainmentOfGaps].map(\.name) + columns).joined(separator: ", "))
      FROM runs WHERE config_hash IS NOT NULL AND log_level IN (\(levels.joined(separator: ",")))
      GROUP BY config_hash
      """)
    var runs: [String: Run] = [:]
    for row in table.rows {
      guard case .text(let hash) = row[0], case .integer(let id) = row[1] else { continue }
      var latencies: [String: Double] = [:]
      for (figure, value) in zip(wanted, row.dropFirst(10)) { latencies[figure.name] = value.number }
      guard latencies.count == Set(wanted).count else { continue }
      let names = [LatencyLimit.Latency.ttft, .tbt].map(\.rawValue)
      var shares: [String: Double] = [:]
      for (name, value) in zip(names, row[8...]) { shares[name] = value.number }
      var figures = CapacityFigures(
        attainment: row[2].number ?? 0, watts: row[3].number ?? 0,
        millijoulesPerToken: row[4].number ?? .infinity,
        unfinished: Int(row[5].number ?? 0), served: row[6].number ?? 1, latencies: latencies, shares: shares)
      figures.crowding = row[7].number ?? 0
      runs[hash] = Run(id: id, figures: figures)
    }
    self.runs = runs
  }

  /// The run of a configuration.
  package subscript(hash: String) -> Run? { runs[hash] }
}
