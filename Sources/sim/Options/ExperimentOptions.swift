import ArgumentParser
import Experiments
import Foundation
import Serving
import Workloads

/// An experiment as options of the command line, for `--config`.
struct ExperimentOptions {
  /// Options by their long names, each with the words that follow it, in the order of the experiment's members.
  private(set) var options: [(name: String, words: [String])] = []

  /// The options that describe an experiment.
  ///
  /// - Parameters:
  ///   - experiment: what is to be described.
  ///   - source: where it comes from, for errors.
  /// - Throws: a `CommandLineError` where options cannot say all of it, such as two pools.
  init(_ experiment: Experiment, from source: String) throws {
    try add(experiment.workload)
    add("--max-concurrency", experiment.limits.maxConcurrency)
    add("--max-duration", experiment.limits.maxDuration)
    add("--measure-from", experiment.limits.measureFrom)
    add("--measure-until", experiment.limits.measureUntil)
    let cluster = experiment.cluster
    add("--policy", cluster.pool.policy?.description)
    try add(cluster.pool.system)
    if cluster.pool.instances != 1 { add("--replicas", cluster.pool.instances) }
    add("--router", cluster.router?.description)
    if let objective = experiment.objective { options.append(("--slo", Self.limits(objective))) }
    let words = options.flatMap { [$0.name] + $0.words }
    guard let again = try? RunOptions.parse(words).specification(), again == experiment else {
      throw CommandLineError.contradiction(
        "--config \(source): an experiment that options cannot describe, such as one of two pools; 'sim run --from' runs it"
      )
    }
  }

  private mutating func add(_ name: String, _ value: (some CustomStringConvertible)?) {
    if let value { options.append((name, ["\(value)"])) }
  }

  private mutating func add(_ workload: WorkloadSpecification) throws {
    let isRandom = workload.inputLength != nil || workload.outputLength != nil
    if !isRandom { add("--trace", workload.trace) }
    add("--input-len", workload.inputLength)
    add("--output-len", workload.outputLength)
    add("--range-ratio", workload.rangeRatio)
    add("--image-tokens", workload.imageTokens)
    add("--time-unit", workload.timeUnit?.rawValue)
    add("--trace-start", workload.traceStart)
    add("--trace-end", workload.traceEnd)
    add("--request-rate", workload.requestRate)
    add("--arrivals", workload.arrivals?.rawValue)
    add("--burstiness", workload.burstiness)
    add("--ramp-up-strategy", workload.rampUp?.rawValue)
    add("--ramp-up-start-rps", workload.rampUpStart)
    add("--ramp-up-end-rps", workload.rampUpEnd)
    add("--burst-ratio", workload.bursts?.ratio)
    add("--burst-share", workload.bursts?.share)
    add("--burst-length", workload.bursts?.length)
    add("--daily-swing", workload.days?.swing)
    add("--weekend-share", workload.days?.weekend)
    add("--day-length", workload.days?.length)
    add("--time-scale", workload.timeScale)
    for one in workload.classes {
      let limits = one.objective.map(Self.limits) ?? []
      let parameters =
        ["share=\(one.share)", "priority=\(one.priority)"] + limits.map { $0.replacing(":", with: "=") }
      options.append(("--request-class", ["\(one.name)[\(parameters.joined(separator: ","))]"]))
    }
    add("--num-prompts", workload.numPrompts)
    if workload.shuffle { options.append(("--shuffle", [])) }
    add("--seed", workload.seed)
  }

  private mutating func add(_ system: SystemSpecification) throws {
    add("--model", system.model)
    add("--attention", system.attention?.description)
    add("--kv-policy", system.keyValuePolicy?.description)
    add("--hardware", system.hardware)
    add("--engine", system.engine)
    for (path, value) in system.engineSettings.sorted(by: { $0.key < $1.key }) {
      add("--engine-set", "\(path)=\(value)")
    }
    for (path, value) in system.hardwareSettings.sorted(by: { $0.key < $1.key }) {
      add("--hardware-set", "\(path)=\(value)")
    }
    add("--tensor-parallel-size", system.tensorParallelSize)
    add("--data-parallel-size", system.dataParallelSize)
    add("--pipeline-parallel-size", system.pipelineParallelSize)
    add("--pipeline-link", system.pipelineLink)
    if system.expertParallelSize != nil { options.append(("--enable-expert-parallel", [])) }
    add("--gpu-memory-utilization", system.memoryShare)
    add("--block-size", system.blockSize)
    add("--num-gpu-blocks-override", system.kvBlocks)
    add("--max-num-seqs", system.maxSequences)
    add("--max-model-len", system.maxModelLength)
    add("--routing", system.routing)
    add("--cost-model", system.costModel?.rawValue)
    if let speculation = system.speculation {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      add("--speculative-config", String(decoding: try encoder.encode(speculation), as: UTF8.self))
    }
    add(
      "--kv-tiers",
      system.cacheTiers.map { tiers in
        tiers.map { "\($0.link):\($0.gibibytes)\($0.isShared == true ? ":shared" : "")" }.joined(
          separator: ",")
      })
    add("--prefill-sparsity", system.prefillSparsity?.description)
    add("--vision-encoder", system.visionEncoder)
    add("--token-pruning", system.tokenPruning?.description)
    if system.drawsRouting { options.append(("--draw-routing", [])) }
  }

  private static func limits(_ objective: ServiceObjective) -> [String] {
    let all = [
      ("ttft", objective.timeToFirstToken), ("tbt", objective.timeBetweenTokens),
      ("tpot", objective.timePerOutputToken), ("e2el", objective.endToEnd),
    ]
    return all.compactMap { name, limit in limit.map { "\(name):\($0)s" } }
  }
}
