import Glibc
import Serving
import Statistics

/// Questions about documents, as retrieval makes them: a system prompt, some documents, and a question of its own.
///
/// Documents are chosen by Zipf's law. An endless cache finds the system prompt and the documents up to the first one that no
/// earlier prompt had at this place behind the same others; with `documents` 1 all but the first use of each. Without a system prompt and
/// with one document it is vLLM's `prefix_repetition`.
public struct PrefixGenerator: Sendable {
  /// Requests a second.
  public var rate = 1.0
  /// Tokens of the system prompt.
  public var system: Tokens = 512
  /// How many documents there are.
  public var library = 1000
  /// Documents in a prompt; all different.
  public var documents = 4
  /// Tokens of a document.
  public var document: Tokens = 512
  /// How much more often the first documents are chosen: the k-th as 1 / k to this power; 0 for all alike.
  public var zipf = 1.0
  /// Whether a prompt has its documents in one order, whatever their rank, so that more beginnings are equal.
  public var isSorted = false
  /// Mean tokens of a question.
  public var question: Tokens = 100
  /// Mean tokens of an answer.
  public var output: Tokens = 200
  /// Deviation of the logarithm of these two; 0 makes them all the same.
  public var sigma = 0.8
  /// Tokens of a block; system prompt and documents are rounded up to whole ones.
  public var blockTokens: Tokens = 64

  /// Creates the usual questions.
  public init() {}

  /// Makes requests.
  ///
  /// - Parameters:
  ///   - count: how many; at least 1.
  ///   - seed: any number.
  /// - Returns: the requests.
  /// - Complexity: O(blocks of all prompts).
  public func trace(count: Int, seed: UInt64) -> GeneratedTrace {
    precondition(documents <= library, "a prompt has different documents")
    var random = SplitMix64(seed: seed, purpose: "documents")
    var trace = GeneratedTrace(blockTokens: blockTokens)
    let shared = trace.newBlocks(blocks(system))
    // What documents lie behind decides about their blocks: a tree of prompts' beginnings.
    var known: [[Int]: [Int]] = [:]
    let weights = cumulativeWeights
    var now: Seconds = 0
    for _ in 0..<count {
      var chosen: [Int] = []
      while chosen.count < documents {
        let one = pick(weights, &random)
        if !chosen.contains(one) { chosen.append(one) }
      }
      if isSorted { chosen.sort() }
      var begins = shared
      for place in chosen.indices {
        let path = Array(chosen[...place])
        if known[path] == nil { known[path] = trace.newBlocks(blocks(document)) }
        begins += known[path] ?? []
      }
      let prompt = begins.count * blockTokens + random.length(mean: question, sigma: sigma)
      trace.add(
        arrival: now, begins: begins, prompt: prompt, output: random.length(mean: output, sigma: sigma))
      now += random.exponential() / rate
    }
    trace.finish(count: count)
    return trace
  }

  private func blocks(_ tokens: Tokens) -> Int { (tokens + blockTokens - 1) / blockTokens }

  private var cumulativeWeights: [Double] {
    var sum = 0.0
    return (1...library).map { rank in
      sum += pow(Double(rank), -zipf)
      return sum
    }
  }

  /// A document by its weight, by bisection.
  private func pick(_ weights: [Double], _ random: inout SplitMix64) -> Int {
    let mark = random.uniform() * weights[weights.count - 1]
    var (low, high) = (0, weights.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if weights[middle] > mark { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
