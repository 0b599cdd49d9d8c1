import Policies
import Serving
import Statistics
import Workloads

/// All requests of a workload at once, in some order: what matters is when the last one is through.
package struct BatchRun {
  /// In which order requests are looked at.
  package enum Order: String, Sendable, CaseIterable {
    /// As the trace has them.
    case trace
    /// By what their prompts begin with, so that equal beginnings come one after the other.
    case sorted
    /// In groups by BatchLLM's plan, each prefix ahead of its members.
    case plan
  }

  /// What came out.
  package struct Outcome: Sendable {
    /// When the last request was through, from when all were there; `nil` if none was served.
    package var makespan: Seconds?
    /// Requests that were served.
    package var completed: Int
    /// Prompt tokens of the requests served, and those that were computed.
    package var promptTokens: Tokens
    package var computedTokens: Tokens
    /// Output tokens.
    package var outputTokens: Tokens
    /// Most blocks of KV memory in use.
    package var peakBlocks: Int
    /// Requests that lost their memory, and requests that were turned away.
    package var preemptions: Int
    package var rejected: Int
    /// Share of the prompt tokens that the plan saves.
    package var plannedSaving: Double

    /// Tokens of prompts and outputs for each second; `nil` if no request was served.
    package var tokensPerSecond: Double? { makespan.map { Double(promptTokens + outputTokens) / $0 } }
    /// Share of the prompt tokens that was not computed.
    package var saving: Double { 1 - Double(computedTokens) / Double(max(promptTokens, 1)) }
  }

  private struct BatchRecorder: Recorder {
    var metrics = RunMetrics()
    var peak = 0
    var computed = 0
    /// Requests of the workload, which prefixes that are computed by themselves are not.
    let last: Int
    var served = 0
    var servedTokens = 0
    var rejected = 0

    init(last: Int) { self.last = last }

    mutating func record(_ iteration: IterationRecord) {
      metrics.record(iteration)
      peak = max(peak, Int(iteration.kvBlocksUsed))
    }
    mutating func record(_ span: SpanRecord) {}
    mutating func record(_ request: RequestRecord) {
      metrics.record(request)
      if request.status == .completed { computed += request.request.promptTokens - Int(request.cachedTokens) }
      guard request.request.id <= last else { return }
      switch request.status {
      case .completed:
        served += 1
        servedTokens += request.request.promptTokens
      case .rejected: rejected += 1
      case .unfinished: break
      }
    }
  }

  /// The plan of the workload.
  package static func plan(of experiment: LoadedExperiment) -> PrefixPlan {
    PrefixPlan(Array(experiment.workload), contents: experiment.workload.contents)
  }

  /// Runs all requests at once.
  ///
  /// - Parameters:
  ///   - experiment: the requests, the system and its policy.
  ///   - order: in which order requests are looked at.
  /// - Returns: what came out; a prefix that is computed by itself counts as computed, not as a prompt.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: that of a run, and O(pieces of all prompts).
  package static func run(_ experiment: LoadedExperiment, order: Order) throws(SimulationError) -> Outcome {
    let requests = Array(experiment.workload)
    let plan = plan(of: experiment)
    var batch = requests
    switch order {
    case .trace: break
    case .sorted:
      let contents = experiment.workload.contents
      let keys = requests.map { contents.pieces(of: $0).map(\.source) }
      batch = requests.indices.sorted {
        keys[$0] == keys[$1] ? $0 < $1 : keys[$0].lexicographicallyPrecedes(keys[$1])
      }
      .map { requests[$0] }
    case .plan: batch = plan.requests(requests)
    }
    for i in batch.indices { batch[i].arrival = 0 }
    var recorder = BatchRecorder(last: requests.map(\.id).max() ?? 0)
    _ = try experiment.run(recorder: &recorder, staging: LoadedExperiment.Staging(requests: batch))
    // Prefixes that were computed by themselves wrote a token each.
    let leads = recorder.metrics.completed - recorder.served
    return Outcome(
      makespan: recorder.served > 0 ? recorder.metrics.end : nil, completed: recorder.served,
      promptTokens: recorder.servedTokens, computedTokens: recorder.computed,
      outputTokens: recorder.metrics.outputTokens - leads, peakBlocks: recorder.peak,
      preemptions: recorder.metrics.preemptions, rejected: recorder.rejected, plannedSaving: plan.saving)
  }
}
