import Foundation

/// A directory that is removed with the value's last use.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "ResultStoreTests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a database in it.
  var database: String { file("sim.sqlite") }

  /// The path of a file in it.
  func file(_ name: String) -> String { path + "/" + name }

  /// The names of the files in it, sorted.
  var contents: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}
