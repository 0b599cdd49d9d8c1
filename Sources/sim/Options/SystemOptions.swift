import ArgumentParser
import CostModels
import Experiments
import Foundation
import Serving
import Support
import Systems

/// The model, the GPUs and the serving engine.
struct SystemOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A model (see 'sim list models') or the path of a config.json.", valueName: "name|file"))
  var model = "qwen3-30b-a3b"

  @Option(
    name: [.long, .customLong("gpu")],
    help: ArgumentHelp("The GPU (see 'sim list hardware').", valueName: "name|file"))
  var hardware = "h100-sxm"

  @Option(
    help: ArgumentHelp(
      "Host overhead, graph sizes and kernel factors of a serving engine (see 'sim list engines').",
      valueName: "name|file"))
  var engine = "nano-vllm"

  @Option(
    help: ArgumentHelp(
      "Change a setting of the engine, such as host.per_iteration_ms=1.2.", valueName: "path=value"))
  var engineSet: [String] = []

  @Option(
    help: ArgumentHelp("Change a figure of the GPU, such as energy.idle_w=100.", valueName: "path=value"))
  var hardwareSet: [String] = []

  @Option(name: [.long, .customLong("tp")], help: "GPUs that share the model.")
  var tensorParallelSize = 2

  @Option(help: ArgumentHelp("Share of GPU memory that the engine may use.", valueName: "0...1"))
  var gpuMemoryUtilization = 0.85

  @Option(help: ArgumentHelp("Tokens in a block of KV memory. Default: the engine's."))
  var blockSize: Int?

  @Option(help: "Most sequences that an iteration works on.")
  var maxNumSeqs = 256

  @Option(help: "Longest sequence, prompt and output together; longer requests are rejected, and counted.")
  var maxModelLen: Int = 32768

  @Option(
    help: ArgumentHelp(
      "How tokens choose experts: correlated, uniform, correlated[group_sigma=..,request_sigma=..], "
        + "measured[file=counts.csv] or coverage[tokens=experts,..].", valueName: "law"))
  var routing: String?

  @Flag(help: "Draw the distinct experts of every MoE call instead of taking their expectation.")
  var drawRouting = false

  /// What tells one system from another.
  struct Key: Hashable {
    let names: [String]
    let gpus: Int
  }

  var key: Key {
    Key(
      names: [model, hardware, engine, routing ?? ""] + engineSet + ["\(blockSize ?? 0)"] + hardwareSet,
      gpus: tensorParallelSize)
  }

  /// Reads the profiles, and puts the system together.
  func load(from folder: String) throws -> LoadedSystem {
    let profiles = ProfileFolder(URL(filePath: folder))
    var engine = try profiles.engine(engine)
    for setting in engineSet { try engine.set(setting) }
    if let blockSize { try engine.set("kv.block_size=\(blockSize)") }
    var hardware = try profiles.hardware(hardware)
    let calibrationPath = "\(folder)/calibrations/\(hardware.name).json"
    let calibration = try Calibration(path: calibrationPath)
    // What was measured stands before the file's estimates, and what the user says before both.
    if let energy = calibration.energy { hardware.adopt(energy) }
    for setting in hardwareSet { try hardware.set(setting) }
    let model = try profiles.model(model)
    let system = try ServedSystem(
      model: model, hardware: hardware, engine: engine, tensorParallel: tensorParallelSize)
    let calibrationBytes = FileManager.default.contents(atPath: calibrationPath).map { Array($0) } ?? []
    let law = try routing.map { try RoutingModel(parsing: $0) } ?? .standard
    return LoadedSystem(
      system: system, calibration: calibration, calibrationDigest: SHA256.hexDigest(of: calibrationBytes),
      routing: model.isMixtureOfExperts ? try ExpertRouting(law, for: system.shard.model) : nil)
  }

  func checkValues() throws(CommandLineError) {
    guard (1...1 << 20).contains(maxNumSeqs) else {
      throw .badValue(option: "--max-num-seqs", value: "\(maxNumSeqs)", expected: "1 to \(1 << 20) sequences")
    }
    guard (2...1 << 24).contains(maxModelLen) else {
      throw .badValue(option: "--max-model-len", value: "\(maxModelLen)", expected: "2 to \(1 << 24) tokens")
    }
    guard gpuMemoryUtilization > 0, gpuMemoryUtilization <= 1 else {
      throw .badValue(
        option: "--gpu-memory-utilization", value: "\(gpuMemoryUtilization)",
        expected: "more than 0, at most 1")
    }
  }
}
