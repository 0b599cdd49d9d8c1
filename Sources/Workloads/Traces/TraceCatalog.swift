import Foundation
import Serving

/// The traces that ship with the project: the files of a folder, by name.
public struct TraceCatalog: Sendable {
  /// The folder.
  public let directory: String

  /// Creates the catalog of a folder, which is looked into only when asked.
  public init(directory: String) { self.directory = directory }

  /// The names of its traces, in alphabetical order.
  public var names: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    let names = files.compactMap { file in
      Self.extensions.first { file.hasSuffix($0) }.map { String(file.dropLast($0.count)) }
    }
    return names.sorted()
  }

  /// The file that `--trace` means: a trace of the catalog by name, else a file by path.
  ///
  /// - Throws: `WorkloadError.unknownTrace`, which suggests the nearest name.
  public func path(of trace: String) throws(WorkloadError) -> String {
    if !trace.isEmpty, !trace.contains("/") {
      for suffix in Self.extensions {
        let path = directory + "/" + trace + suffix
        if FileManager.default.fileExists(atPath: path) { return path }
      }
    }
    if FileManager.default.fileExists(atPath: trace) { return trace }
    throw .unknownTrace(trace, directory: directory, known: names)
  }

  private static let extensions = [".json", ".csv", ".jsonl"]
}
