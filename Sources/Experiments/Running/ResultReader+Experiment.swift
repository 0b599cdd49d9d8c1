import Foundation
import ResultStore

extension ResultReader {
  /// The experiment of a run, to be run again.
  ///
  /// - Throws: `ResultStoreError` if there is no such run, ``ExperimentError`` if its configuration cannot be read.
  /// - Complexity: O(1).
  public func experiment(ofRun run: Int64) throws -> Experiment {
    guard case .text(let config)? = try self.run(run)["config"] else {
      throw ExperimentError.unreadable(source: "run \(run) of \(path)", reason: "it has no configuration")
    }
    return try Experiment(json: Data(config.utf8), from: "run \(run) of \(path)")
  }
}
