import Statistics

/// Collects what a run's summary is made of.
///
/// Definitions, as vLLM's benchmark tools have them: TTFT is the time from arrival to the first token; ITL (or TBT) is
/// each gap between two successive tokens, pooled over all requests; TPOT is a request's mean gap; E2E is the time from
/// arrival to the last token.
public struct RunMetrics: Recorder, Sendable {
  /// What requests are held against.
  public let objective: ServiceObjective
  /// Requests served.
  public private(set) var completed = 0
  /// Requests turned away, because they were too long.
  public private(set) var rejected = 0
  /// Requests that were sent but not served when the run was cut.
  public private(set) var unfinished = 0
  /// Prompt tokens of the requests served.
  public private(set) var inputTokens = 0
  /// Prompt tokens of them that were found in a prefix cache.
  public private(set) var cachedTokens = 0
  /// Those of them that were loaded from levels below the GPU's memory.
  public private(set) var loadedTokens = 0
  /// Output tokens of the requests served.
  public private(set) var outputTokens = 0
  /// Times from arrival to first token.
  public private(set) var timeToFirstToken = WeightedDistribution()
  /// Mean times per output token after the first, of requests that have one.
  public private(set) var timePerOutputToken = WeightedDistribution()
  /// Gaps between successive tokens.
  public private(set) var interTokenLatency = WeightedDistribution()
  /// Times from arrival to last token.
  public private(set) var endToEnd = WeightedDistribution()
  /// Requests that met the objective.
  public private(set) var good = 0
  /// Requests that met its limit on the first token.
  public private(set) var goodFirstToken = 0
  /// Requests that met its limit on gaps.
  public private(set) var goodGaps = 0
  /// How often a request lost its KV memory.
  public private(set) var preemptions = 0
  /// Iterations run.
  public private(set) var iterations = 0
  /// Iterations in which somebody decoded.
  public private(set) var decodeIterations = 0
  /// Decode steps taken, over all sequences.
  public private(set) var decodeTokens = 0
  /// When the last iteration ended.
  public private(set) var end: Seconds = 0
  /// When the first request arrived.
  public private(set) var firstArrival = Seconds.infinity
  private var sums = InstanceSums()
  /// Energy of the iterations.
  public var joules: Joules { sums.total(\.joules) }
  /// Expert weights read, in bytes.
  public var expertBytes: Double { sums.total(\.expertBytes) }
  /// Time spent in iterations.
  public var busySeconds: Seconds { sums.total(\.seconds) }
  private var busiestSecond = BusiestSecond()
  /// Most tokens that came out within one second of simulated time.
  public var mostTokensInASecond: Int { busiestSecond.most }

  /// Creates an empty collection.
  public init(objective: ServiceObjective = ServiceObjective()) { self.objective = objective }

  /// Adds an iteration.
  public mutating func record(_ iteration: IterationRecord) {
    iterations += 1
    sums.add(iteration)
    if iteration.decodeTokens > 0 { decodeIterations += 1 }
    decodeTokens += Int(iteration.decodeTokens)
    end = max(end, iteration.end)
    busiestSecond.count(Int(iteration.outputTokens), at: iteration.end)
  }

  /// Adds successive iterations; what the default would do, but compiled for this type, in half the instructions.
  public mutating func record(_ iterations: Span<IterationRecord>) {
    guard !iterations.isEmpty else { return }
    self.iterations += iterations.count
    var (decoding, tokens) = (0, 0)
    for i in iterations.indices {
      decoding += iterations[i].decodeTokens > 0 ? 1 : 0
      tokens += Int(iterations[i].decodeTokens)
    }
    decodeIterations += decoding
    decodeTokens += tokens
    end = max(end, iterations[iterations.count - 1].end)
    sums.add(iterations)
    busiestSecond.count(iterations)
  }

  /// Adds gaps between tokens.
  public mutating func record(gap: Seconds, tokens: Int) { interTokenLatency.add(gap, weight: tokens) }

  /// Adds gaps between tokens, each of which occurs so many times.
  public mutating func record(gaps: Span<Seconds>, tokens: Int) {
    interTokenLatency.add(gaps, weight: tokens)
  }

  /// Does nothing: spans say nothing that the summary needs.
  public mutating func record(_ span: SpanRecord) {}

  /// Adds a request.
  public mutating func record(_ request: RequestRecord) {
    firstArrival = min(firstArrival, request.request.arrival)
    // A request of a class has limits of its own.
    let objective = request.request.objective ?? objective
    if objective.isMetByFirstToken(of: request) { goodFirstToken += 1 }
    if objective.isMetByGaps(of: request) { goodGaps += 1 }
    if objective.isMet(by: request) { good += 1 }
    switch request.status {
    case .completed: break
    case .rejected:
      rejected += 1
      return
    case .unfinished:
      unfinished += 1
      preemptions += Int(request.preemptions)
      return
    }
    completed += 1
    inputTokens += request.request.promptTokens
    cachedTokens += Int(request.cachedTokens)
    loadedTokens += Int(request.loadedTokens)
    outputTokens += request.request.outputTokens
    preemptions += Int(request.preemptions)
    timeToFirstToken.add(request.timeToFirstToken)
    endToEnd.add(request.endToEnd)
    if request.request.outputTokens > 1 { timePerOutputToken.add(request.timePerOutputToken) }
  }

  /// Requests that were sent: completed, rejected, or unfinished.
  public var requests: Int { completed + rejected + unfinished }
  /// From the first arrival to the end of the last iteration.
  public var duration: Seconds { iterations > 0 ? end - firstArrival : 0 }
  /// Share of all requests that met the objective; those rejected or unfinished are among those that did not.
  public var attainment: Double { Double(good) / Double(max(requests, 1)) }
  /// Share that met its limit on the first token.
  public var attainmentOfFirstToken: Double { Double(goodFirstToken) / Double(max(requests, 1)) }
  /// Share that met its limit on gaps.
  public var attainmentOfGaps: Double { Double(goodGaps) / Double(max(requests, 1)) }
  /// Share of the prompt tokens that was found in a prefix cache when their requests were admitted first.
  public var prefixHitRate: Double { Double(cachedTokens) / Double(max(inputTokens, 1)) }
  /// Mean sequences that decode, over the iterations in which somebody does.
  public var meanDecodeBatch: Double { Double(decodeTokens) / Double(max(decodeIterations, 1)) }
  /// Mean length of an iteration.
  public var meanIteration: Seconds { busySeconds / Double(max(iterations, 1)) }
}
