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

  /// A GPU by the name of its file in `hardware/`, its first word (`h100`, in any case), or by the path of a file.
  public func hardware(_ nameOrPath: String) throws(DescriptionError) -> HardwareDescription {
    let wanted = nameOrPath.lowercased()
    let meant = names(in: "hardware").filter { $0 == wanted || $0.hasPrefix(wanted + "-") }
    let name =
      meant.contains(wanted) || meant.count == 1 ? meant.first { $0 == wanted } ?? meant[0] : nameOrPath
    return try HardwareDescription(contentsOf: file(name, in: "hardware", kind: "hardware"))
  }

  /// A serving engine by the name of its file in `engines/`, or by the path of a file.
  public func engine(_ nameOrPath: String) throws(DescriptionError) -> EngineDescription {
    try EngineDescription(
      contentsOf: file(Self.aliases[nameOrPath] ?? nameOrPath, in: "engines", kind: "engine"))
  }

  /// A vision encoder by the name of its file in `encoders/`, or by the path of a configuration.
  public func visionEncoder(_ nameOrPath: String) throws(DescriptionError) -> VisionEncoder {
    try VisionEncoder(contentsOf: file(nameOrPath, in: "encoders", kind: "vision encoder"))
  }

  /// What engines are called without a version: the newest one.
  static let aliases = ["vllm": "vllm-0.33", "sglang": "sglang-0.5", "trtllm": "trtllm-1"]

  /// The names of the descriptors in one of the folders `models`, `hardware`, `engines`, sorted; empty where
  /// there is no such folder.
  public func names(in folder: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: url.appending(path: folder).path)) ?? []
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// What exists, contains a slash or ends in `.json` is a path; `owner/name` may also be a repository of a known model;
  /// anything else is a name.
  private func file(_ nameOrPath: String, in folder: String, kind: String) throws(DescriptionError) -> URL {
    let known = names(in: folder)
    var isDirectory: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(atPath: nameOrPath, isDirectory: &isDirectory)
    // A folder of a model, as Hugging Face's tools leave it.
    if exists, isDirectory.boolValue, folder == "models" {
      return URL(filePath: nameOrPath).appending(path: "config.json")
    }
    if nameOrPath.contains("/") || nameOrPath.hasSuffix(".json") {
      let parts = nameOrPath.split(separator: "/", omittingEmptySubsequences: false)
      guard !exists, !nameOrPath.hasSuffix(".json"), parts.count == 2, let last = parts.last else {
        return URL(filePath: nameOrPath)
      }
      // The name of a repository, Qwen/Qwen3-30B-A3B.
      guard let name = Self.known(String(last), among: known) else {
        throw .unknownName(kind: kind, name: nameOrPath, known: known)
      }
      return url.appending(path: folder).appending(path: name + ".json")
    }
    guard let name = Self.known(nameOrPath, among: known) else {
      throw .unknownName(kind: kind, name: nameOrPath, known: known)
    }
    return url.appending(path: folder).appending(path: name + ".json")
  }

  /// The known name that a name stands for, letter case aside: itself, one with the usual form of a board (`H100` is
  /// `h100-sxm`), or the model that a repository's name is a version of (`Llama-3.1-8B-Instruct`); nil if there is none.
  static func known(_ name: String, among known: [String]) -> String? {
    var name = name.lowercased()
    let endings = [
      "-instruct-v0.1", "-v0.1", "-instruct", "-it", "-hf", "-base", "-bf16", "-17b-128e", "-17b-16e",
    ]
    for _ in 0..<3 {
      for candidate in [name, name + "-sxm"] where known.contains(candidate) { return candidate }
      if let maker = ["meta-", "nvidia-", "ai21-"].first(where: { name.hasPrefix($0) }) {
        name = String(name.dropFirst(maker.count))
      } else if let ending = endings.first(where: { name.hasSuffix($0) }) {
        name = String(name.dropLast(ending.count))
      } else {
        return nil
      }
    }
    return known.contains(name) ? name : nil
  }
}
