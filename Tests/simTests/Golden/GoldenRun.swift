import Foundation
import Serving
import TestSupport

@testable import Experiments
@testable import sim

/// A small run whose figures are kept.
struct GoldenRun: Sendable, CustomStringConvertible {
  let name: String
  /// The options of `sim run`.
  let arguments: [String]
  /// Instances behind one router.
  var instances = 1
  var logsKernels = false

  var description: String { name }

  init(_ name: String, instances: Int = 1, logsKernels: Bool = false, _ arguments: String) {
    self.name = name
    self.instances = instances
    self.logsKernels = logsKernels
    self.arguments = arguments.split(separator: " ").map(String.init)
  }

  /// Between them: every policy, model, GPU and engine, and whatever the engine does beside plain serving.
  static let all = [
    GoldenRun("chunked", "--trace arxiv --policy chunked[budget=512] --request-rate 1.5 --num-prompts 60"),
    GoldenRun("layered", "--trace arxiv --policy layered --request-rate 1.5 --num-prompts 60"),
    GoldenRun(
      "layered by the paper's groups",
      "--trace arxiv --policy layered[groups=paper,cohort=4096] --engine paper --request-rate 1.5 --num-prompts 60"
    ),
    GoldenRun(
      "hybrid, preempting",
      "--trace sharegpt --policy hybrid --request-rate 20 --gpu-memory-utilization 0.41 --num-prompts 80"),
    GoldenRun(
      "chunked, preempting",
      "--trace sharegpt --policy chunked[budget=512,decodes=free] --request-rate 20 --gpu-memory-utilization 0.41 --num-prompts 80"
    ),
    GoldenRun(
      "orca, few sequences",
      "--trace sharegpt --policy orca --request-rate 6 --max-num-seqs 16 --num-prompts 80"),
    GoldenRun("static", "--trace sharegpt --policy static[batch=8] --request-rate 6 --num-prompts 60"),
    GoldenRun(
      "orca, preempting",
      "--trace sharegpt --policy orca --request-rate 20 --gpu-memory-utilization 0.41 --num-prompts 80"),
    GoldenRun(
      "closed loop with windows",
      "--trace azure-conv --policy layered --model gpt-oss-20b --tp 1 --request-rate 1 --max-concurrency 20 --num-prompts 100"
    ),
    GoldenRun(
      "all at once, few clients",
      "--trace arxiv --policy chunked --engine paper --request-rate inf --max-concurrency 4 --num-prompts 30"),
    GoldenRun(
      "dense on one GPU",
      "--trace sharegpt --policy layered --model llama-3.1-8b --tp 1 --request-rate 8 --num-prompts 80"),
    GoldenRun(
      "dense, ideal engine, other GPU",
      "--trace azure-code --policy chunked[budget=512] --model qwen3-8b --hardware h200-sxm --engine ideal --request-rate 8 --num-prompts 80"
    ),
    GoldenRun("cut", "--trace arxiv --policy layered --request-rate 1 --max-duration 40 --num-prompts 60"),
    GoldenRun(
      "rejecting",
      "--trace mooncake --policy chunked[budget=512] --request-rate 1 --max-model-len 16384 --num-prompts 60"
    ),
    GoldenRun(
      "overload", "--trace arxiv --policy chunked[budget=2048] --request-rate 20 --num-prompts 100"),
    GoldenRun(
      "full queue, short of memory",
      "--trace arxiv --policy layered --arrivals all-at-once --gpu-memory-utilization 0.43 --num-prompts 60"),
    GoldenRun(
      "own arrivals", "--trace $arrivals --policy layered --time-scale 0.5 --num-prompts 60"),
    GoldenRun(
      "drawn routing", "--trace sharegpt --policy layered --draw-routing --request-rate 5 --num-prompts 40"),
    GoldenRun(
      "kernels logged", logsKernels: true,
      "--trace sharegpt --policy layered --request-rate 8 --num-prompts 20"),
    GoldenRun(
      "kernels logged, with windows", logsKernels: true,
      "--trace sharegpt --policy hybrid --model gpt-oss-20b --request-rate 8 --num-prompts 20"),
    GoldenRun(
      "three instances", instances: 3,
      "--trace sharegpt --policy chunked[budget=512] --request-rate 12 --num-prompts 90"),
    GoldenRun(
      "three instances, few clients", instances: 3,
      "--trace sharegpt --policy layered --request-rate 12 --max-concurrency 7 --num-prompts 90"),
    GoldenRun(
      "three instances, overload, preempting", instances: 3,
      "--trace sharegpt --policy hybrid --request-rate inf --gpu-memory-utilization 0.41 --num-prompts 120"),
    GoldenRun(
      "three instances, cut", instances: 3,
      "--trace arxiv --policy layered --request-rate 4 --max-duration 15 --num-prompts 90"),
  ]

  /// Runs it.
  ///
  /// - Parameter exactSteps: whether the policy is asked before every iteration.
  /// - Returns: what it came to.
  /// - Throws: what makes it break down.
  func run(exactSteps: Bool = false) throws -> Golden {
    let folder = try TemporaryFolder()
    let trace = folder.file("arrivals.csv")
    try Self.arrivals.write(toFile: trace, atomically: true, encoding: .utf8)
    var experiment = try TestProject.experiment(
      arguments.map { $0 == "$arrivals" ? trace : $0 } + (exactSteps ? ["--exact-steps"] : []))
    experiment.specification.cluster.pool.instances = instances
    var recorder = GoldenRecorder(wantsKernels: logsKernels)
    let totals = try experiment.run(recorder: &recorder)
    return recorder.golden(name: name, totals: totals.kernels, idleJoules: totals.idleJoules)
  }

  /// A trace with arrivals of its own: bursts of four every two seconds.
  private static let arrivals: String = {
    var text = "arrived_at,num_prefill_tokens,num_decode_tokens\n"
    for i in 0..<60 {
      text += "\(Double(i / 4) * 2 + Double(i % 4) * 0.01),\(50 + i * 977 % 6000),\(1 + i * 131 % 400)\n"
    }
    return text
  }()
}
