import Serving

/// The policies by name.
///
/// A new one is listed here, and every command and every property test knows it.
public enum PolicyCatalog {
  /// A policy's entry.
  public struct Entry: Sendable {
    /// What `--policy` calls it.
    public let name: String
    /// What it does, in a line.
    public let summary: String
    /// Its parameters.
    public let parameters: [Parameter]
    /// The parameter that `--max-num-batched-tokens` sets.
    public let batchedTokens: String
    /// Makes the policy; a parameter that is not set has its default.
    let make: @Sendable (_ values: [String: Int]) -> any Scheduler
  }

  /// A parameter of a policy: a positive number, or one of several words.
  public struct Parameter: Sendable {
    /// Its name within the brackets.
    public let name: String
    /// What it means, in a line.
    public let summary: String
    /// Words for the values 0, 1, ...; empty for a number.
    public let words: [String]
    /// Its default for a model of so many layers that takes sequences of so many tokens.
    let fallback: @Sendable (_ layers: Int, _ maxModelLength: Tokens) -> Int

    init(
      _ name: String, _ summary: String, words: [String] = [],
      default fallback: @escaping @Sendable (_ layers: Int, _ maxModelLength: Tokens) -> Int
    ) {
      self.name = name
      self.summary = summary
      self.words = words
      self.fallback = fallback
    }
  }

  /// Most groups of layers, at most 16, that divide the layers evenly: 16 for 48 layers, 12 for 24.
  static func defaultStages(layers: Int) -> Int {
    (1...min(16, max(layers, 1))).last { layers % $0 == 0 } ?? 1
  }

  /// All policies.
  public static let entries: [Entry] = [
    Entry(
      name: "chunked", summary: "decode first, then prompt chunks within a token budget (Sarathi-Serve)",
      parameters: [
        Parameter("budget", "tokens in an iteration") { _, _ in 512 },
        Parameter("decodes", "whether decode tokens count against the budget", words: ["free", "count"]) {
          _, _ in 1
        },
      ],
      batchedTokens: "budget",
      make: { ChunkedPrefill(budget: $0["budget", default: 512], decodesCount: $0["decodes"] != 0) }),
    Entry(
      name: "layered", summary: "prompts pass one group of layers an iteration; decode goes on (2510.08055)",
      parameters: [
        Parameter("stages", "most groups of layers") { layers, _ in defaultStages(layers: layers) },
        Parameter("cohort", "most prompt tokens in a pass") { _, _ in 8192 },
        Parameter(
          "groups", "groups of a pass: tiers (reference engine) or paper (tokens / 512)",
          words: LayeredPrefill.Grouping.allCases.map(\.rawValue)
        ) { _, _ in 0 },
      ],
      batchedTokens: "cohort",
      make: {
        LayeredPrefill(
          cohort: $0["cohort", default: 8192], stages: $0["stages", default: 16],
          grouping: LayeredPrefill.Grouping.allCases[$0["groups", default: 0]])
      }),
    Entry(
      name: "hybrid", summary: "chunks of prompts pass one group of layers an iteration",
      parameters: [
        Parameter("chunk", "most prompt tokens in a pass") { _, _ in 2048 },
        Parameter("stages", "groups of layers") { layers, _ in min(4, layers) },
      ],
      batchedTokens: "chunk",
      make: { HybridPrefill(chunk: $0["chunk", default: 2048], groups: $0["stages", default: 4]) }),
    Entry(
      name: "orca", summary: "whole prompts first, then decode, in one iteration (Orca)",
      parameters: [Parameter("budget", "prompt tokens in an iteration") { _, length in length }],
      batchedTokens: "budget",
      make: { OrcaBatching(budget: $0["budget", default: 32768]) }),
    Entry(
      name: "static", summary: "run-to-completion batches: nobody joins until all have finished",
      parameters: [
        Parameter("batch", "requests in a batch") { _, _ in 32 },
        Parameter("budget", "prompt tokens in an iteration, or a single longer prompt") { _, _ in 8192 },
      ],
      batchedTokens: "budget",
      make: { StaticBatching(batch: $0["batch", default: 32], budget: $0["budget", default: 8192]) }),
  ]
}
