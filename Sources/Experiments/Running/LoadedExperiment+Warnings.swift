import CostModels
import Serving
import Systems
import Workloads

extension LoadedExperiment {
  /// Fewer sequences at a time than this are worth a warning.
  private static let fewSequences = 4.0

  /// What is odd about the trace and the system, in a line each.
  package var warnings: [String] {
    var warnings = workload.warnings
    let model = loaded.system.shard.model
    if maxModelLength > model.maxContext {
      warnings.append(
        "--max-model-len \(maxModelLength): \(model.name) has \(model.maxContext) positions; "
          + "longer requests would be refused by a server")
    }
    let means = workload.meanTokens
    let tokens = kvBlocks * loaded.system.engine.keyValueBlockSize
    let sequences = Double(tokens) / max(means.prompt + means.output, 1)
    if sequences < Self.fewSequences, workload.count > 1 {
      warnings.append(
        "memory is left for \(tokens) tokens of KV entries, \(Int(sequences)) requests of mean length at a time; use more "
          + "GPUs or a larger --gpu-memory-utilization")
    }
    return warnings
  }
}
