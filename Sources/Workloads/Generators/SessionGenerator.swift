import Glibc
import Serving
import Statistics

/// Conversations: each prompt is all that was said before, and something new.
///
/// Sessions begin at random (Poisson). A session has a geometric number of turns; between the end of one and the next one there is
/// time to think, log-normal with a deviation of the logarithm of 0.8, after the answer has been written at ``secondsPerToken``. All
/// sessions begin with one system prompt. The rate is reached once the first sessions have come to their end. An endless cache finds all of a prompt but what is new in it, by whole blocks.
public struct SessionGenerator: Sendable {
  /// Requests a second, all sessions together.
  public var rate = 1.0
  /// Mean turns of a session.
  public var turns = 5.0
  /// Tokens of the system prompt.
  public var system: Tokens = 512
  /// Mean tokens that a turn adds to the prompt.
  public var input: Tokens = 300
  /// Mean tokens of an answer.
  public var output: Tokens = 250
  /// Deviation of the logarithm of these lengths; 0 makes them all the same.
  public var sigma = 0.8
  /// Mean time to think between two turns.
  public var think: Seconds = 30
  /// Time that an answer is taken to need for each of its tokens.
  public var secondsPerToken: Seconds = 0.02
  /// Longest prompt, at which a session ends.
  public var longest: Tokens = 32_768
  /// Tokens of a block.
  public var blockTokens: Tokens = 64

  /// Creates the usual conversations.
  public init() {}

  /// Makes requests.
  ///
  /// - Parameters:
  ///   - count: how many; at least 1.
  ///   - seed: any number.
  /// - Returns: the requests.
  /// - Complexity: O(blocks of all prompts).
  public func trace(count: Int, seed: UInt64) -> GeneratedTrace {
    var random = SplitMix64(seed: seed, purpose: "sessions")
    var trace = GeneratedTrace(blockTokens: blockTokens)
    let shared = trace.newBlocks(system / blockTokens)
    var begin: Seconds = 0
    // Sessions that begin after the last request that is kept add nothing. When that is falls with each session, so that it
    // suffices to look now and then.
    var (latest, next) = (Seconds.infinity, count)
    while begin <= latest {
      if trace.rows.count >= next {
        latest = trace.arrival(ofRank: count - 1)
        next = trace.rows.count + trace.rows.count / 8 + 1
      }
      addSession(at: begin, shared: shared, to: &trace, &random)
      begin += random.exponential() * turns / rate
    }
    trace.finish(count: count)
    return trace
  }

  private func addSession(
    at begin: Seconds, shared: [Int], to trace: inout GeneratedTrace, _ random: inout SplitMix64
  ) {
    var (now, blocks, prompt) = (begin, shared, system)
    while true {
      prompt += random.length(mean: input, sigma: sigma)
      guard prompt <= longest else { return }
      let output = random.length(mean: output, sigma: sigma)
      blocks = trace.add(arrival: now, begins: blocks, prompt: prompt, output: output)
      prompt += output
      guard random.uniform() < 1 - 1 / turns else { return }
      now += Double(output) * secondsPerToken + think * exp(0.8 * random.normal() - 0.32)
    }
  }
}

extension GeneratedTrace {
  /// The arrival that so many others come before.
  fileprivate func arrival(ofRank rank: Int) -> Seconds { rows.map(\.arrival).sorted()[rank] }
}
