import ArgumentParser
import CostModels
import Experiments
import Foundation
import Policies
import Support
import Systems
import Workloads

/// Lists what ships with the project, by the names that options take.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List models, hardware, engines, policies, routers, traces, studies, or the figures of a run.")

  /// The kinds of things that can be listed.
  enum Kind: String, CaseIterable, ExpressibleByArgument {
    case models, hardware, engines, policies, routers, traces, figures, studies
  }

  @Argument(help: "models, hardware, engines, policies, routers, traces, figures or studies.")
  var kind: Kind

  @Flag(
    help: """
      Of models: all parameters, those that a token passes without the input embedding, and the bytes that a token, a \
      sequence and an expert take.
      """)
  var details = false

  @OptionGroup(title: "Data") var folders: ProjectFolders

  func run() throws {
    guard kind != .figures else {
      for figure in RunFigure.all {
        row(figure.name, figure.summary + (figure.unit.isEmpty ? "" : " [\(figure.unit)]"))
      }
      return
    }
    guard kind != .studies else { return try listStudies() }
    let profiles = ProfileFolder(URL(filePath: try folders.profilesFolder()))
    switch kind {
    case .models where details:
      print(try Self.details(of: profiles), terminator: "")
    case .models:
      for name in profiles.names(in: "models") {
        let model = try profiles.model(name)
        let experts =
          model.isMixtureOfExperts ? "\(model.experts) experts, top-\(model.topK)" : "dense"
        row(
          name,
          "\(model.layers) layers, hidden \(model.hidden), \(experts), "
            + String(format: "%.1f B parameters", Double(model.parameters) / 1e9))
      }
    case .hardware:
      for name in profiles.names(in: "hardware") { row(name, try profiles.hardware(name).summary) }
    case .engines:
      for name in profiles.names(in: "engines") { row(name, try profiles.engine(name).summary) }
      print("\nSettings, for --engine-set path=value:")
      for setting in EngineDescription.settings {
        row(setting.path, setting.summary + (setting.unit.isEmpty ? "" : " [\(setting.unit)]"))
      }
    case .policies:
      for entry in PolicyCatalog.entries {
        row(entry.name, entry.summary)
        // Defaults that depend on the model are those of 48 layers.
        let usual = try Policy(entry.name).resolved(layers: 48, maxModelLength: 32768)
        let other = try Policy(entry.name).resolved(layers: 48, maxModelLength: 32768, batchedTokens: 1)
        for parameter in entry.parameters {
          let words = parameter.words.isEmpty ? "" : "\(parameter.words.joined(separator: ", ")); "
          let unit = parameter.kind == .milliseconds ? " ms" : ""
          let isEngines = usual[parameter.name] != other[parameter.name]
          let value =
            isEngines
            ? " (default: the engine's)"
            : usual[parameter.name].map { " (\(words)default \($0)\(unit))" } ?? ""
          row("  \(parameter.name)", parameter.summary + value)
        }
      }
    case .routers:
      for entry in RouterCatalog.entries {
        row(entry.name, entry.summary)
        for parameter in entry.parameters {
          row(
            "  \(parameter.name)",
            "\(parameter.summary) (default \(formatted(parameter.fallback, digits: 10)))")
        }
      }
    case .traces:
      let catalog = TraceCatalog(directory: try folders.tracesFolder())
      for name in catalog.names {
        guard case .model(let model) = try TraceFile.read(catalog.path(of: name)) else {
          row(name, "trace")
          continue
        }
        let means = "mean prompt \(Int(model.meanPromptTokens)), output \(Int(model.meanOutputTokens)) tokens"
        row(name, "\(means): \(model.title)")
      }
      print("\nFormats of trace files:")
      for format in TraceFormat.allCases { row(format.title, format.layout) }
    case .figures, .studies: break
    }
  }

  /// The scripts beside the profiles, each with the line that it begins with.
  private func listStudies() throws {
    let folder = URL(filePath: try folders.profilesFolder()).deletingLastPathComponent().appending(
      path: "Scripts/studies")
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      let line = text.split(separator: "\n").first { $0.hasPrefix("\"\"\"") }
      row("Scripts/studies/\(name)", line.map { String($0.dropFirst(3)) } ?? "")
    }
  }

  /// A table of the models' sizes.
  private static func details(of profiles: ProfileFolder) throws -> String {
    let heading = [
      "model", "layers", "parameters", "active", "KV bytes a token", "state bytes a sequence", "expert bytes",
    ]
    var table = TextTable([.left] + Array(repeating: .right, count: 6), heading: heading)
    for name in profiles.names(in: "models") {
      let model = try profiles.model(name)
      let shard = try model.shard(over: 1)
      let sizes = [
        model.layers, model.parameters, model.activeParameters(includingEmbedding: false),
        shard.keyValueBytesPerToken, shard.stateBytesPerSequence, model.bytesPerExpert,
      ]
      table.add([name] + sizes.map(String.init))
    }
    return table.text
  }

  private func row(_ name: String, _ text: String) {
    print(name.padding(toLength: max(30, name.count + 2), withPad: " ", startingAt: 0) + text)
  }
}
