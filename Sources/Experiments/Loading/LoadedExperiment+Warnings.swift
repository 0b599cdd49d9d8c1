import CostModels
import Foundation
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
    let memory = pool.memory
    let tokens = kvBlocks * memory.blockSize
    let mean = max(means.prompt + means.output, 1)
    let sequences =
      model.stateSpace == nil
      ? Double(tokens) / mean : Double(kvBlocks) / Double(memory.blocks(for: Int(mean)))
    if sequences < Self.fewSequences, workload.count > 1 {
      warnings.append(
        "memory is left for \(tokens) tokens of KV entries, \(Int(sequences)) requests of mean length at a time; use more "
          + "GPUs or a larger --gpu-memory-utilization")
    }
    if workload.imageTokens > 0, specification.system.tokenPruning == nil, loaded.encoder == nil {
      warnings.append(
        "--image-tokens \(workload.imageTokens): tokens of images cost what others do; --vision-encoder adds what makes them, "
          + "--token-pruning leaves some of them out")
    }
    return warnings + idleOptions
  }

  /// What was asked for and changes nothing, or not what one might expect, in a line each.
  private var idleOptions: [String] {
    let (system, asked) = (loaded.system, specification.system)
    let model = system.shard.model
    var lines: [String] = []
    let ofExperts = [
      ("--enable-expert-parallel", asked.expertParallelSize != nil), ("--routing", asked.routing != nil),
      ("--draw-routing", asked.drawsRouting),
    ]
    for (option, isGiven) in ofExperts where isGiven && !model.isMixtureOfExperts {
      lines.append("\(option) changes nothing: \(model.name) has no experts")
    }
    if model.isMixtureOfExperts, asked.expertParallelSize == 1 {
      lines.append("--enable-expert-parallel changes nothing: one GPU holds all experts of its layers")
    }
    if asked.engineSettings["experts.own_choices"] != nil, system.shard.expertRanks == 1 {
      lines.append(
        "experts.own_choices changes nothing: no ranks share out the experts (--enable-expert-parallel)")
    }
    if asked.engineSettings["model.mxfp4_marlin"] == .flag(true), model.expertFormat != .mxfp4Marlin {
      let reason =
        model.expertFormat == .mxfp4MXFP8
        ? "\(system.hardware.name) multiplies MXFP4 experts with MXFP8 activations (model.mxfp8_activations)"
        : "\(model.name) has no experts in MXFP4"
      lines.append("model.mxfp4_marlin changes nothing: \(reason)")
    }
    if asked.engineSettings["model.mxfp4_marlin"] == .flag(false), model.expertFormat == .mxfp4Marlin {
      lines.append(
        "model.mxfp4_marlin=false changes nothing: \(system.hardware.name) has no FP8, and no other kernels of MXFP4 experts"
      )
    }
    if system.engine.keepsKeyValuesInFP8, model.attentionLayers == 0 {
      lines.append("--kv-cache-dtype fp8 changes nothing: \(model.name) keeps states, and no keys and values")
    }
    if asked.speculation?.method == .mtp, !model.hasDraftLayer {
      lines.append(
        "--speculative-config: \(model.name)'s configuration has no layer of multi-token prediction "
          + "(num_nextn_predict_layers); a layer like its last one makes the drafts")
    }
    let rates = asked.hardwareSettings.keys.sorted().filter {
      $0.hasPrefix("memory.bandwidth") || $0 == "memory.l2_bytes" || $0.hasPrefix("nvlink.")
        || $0.hasPrefix("compute.") && $0 != "compute.mxfp8_experts"
    }
    if !rates.isEmpty, !loaded.calibration.isOfDataSheet, law == nil, asked.costModel ?? .kernels == .kernels
    {
      lines.append(
        "--hardware-set \(rates.joined(separator: ", ")): kernels take as long as what is known of "
          + "\(system.hardware.name) says all the same; a GPU's own file (--hardware my-gpu.json) is priced by its data sheet"
      )
    }
    return lines
  }

  /// The pages of a model with states: each is the states of a sequence, or some of them and some of its tokens.
  private var pagesText: String {
    let blockSize = loaded.system.engine.keyValueBlockSize
    guard loaded.system.shard.model.attentionLayers > 0 else {
      return cachesPrefixes
        ? "\(kvBlocks) states, each behind \(blockSize) tokens" : "states of \(kvBlocks) sequences"
    }
    return "\(kvBlocks) pages of \(blockSize) tokens, \(pool.memory.blocks(for: maxModelLength)) of them for "
      + "\(maxModelLength) tokens and their states"
  }

  /// From this share of the kernels' time on, what was not measured is said before the figures.
  private static let muchUnmeasured = 0.2

  /// What a reader must know before the figures.
  package func head(evidence: EvidenceShares) -> [String] {
    let tokens = kvBlocks * loaded.system.engine.keyValueBlockSize
    let longest = maxModelLength
    let memory = pool.memory
    let isPaged = loaded.system.shard.model.stateSpace != nil
    let requests = kvBlocks / memory.blocks(for: longest)
    let ranks = pool.ranks > 1 ? " in each of \(pool.ranks) ranks" : ""
    var lines = [
      isPaged
        ? "Memory: \(pagesText), \(requests) requests of \(longest) at a time"
        : "KV memory: \(tokens) tokens\(ranks), \(String(format: "%.1f", Double(tokens) / Double(max(longest, 1)))) requests of "
          + "\(longest) at a time"
    ]
    if let window = specification.limits.window {
      let end = window.end.isFinite ? String(format: "to %g s", window.end) : "on"
      lines.append(
        String(format: "Measured from %g s ", window.begin) + end
          + "; kernels, instances, and how many requests are in the system are of the whole run"
      )
    }
    let outside = evidence.unmeasured
    if outside >= Self.muchUnmeasured {
      lines.append(
        "\(String(format: "%.0f", outside * 100)) % of the kernels' time rests on nothing measured in its shape and size (below)"
      )
    }
    return lines
  }
}
