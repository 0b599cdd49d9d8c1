import Serving
import Statistics

/// What one of several instances did in a run.
public struct InstanceShare: Sendable, Hashable {
  /// Requests that it served to their end.
  public private(set) var completed = 0
  /// Prompt tokens of them.
  public private(set) var inputTokens = 0
  /// Prompt tokens of them that were found in its prefix cache.
  public private(set) var cachedTokens = 0
  /// Output tokens of them.
  public private(set) var outputTokens = 0
  /// Time spent in iterations; of a pipeline that in which a step was in flight.
  public internal(set) var busySeconds: Seconds = 0
  /// Energy of its iterations.
  public private(set) var joules: Joules = 0
  /// Sum of the times to first token of the requests.
  private var secondsToFirstToken: Seconds = 0

  init() {}

  /// What the only instance did, which is what the run did.
  init(_ metrics: RunMetrics) {
    completed = metrics.completed
    inputTokens = metrics.inputTokens
    cachedTokens = metrics.cachedTokens
    outputTokens = metrics.outputTokens
    busySeconds = metrics.busySeconds
    joules = metrics.joules
    secondsToFirstToken = metrics.timeToFirstToken.mean * Double(metrics.completed)
  }

  /// Share of the prompt tokens that was found in its cache.
  public var hitRate: Double { Double(cachedTokens) / Double(max(inputTokens, 1)) }
  /// Mean time to first token; 0 if it served nothing.
  public var meanTimeToFirstToken: Seconds { secondsToFirstToken / Double(max(completed, 1)) }

  mutating func record(_ iteration: IterationRecord) {
    busySeconds += iteration.end - iteration.start
    joules += iteration.joules
  }

  mutating func record(_ request: RequestRecord) {
    guard request.status == .completed else { return }
    completed += 1
    inputTokens += request.request.promptTokens
    cachedTokens += Int(request.cachedTokens)
    outputTokens += request.request.outputTokens
    secondsToFirstToken += request.timeToFirstToken
  }
}
