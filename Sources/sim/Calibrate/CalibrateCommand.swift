import ArgumentParser
import Calibration
import CostModels
import Foundation
import Systems

/// `sim calibrate`: fits the cost model's kernels to measured tables.
struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Fit the kernels' cost to measured tables, and say how far off the fits are.",
    discussion: """
      Reads Profiles/kernels/<gpu>/<source>/*.csv and writes Profiles/calibrations/<gpu>.json. The errors are on \
      rows that the fit has not seen.

      Examples:
        sim calibrate --gpu h200 --source aiconfigurator-0.12.0 harness-2026-11-27
        sim calibrate --gpu b200-sxm --source aisimulate-0.13-vllm aisimulate-0.13-sglang
        sim calibrate --gpu h100-sxm --source aisimulate-0.13-vllm --formats-only
        sim calibrate --explain qwen3-30b-a3b --tp 2
      """)

  @Option(help: "The GPU, such as h100-sxm, or 'all' that have tables of the source.")
  var gpu = "all"

  @Option(
    parsing: .upToNextOption,
    help: "Folders of tables; shapes that the first one lacks come from the next.")
  var source = ["aiconfigurator-0.12.0"]

  @Flag(
    help: """
      Keep the number formats and kernels alone that Profiles/calibrations/<gpu>.json lacks, and write them to \
      Profiles/calibrations/formats/<gpu>.json; runs of models in such formats read both.
      """)
  var formatsOnly = false

  @OptionGroup var folders: ProjectFolders

  @Option(
    parsing: .upToNextOption,
    help:
      "Two calibration files, or two sources of one GPU, to be compared kernel by kernel; nothing is written."
  )
  var compare: [String] = []

  @Option(
    help: ArgumentHelp(
      "Say what the time of each of a model's kernels rests on; nothing is written.", valueName: "model|all"))
  var explain: String?

  @Option(name: [.customLong("tensor-parallel-size"), .customLong("tp")], help: "GPUs that share the model.")
  var tensorParallelSize = 2

  func validate() throws {
    if !compare.isEmpty, compare.count != 2 {
      throw ValidationError("--compare takes two calibration files or sources, not \(compare.count).")
    }
    if !compare.isEmpty, explain != nil {
      throw ValidationError("--compare and --explain exclude each other.")
    }
  }

  func run() throws {
    if compare.count == 2 {
      print(try side(compare[0]).comparison(with: side(compare[1])), terminator: "")
      return
    }
    let profiles = try folders.profilesFolder()
    if let explain {
      try explainKernels(of: explain, ProfileFolder(URL(filePath: profiles)))
      return
    }
    for gpu in try gpus(in: ProfileFolder(URL(filePath: profiles))) {
      let (calibration, report, notes) = try calibrate(
        gpu: gpu, sources: source, profilesDirectory: profiles)
      guard !formatsOnly else {
        let first = try Calibration(path: "\(profiles)/calibrations/\(gpu).json")
        let path = "\(profiles)/calibrations/formats/\(gpu).json"
        let others = calibration.missing(in: first)
        try others.write(path: path)
        print(others.report() + notes, terminator: "")
        print("written to \(path)\n")
        continue
      }
      let path = "\(profiles)/calibrations/\(gpu).json"
      try calibration.write(path: path)
      print(report + notes, terminator: "")
      print("written to \(path)\n")
    }
  }

  /// One side of a comparison: a file, or what the tables of a source come to.
  private func side(_ name: String) throws -> Calibration {
    if name.hasSuffix(".json") || name.contains("/") { return try Calibration(path: name) }
    guard gpu != "all" else {
      throw CommandLineError.badValue(
        option: "--compare", value: name, expected: "the path of a calibration, or --gpu with a source's name"
      )
    }
    let profiles = try folders.profilesFolder()
    let gpu = try self.name(of: gpu, in: ProfileFolder(URL(filePath: profiles)))
    return try calibrate(gpu: gpu, sources: [name], profilesDirectory: profiles).calibration
  }

  private func explainKernels(of name: String, _ profiles: ProfileFolder) throws {
    let models = name == "all" ? profiles.names(in: "models") : [name]
    for model in try models.map({ try profiles.model($0) }) {
      let shard = try model.shard(over: tensorParallelSize)
      for gpu in try gpu == "all" ? profiles.names(in: "calibrations") : [self.name(of: gpu, in: profiles)] {
        let calibration = try Calibration(gpu: gpu, profiles: profiles, for: shard.model)
        print(calibration.explanation(of: shard))
      }
    }
  }

  /// The GPU asked for, or all that have tables of the first source.
  private func gpus(in profiles: ProfileFolder) throws -> [String] {
    guard gpu == "all" else { return [try name(of: gpu, in: profiles)] }
    let kernels = profiles.url.appending(path: "kernels").path
    let files = FileManager.default
    let folders = ((try? files.contentsOfDirectory(atPath: kernels)) ?? []).sorted()
    let found = folders.filter { files.fileExists(atPath: "\(kernels)/\($0)/\(source[0])") }
    guard !found.isEmpty else {
      throw CalibrationError.unreadable(
        path: kernels, reason: "no GPU in it has a folder of tables named '\(source[0])'")
    }
    return found
  }

  /// A GPU as its folder of tables is called: one that has no description yet is taken by its word.
  private func name(of gpu: String, in profiles: ProfileFolder) throws -> String {
    let tables = profiles.url.appending(path: "kernels").appending(path: gpu).path
    return try FileManager.default.fileExists(atPath: tables) ? gpu : profiles.hardware(gpu).name
  }
}
