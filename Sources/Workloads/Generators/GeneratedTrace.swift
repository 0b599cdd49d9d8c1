import Glibc
import Serving
import Statistics

/// Requests whose prompts share their beginnings, made by a rule instead of recorded.
///
/// A prompt is a row of blocks of ``blockTokens`` tokens; equal numbers mean equal prompts up to the block's end. The last block of a
/// prompt may be partly filled; its number is its own.
public struct GeneratedTrace: Sendable {
  /// One request.
  public struct Row: Sendable, Hashable {
    /// When it arrives.
    public var arrival: Seconds
    /// Tokens of its prompt.
    public var promptTokens: Tokens
    /// Tokens of its output.
    public var outputTokens: Tokens
    /// The blocks of its prompt.
    public var blocks: [Int]
  }

  /// Tokens of a block.
  public let blockTokens: Tokens
  /// The requests in order of arrival, the first one at 0.
  public private(set) var rows: [Row] = []
  /// Numbers of blocks that are taken.
  private var used = 0

  init(blockTokens: Tokens) { self.blockTokens = blockTokens }

  /// A number that no block has.
  mutating func newBlock() -> Int {
    used += 1
    return used - 1
  }

  /// Numbers that no block has.
  mutating func newBlocks(_ count: Int) -> [Int] { (0..<count).map { _ in newBlock() } }

  /// Adds a request whose prompt begins with whole blocks, and goes on with tokens of its own.
  ///
  /// - Returns: its whole blocks, with which a later prompt can begin.
  @discardableResult
  mutating func add(arrival: Seconds, begins shared: [Int], prompt: Tokens, output: Tokens) -> [Int] {
    let whole = shared + newBlocks(max(0, prompt / blockTokens - shared.count))
    let rest = prompt % blockTokens > 0 ? [newBlock()] : []
    rows.append(Row(arrival: arrival, promptTokens: prompt, outputTokens: output, blocks: whole + rest))
    return whole
  }

  /// Puts the requests in order of arrival, those of one moment as they were made; keeps so many, and begins at 0.
  mutating func finish(count: Int) {
    let order = rows.indices.sorted { (rows[$0].arrival, $0) < (rows[$1].arrival, $1) }
    rows = order.prefix(count).map { rows[$0] }
    let start = rows.first?.arrival ?? 0
    for place in rows.indices { rows[place].arrival -= start }
  }

  /// Prompt tokens of whole blocks that an earlier prompt begins with, too: what an endless prefix cache would find.
  public var repeatedTokens: Tokens {
    var (seen, tokens) = (Set<Int>(), 0)
    for row in rows { for block in row.blocks where !seen.insert(block).inserted { tokens += blockTokens } }
    return tokens
  }

  /// A request in Mooncake's format; its moment in milliseconds.
  public func line(ofRow place: Int) -> String {
    let row = rows[place]
    let blocks = row.blocks.map(String.init).joined(separator: ", ")
    let time = (row.arrival * 1000).rounded()
    return "{\"timestamp\": \(Int(time)), \"input_length\": \(row.promptTokens), "
      + "\"output_length\": \(row.outputTokens), \"hash_ids\": [\(blocks)]}"
  }
}

/// Draws that generators share.
extension SplitMix64 {
  /// A number of the exponential distribution with mean 1.
  mutating func exponential() -> Double { -log1p(-uniform()) }

  /// A whole length of a log-normal distribution with a mean; all equal without a spread.
  ///
  /// - Parameters:
  ///   - mean: of the distribution.
  ///   - sigma: deviation of the logarithm.
  /// - Returns: a length from 1 to 100 times the mean.
  mutating func length(mean: Tokens, sigma: Double) -> Tokens {
    guard sigma > 0 else { return mean }
    let factor = exp(sigma * normal() - sigma * sigma / 2)
    return max(1, Int((Double(mean) * min(factor, 100)).rounded()))
  }

  /// A number of the standard normal distribution, by Box and Muller's method.
  mutating func normal() -> Double {
    let radius = (2 * exponential()).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}
