import Experiments
import Serving

/// The program that the documentation begins with, and a policy of one's own; prints what it comes to.
@main
struct Outsider {
  static func main() throws {
    let folder = CommandLine.arguments[1]
    var experiment = Experiment(trace: "arxiv", requestRate: 1.5, policy: "layered")
    experiment.workload.numPrompts = 100
    experiment.system.hardware = "h200-sxm"
    let library = Library(profiles: folder + "/Profiles", traces: folder + "/Traces")
    let result = try library.load(experiment).run()
    print(
      result.summary[.meanTimeToFirstToken] ?? .nan,
      result.metrics.interTokenLatency.percentiles([99])[0] * 1000)

    var simulation = Simulation(
      instances: [
        InstanceConfiguration(
          scheduler: Whole(), costModel: Metronome(), memory: KVMemory(blocks: 100, blockSize: 16))
      ],
      requests: [Request(id: 0, arrival: 0, promptTokens: 100, outputTokens: 5)].makeIterator())
    var metrics = RunMetrics()
    try simulation.run(recorder: &metrics)
    print(metrics.iterations, metrics.end)
  }
}

/// Whole prompts, one a step.
struct Whole: Scheduler {
  mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view)
    guard let prompt = plan.promptOrNext(0, view) else { return }
    plan.prefill(prompt, tokens: prompt.done..<prompt.tokens, layers: 0..<view.layers)
  }
}

/// A step takes 10 ms.
final class Metronome: CostModel {
  var layers: Int { 8 }
  var slidingWindow: Tokens? { nil }
  var idleWatts: Double { 0 }
  func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    cost.kernelSeconds = 0.01
  }
}
