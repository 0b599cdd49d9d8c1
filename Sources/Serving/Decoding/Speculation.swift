import Statistics

/// Speculative decoding: a decode step verifies drafted tokens of each sequence, and those that are accepted come out
/// together with one more.
///
/// Acceptance is data. ``rates`` are unconditional, as vLLM's `synthetic_acceptance_rates`: the share of steps that
/// accept so many drafts at least. Each request draws from a stream of its own, by what it has written so far, so that
/// all policies see the same acceptance.
public struct Speculation: Sendable, Hashable {
  /// For each drafted token the share of steps in which it and all before it are accepted: 0 to 1, not increasing.
  public let rates: [Double]
  /// Slots of KV memory that a step reserves beyond those of its own rows, for the next drafts: vLLM's lookahead.
  public let lookahead: Tokens
  /// Begins the streams of the requests.
  public let seed: UInt64

  /// Creates the rules of speculation.
  ///
  /// - Precondition: rates are from 0 to 1 and do not increase, and the lookahead is not negative.
  public init(rates: [Double], lookahead: Tokens = 0, seed: UInt64 = 0) {
    precondition(
      rates.allSatisfy { (0...1).contains($0) } && zip(rates, rates.dropFirst()).allSatisfy { $0 >= $1 }
        && lookahead >= 0, "acceptance falls from draft to draft")
    self.rates = rates
    self.lookahead = lookahead
    self.seed = seed
  }

  /// Tokens that are drafted for each sequence.
  public var drafts: Int { rates.count }

  /// Rows of each sequence in a decode step: its newest token and the drafts.
  public var width: Int { rates.count + 1 }

  /// Tokens that a sequence writes in a step, on average: 1 + Σ rates, the mean acceptance length of vLLM and SGLang.
  public var meanTokens: Double { 1 + rates.reduce(0, +) }

  /// Slots beyond that of the newest token which a decode step needs.
  var reserve: Tokens { drafts + lookahead }

  /// How many drafts of a step are accepted.
  ///
  /// - Parameters:
  ///   - request: the request's number.
  ///   - written: tokens that it has written, that of the step included.
  /// - Returns: their number.
  public func accepted(request: Int, written: Tokens) -> Tokens {
    var generator = SplitMix64(
      seed: seed, purpose: "acceptance", place: UInt64(truncatingIfNeeded: request),
      UInt64(truncatingIfNeeded: written))
    let draw = generator.uniform()
    var count = 0
    while count < rates.count, draw < rates[count] { count += 1 }
    return count
  }
}

/// Drafted tokens of a sequence that a step accepts.
struct Burst: Sendable {
  let slot: Slot
  let tokens: Tokens
}
