import Foundation

@testable import Experiments

/// The data that ships with the project.
enum Project {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A library of it.
  static let library = Library(
    profiles: root.appending(path: "Profiles").path, traces: root.appending(path: "Traces").path)

  /// A file of the project.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }
}
