import ArgumentParser
import Calibration
import CostModels
import Experiments
import Foundation
import ResultStore
import Serving
import Statistics
import Support
import Systems

/// `sim validate iterations`: prices iterations that were measured whole.
struct ValidateIterationsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "iterations",
    abstract: "Predict iterations that the profiling harness measured, and print signed errors by kind.",
    discussion: """
      The tables are those of 'Scripts/profile-gpu --iterations'. The cost model is given the experts that each \
      iteration read; an error is predicted over measured, less one. Rows of several GPUs or of some layers alone are \
      left out, and counted.

      Example:
        sim validate iterations Profiles/iterations/h200-sxm/*.csv
      """)

  @Argument(help: ArgumentHelp("Tables of iterations.", valueName: "files"))
  var files: [String]

  @Option(help: ArgumentHelp("The GPU. Default: the name of each file's folder.", valueName: "name|file"))
  var hardware: String?

  @Option(
    help: ArgumentHelp("The engine; the harness times kernels, without a host.", valueName: "name|file"))
  var engine = "ideal"

  @Option(help: ArgumentHelp("Change a setting of the engine.", valueName: "path=value"))
  var engineSet: [String] = []

  @Option(help: ArgumentHelp("Change a figure of the GPU.", valueName: "path=value"))
  var hardwareSet: [String] = []

  @Flag(help: "Print every iteration instead of a summary by kind.")
  var each = false

  @Option(help: "table (six digits), csv or json (all digits).")
  var format = ResultTable.Format.table

  @OptionGroup(title: "Data") var folders: ProjectFolders

  func run() throws {
    let folder = try folders.profilesFolder()
    let library = Library(profiles: folder)
    var predictions: [(file: String, IterationPrediction)] = []
    var leftOut = 0
    for file in files {
      let gpu = hardware ?? URL(filePath: file).deletingLastPathComponent().lastPathComponent
      let (rows, device) = try MeasuredIteration.read(path: file)
      if let device, !HardwareDescription.isName(gpu, ofDevice: device) {
        // A GPU that is named on purpose may be described anew; a folder's name may only be wrong.
        guard hardware != nil else {
          throw CommandLineError.contradiction(
            "\(file): it was measured on \(device.onOneLine()), and lies in a folder '\(gpu)'; give --hardware"
          )
        }
        warn("\(file): it was measured on \(device.onOneLine()), and is predicted for \(gpu)")
      }
      for iteration in rows {
        let loaded = try library.system(try system(iteration.model, gpu))
        guard iteration.tensorParallel == 1, iteration.layers == loaded.system.shard.model.layers else {
          leftOut += 1
          continue
        }
        predictions.append((file, try IterationPrediction(iteration, on: loaded)))
      }
    }
    if leftOut > 0 { warn("\(leftOut) rows left out: a share of several GPUs, or not all layers") }
    let table = each ? Self.list(predictions) : Self.summary(predictions.map(\.1))
    print(table.formatted(as: format), terminator: "")
  }

  /// A model on one GPU.
  private func system(_ model: String, _ gpu: String) throws(CommandLineError) -> SystemSpecification {
    var system = SystemSpecification()
    system.model = model
    system.hardware = gpu
    system.engine = engine
    system.tensorParallelSize = 1
    system.engineSettings = try SystemOptions.settings(engineSet, option: "--engine-set")
    // The harness multiplies in 16 bits, whatever a model's weights are stored in.
    if system.engineSettings["model.dequantise_experts"] == nil {
      system.engineSettings["model.dequantise_experts"] = true
    }
    system.hardwareSettings = try SystemOptions.settings(hardwareSet, option: "--hardware-set")
    return system
  }

  private static func summary(_ predictions: [IterationPrediction]) -> ResultTable {
    var table = ResultTable(
      columns: [
        "model", "kind", "quantity", "rows", "mean_pct", "median_pct", "mean_abs_pct", "p90_abs_pct",
        "worst_pct",
      ], rows: [])
    let models = predictions.map(\.measured.model).reduce(into: [String]()) { list, name in
      if !list.contains(name) { list.append(name) }
    }
    for model in models {
      for kind in MeasuredIteration.Kind.allCases {
        let some = predictions.filter { $0.measured.model == model && $0.measured.kind == kind }
        for (quantity, errors) in [
          ("time", some.map(\.timeError)), ("energy", some.compactMap(\.energyError)),
        ] {
          guard let errors = ErrorDistribution(errors) else { continue }
          let figures = [
            errors.errors.mean, errors.errors.quantile(0.5), errors.sizes.mean, errors.sizes.quantile(0.9),
            errors.worst,
          ]
          table.rows.append(
            [.text(model), .text(kind.rawValue), .text(quantity), RunValue(errors.errors.count)]
              + figures.map { RunValue($0 * 100) })
        }
      }
    }
    return table
  }

  private static func list(_ predictions: [(file: String, IterationPrediction)]) -> ResultTable {
    let columns = [
      "file", "line", "model", "kind", "decode_batch", "decode_context", "prefill_tokens", "prefill_prefix",
      "layer_begin", "layer_end", "experts", "measured_ms", "predicted_ms", "time_error_pct", "measured_j",
      "predicted_j", "energy_error_pct",
    ]
    let rows: [[RunValue]] = predictions.map { file, prediction in
      let row = prediction.measured
      return [
        .text(file), RunValue(row.line), .text(row.model), .text(row.kind.rawValue), RunValue(row.decodes),
        RunValue(row.decodeContext), RunValue(row.prefill.tokens), RunValue(row.prefill.prefix),
        RunValue(row.prefillLayers.lowerBound), RunValue(row.prefillLayers.upperBound), RunValue(row.experts),
        RunValue(row.seconds * 1000), RunValue(prediction.seconds * 1000),
        RunValue(prediction.timeError * 100),
        row.joules.map { RunValue($0) } ?? .null, RunValue(prediction.joules),
        prediction.energyError.map { RunValue($0 * 100) } ?? .null,
      ]
    }
    return ResultTable(columns: columns, rows: rows)
  }
}
