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

  @Option(
    name: [.long, .customLong("tp")],
    help: ArgumentHelp("GPUs that share the model.", valueName: "n"))
  var tensorParallelSize = "2"

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

  /// The system that the options describe.
  func specification() throws(CommandLineError) -> SystemSpecification {
    guard let gpus = Int(tensorParallelSize) else {
      let isList = tensorParallelSize.contains(",")
      throw .badValue(
        option: "--tensor-parallel-size", value: tensorParallelSize,
        expected: "a whole number" + (isList ? "; lists are for sweep, capacity, tune and plan" : ""))
    }
    var system = SystemSpecification()
    system.model = model
    system.hardware = hardware
    system.engine = engine
    system.engineSettings = try Self.settings(engineSet, option: "--engine-set")
    system.hardwareSettings = try Self.settings(hardwareSet, option: "--hardware-set")
    system.tensorParallelSize = gpus
    system.memoryShare = gpuMemoryUtilization
    system.blockSize = blockSize
    system.maxSequences = maxNumSeqs
    system.maxModelLength = maxModelLen
    system.routing = routing
    system.drawsRouting = drawRouting
    return system
  }

  /// The options with one value each of those that are lists: models, hardware and numbers of GPUs, the last varying
  /// fastest.
  func alternatives() throws(CommandLineError) -> [SystemOptions] {
    func elements(_ option: String, _ text: String) throws(CommandLineError) -> [String] {
      let all = SweepAxis.elements(text[...]).map { String($0) }
      guard !all.contains("") else {
        throw .badValue(option: option, value: text, expected: "a value before and after each comma")
      }
      return all
    }
    var product: [SystemOptions] = []
    for model in try elements("--model", model) {
      for hardware in try elements("--hardware", hardware) {
        for gpus in try elements("--tensor-parallel-size", tensorParallelSize) {
          var options = self
          options.model = model
          options.hardware = hardware
          options.tensorParallelSize = gpus
          product.append(options)
        }
      }
    }
    return product
  }

  /// Assignments `path=value`; of two to the same path the last one counts.
  static func settings(
    _ assignments: [String], option: String
  ) throws(CommandLineError) -> [String: SettingValue] {
    var settings: [String: SettingValue] = [:]
    for assignment in assignments {
      guard let sign = assignment.firstIndex(of: "=") else {
        throw .badValue(option: option, value: assignment, expected: "path=value")
      }
      settings[String(assignment[..<sign])] = SettingValue(
        parsing: String(assignment[assignment.index(after: sign)...]))
    }
    return settings
  }
}
