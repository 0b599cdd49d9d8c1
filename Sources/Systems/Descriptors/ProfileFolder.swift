import Foundation

/// The folder of descriptors that ship with the project, `Profiles/`: finds them by name.
public struct ProfileFolder: Sendable, Hashable {
  /// The folder.
  public let url: URL

  /// Creates a view of a folder; it need not exist before something is asked of it.
  public init(_ url: URL) { self.url = url }

  /// A model by the name of its file in `models/`, or by the path of any `config.json`.
  public func model(_ nameOrPath: String) throws(DescriptionError) -> ModelDescription {
    try ModelDescription(contentsOf: file(nameOrPath, in: "models", kind: "model"))
  }

  /// A GPU by the name of its file in `hardware/`, or by the path of a file.
  public func hardware(_ nameOrPath: String) throws(DescriptionError) -> HardwareDescription {
    try HardwareDescription(contentsOf: file(nameOrPath, in: "hardware", kind: "hardware"))
  }

  /// A serving engine by the name of its file in `engines/`, or by the path of a file.
  public func engine(_ nameOrPath: String) throws(DescriptionError) -> EngineDescription {
    try EngineDescription(
      contentsOf: file(Self.aliases[nameOrPath] ?? nameOrPath, in: "engines", kind: "engine"))
  }

  /// What engines are called without a version: the newest one.
  static let aliases = ["vllm": "vllm-0.33", "sglang": "sglang-0.5", "trtllm": "trtllm-1"]

  /// The names of the descriptors in one of the folders `models`, `hardware`, `engines`, sorted; empty where
  /// there is no such folder.
  public func names(in folder: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: url.appending(path: folder).path)) ?? []
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// What contains a slash or ends in `.json` is a path; anything else is a name.
  private func file(_ nameOrPath: String, in folder: String, kind: String) throws(DescriptionError) -> URL {
    if nameOrPath.contains("/") || nameOrPath.hasSuffix(".json") { return URL(filePath: nameOrPath) }
    let known = names(in: folder)
    guard known.contains(nameOrPath) else {
      throw .unknownName(kind: kind, name: nameOrPath, known: known)
    }
    return url.appending(path: folder).appending(path: nameOrPath + ".json")
  }
}
