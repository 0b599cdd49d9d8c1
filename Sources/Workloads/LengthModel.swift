import Serving
import Statistics

/// A joint distribution of prompt and output lengths, made from real traffic.
///
/// Each length has a table of quantiles. What ties them together is a checkerboard: the mass of each combination
/// of a prompt's rank and an output's rank, on a coarse grid, uniform within a field. A field is drawn, then
/// both ranks in it, and the tables turn ranks into tokens.
public struct LengthModel: Sendable {
  /// The lengths of one request, in tokens.
  public struct Lengths: Sendable, Hashable {
    /// Prompt length; at least 1.
    public var prompt: Tokens
    /// Output length; at least 1.
    public var output: Tokens
  }

  /// The schema that its files name.
  public static let schema = "llm-length-model/1"

  /// Its name, as its file gives it.
  public let name: String
  /// What it describes, in a sentence.
  public let title: String
  /// Where its numbers come from.
  public let source: String
  /// The tokenizer that its tokens were counted with.
  public let tokenizer: String
  /// SHA-256 of its file.
  public let digest: String
  /// The greatest sum of prompt and output that is drawn; longer pairs are drawn anew.
  public let maxTotal: Tokens?
  /// Mean prompt length of what is drawn, in tokens.
  public let meanPromptTokens: Double
  /// Mean output length of what is drawn, in tokens.
  public let meanOutputTokens: Double
  /// The greatest sum of prompt and output that can be drawn.
  public let longestRequest: Tokens

  private let side: Int
  private let fields: AliasTable
  private let prompts: QuantileTable
  private let outputs: QuantileTable
  private let limit: Int

  /// Reads a model from JSON; `digest` is that of the whole file.
  init(parsing bytes: [UInt8], digest: String, file: String) throws(WorkloadError) {
    let content = try LengthModelFile(parsing: bytes, file: file)
    name = content.name
    title = content.title ?? content.name
    source = content.source ?? "unknown"
    tokenizer = content.tokenizer ?? "unknown"
    self.digest = digest
    maxTotal = content.maxTotal
    limit = content.maxTotal ?? .max
    side = content.side
    let mass = content.mass.flatMap(\.self)
    fields = AliasTable(weights: mass)
    let isLogarithmic = content.interpolation == "log"
    prompts = QuantileTable(
      probabilities: content.prompt.p.map { $0 / 100 }, quantiles: content.prompt.q,
      isLogarithmic: isLogarithmic)
    outputs = QuantileTable(
      probabilities: content.output.p.map { $0 / 100 }, quantiles: content.output.q,
      isLogarithmic: isLogarithmic)
    let means = Self.means(prompts, outputs, mass: mass, side: side, limit: limit)
    guard means.accepted >= 0.01 else {
      throw .invalidModel(
        file: file, field: "max_total",
        expected: "a number of tokens that at least 1 in 100 requests stays below")
    }
    meanPromptTokens = means.prompt
    meanOutputTokens = means.output
    longestRequest = min(
      limit, Self.tokens(prompts.quantile(1.0.nextDown)) + Self.tokens(outputs.quantile(1.0.nextDown)))
  }

  /// Draws the lengths of a request.
  ///
  /// - Complexity: O(1), three random numbers for each try; pairs beyond `maxTotal` cost another try.
  public func sample(using random: inout SplitMix64) -> Lengths {
    while true {
      let (row, column) = fields.sample(using: &random).quotientAndRemainder(dividingBy: side)
      let promptRank = (Double(row) + random.uniform()) / Double(side)
      let outputRank = (Double(column) + random.uniform()) / Double(side)
      let prompt = Self.tokens(prompts.quantile(min(promptRank, 1.0.nextDown)))
      let output = Self.tokens(outputs.quantile(min(outputRank, 1.0.nextDown)))
      if prompt + output <= limit { return Lengths(prompt: prompt, output: output) }
    }
  }

  /// A real length rounded to tokens.
  @inline(__always)
  private static func tokens(_ length: Double) -> Tokens { max(1, Int(length + 0.5)) }

  /// The share of pairs within the limit and their mean lengths, by the midpoint rule on a fine grid of ranks.
  ///
  /// - Complexity: O(*side p*) for *p* = 10,000 ranks of each length.
  private static func means(
    _ prompts: QuantileTable, _ outputs: QuantileTable, mass: [Double], side: Int, limit: Int
  ) -> (accepted: Double, prompt: Double, output: Double) {
    let points = max(1, 10_000 / side)
    let ranks = (0..<side * points).map { (Double($0) + 0.5) / Double(side * points) }
    let outputLengths = ranks.map { tokens(outputs.quantile($0)) }
    var outputsBefore = [0]
    for output in outputLengths { outputsBefore.append(outputsBefore[outputsBefore.count - 1] + output) }

    var sum = (weight: 0.0, prompt: 0.0, output: 0.0)
    var accepted = ranks.count  // Outputs that fit beside the prompt: ever fewer, as prompts rise.
    for (index, rank) in ranks.enumerated() {
      let prompt = tokens(prompts.quantile(rank))
      while accepted > 0, prompt + outputLengths[accepted - 1] > limit { accepted -= 1 }
      for column in 0..<side {
        let begin = column * points
        let end = min(begin + points, max(begin, accepted))
        let weight = mass[index / points * side + column]
        sum.weight += weight * Double(end - begin)
        sum.prompt += weight * Double(end - begin) * Double(prompt)
        sum.output += weight * Double(outputsBefore[end] - outputsBefore[begin])
      }
    }
    let total = mass.reduce(0, +) * Double(points * points)
    return (sum.weight / total, sum.prompt / sum.weight, sum.output / sum.weight)
  }
}
