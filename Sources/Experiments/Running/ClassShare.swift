import ResultStore
import Serving

/// How the requests of one class fared in a run.
public struct ClassShare: Sendable, Hashable {
  /// The class's name.
  public let name: String
  /// Requests that were sent.
  public private(set) var requests = 0
  /// Requests that were served to their end.
  public private(set) var completed = 0
  /// Requests that met what they ask for.
  public private(set) var good = 0
  /// Prompt tokens of those that were served.
  public private(set) var inputTokens = 0
  /// Output tokens of them.
  public private(set) var outputTokens = 0
  private var secondsToFirstToken: Seconds = 0

  init(name: String) { self.name = name }

  /// Share of the requests that met what they ask for.
  public var attainment: Double { Double(good) / Double(max(requests, 1)) }
  /// Mean time to first token; 0 if none was served.
  public var meanTimeToFirstToken: Seconds { secondsToFirstToken / Double(max(completed, 1)) }

  mutating func record(_ request: RequestRecord, objective: ServiceObjective) {
    requests += 1
    if (request.request.objective ?? objective).isMet(by: request) { good += 1 }
    guard request.status == .completed else { return }
    completed += 1
    inputTokens += request.request.promptTokens
    outputTokens += request.request.outputTokens
    secondsToFirstToken += request.timeToFirstToken
  }

  /// Names and values for JSON output.
  package var values: [(String, RunValue)] {
    [
      ("name", .text(name)), ("num_prompts", RunValue(requests)), ("completed", RunValue(completed)),
      ("slo_attainment", RunValue(attainment)), ("mean_ttft_ms", RunValue(meanTimeToFirstToken * 1000)),
      ("total_input_tokens", RunValue(inputTokens)), ("total_output_tokens", RunValue(outputTokens)),
    ]
  }
}
