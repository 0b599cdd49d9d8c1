import Serving

/// What a router knows of how long things take: straight lines through prices of the cost model.
public struct ServicePrices: Sendable, Hashable {
  /// Time that a token of a prompt adds.
  public var promptToken: Seconds
  /// Time of a decode step of one sequence.
  public var step: Seconds
  /// Time that each further sequence adds to it.
  public var sequence: Seconds

  /// Creates prices.
  public init(promptToken: Seconds, step: Seconds, sequence: Seconds) {
    self.promptToken = promptToken
    self.step = step
    self.sequence = sequence
  }
}

/// When a request would be through on each instance, as far as one can tell who knows only what was sent where, first
/// tokens and ends.
///
/// For a prompt of L tokens of which m were sent there before, with P tokens of earlier prompts yet to be computed and n
/// requests there:
///
///     wait + prefill = (P + L - m) x time of a token
///     decode         = (outputs - 1) x (time of a step + n x time of a sequence)
///
/// How much it will write is not known before it has: the mean of those that have ended stands for it.
struct LatencyForecast: Sendable {
  private struct Worker: Sendable {
    var uncomputed: Tokens = 0
    var requests = 0
    var sent = SentPrompts()
  }

  private struct Active: Sendable {
    var instance: Int
    var uncomputed: Tokens
    var outputs: Tokens
  }

  private let contents: PromptContents
  private let prices: ServicePrices
  private var workers: [Worker]
  private var active: [Int: Active] = [:]
  private var ended = 0
  private var written = 0

  init(instances: Int, contents: PromptContents, prices: ServicePrices) {
    self.contents = contents
    self.prices = prices
    workers = Array(repeating: Worker(), count: instances)
  }

  /// Time from now to the first token, and from there to the last, on each instance.
  ///
  /// - Complexity: O(instances x pieces of the prompt).
  func forecast(_ request: Request) -> [(first: Seconds, rest: Seconds)] {
    let prompt = contents.pieces(of: request)
    let outputs = ended > 0 ? Double(written) / Double(ended) : 1
    return workers.map { worker in
      let matched = min(worker.sent.matched(prompt), request.promptTokens - 1)
      let tokens = Double(worker.uncomputed + request.promptTokens - matched)
      let step = prices.step + Double(worker.requests) * prices.sequence
      return (tokens * prices.promptToken, max(0, outputs - 1) * step)
    }
  }

  /// A request is sent.
  mutating func noteSent(_ request: Request, to instance: Int) {
    let prompt = contents.pieces(of: request)
    let matched = min(workers[instance].sent.matched(prompt), request.promptTokens - 1)
    workers[instance].sent.note(prompt, at: request.arrival)
    workers[instance].uncomputed += request.promptTokens - matched
    workers[instance].requests += 1
    active[request.id] = Active(
      instance: instance, uncomputed: request.promptTokens - matched, outputs: request.outputTokens)
  }

  /// The first token is out: the prompt is computed.
  mutating func noteFirstToken(of request: Int) {
    guard let one = active[request] else { return }
    workers[one.instance].uncomputed -= one.uncomputed
    active[request]?.uncomputed = 0
  }

  /// The request has ended: now it is known how much it wrote.
  mutating func noteEnd(of request: Int) {
    noteFirstToken(of: request)
    guard let one = active.removeValue(forKey: request) else { return }
    workers[one.instance].requests -= 1
    ended += 1
    written += one.outputs
  }
}
