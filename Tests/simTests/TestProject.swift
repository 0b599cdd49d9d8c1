import ArgumentParser
import Foundation
import ResultStore

@testable import Experiments
@testable import sim

/// The data that ships with the project, and a folder for results.
enum TestProject {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Options that find the shipped data wherever tests run.
  static let folders = [
    "--profiles", root.appending(path: "Profiles").path, "--traces", root.appending(path: "Traces").path,
  ]

  /// An experiment by the options of `sim run`.
  static func experiment(_ arguments: [String]) throws -> LoadedExperiment {
    var libraries = Libraries()
    return try SweepPoint(arguments: arguments + folders, libraries: &libraries).experiment
  }

  /// Hands out the path of a database, and removes it afterwards.
  static func withDatabase<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "simTests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.appending(path: "sim.sqlite").path)
  }

  /// What a command says is wrong as it runs; `nil` if it does not fail.
  static func complaint(of command: some ParsableCommand) -> String? {
    do {
      var command = command
      try command.run()
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// Everything in a database but what differs from one execution to the next: the order of runs, and real times.
  static func contents(of path: String) throws -> [ResultTable] {
    let reader = try ResultReader(path: path)
    var runs = try reader.query("SELECT * FROM runs ORDER BY config_hash")
    for name in ["run_id", "created_at", "wall_s"] {
      guard let column = runs.columns.firstIndex(of: name) else { continue }
      runs.columns.remove(at: column)
      for row in runs.rows.indices { runs.rows[row].remove(at: column) }
    }
    let requests = try reader.query(
      """
      SELECT config_hash, request_id, status, arrived_at, scheduled_at, first_token_at, completed_at,
        requests.energy_j
      FROM runs JOIN requests USING (run_id) ORDER BY 1, 2
      """)
    let kernels = try reader.query(
      """
      SELECT config_hash, kernel, calls, kernel_s, kernels.energy_j, bytes
      FROM runs JOIN kernels USING (run_id) ORDER BY 1, 2
      """)
    return [runs, requests, kernels]
  }
}
