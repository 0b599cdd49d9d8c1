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
    /// Whether ``batchedTokens`` is the size of the pieces that it cuts prompts into.
    var cutsPrompts: @Sendable (PolicyValues) -> Bool = { _ in false }
    /// Whether it plans the micro-batches of a pipeline: those that look at all that run do not.
    public internal(set) var runsInPipelines = true
    /// Makes the policy from values of all parameters.
    let make: @Sendable (PolicyValues) -> any Scheduler
  }

  /// What defaults may depend on.
  public struct Facts: Sendable, Hashable {
    /// Layers of the model.
    public let layers: Int
    /// The longest sequence that is served.
    public let maxModelLength: Tokens
    /// Tokens in an iteration that the engine allows by default; 0 where it says nothing.
    public let batchedTokens: Tokens
  }

  /// A parameter of a policy.
  public struct Parameter: Sendable {
    /// What values it takes.
    public enum Kind: Sendable, Hashable {
      /// A positive whole number.
      case count
      /// A whole number, 0 among them.
      case countOrNone
      /// A positive time in milliseconds.
      case milliseconds
      /// One of several words.
      case word([String])
    }

    /// Its name within the brackets.
    public let name: String
    /// What it means, in a line.
    public let summary: String
    /// What values it takes.
    public let kind: Kind
    /// Its default.
    let fallback: @Sendable (Facts) -> PolicyValue

    /// The words that it takes; empty if it takes none.
    public var words: [String] { if case .word(let words) = kind { words } else { [] } }

    /// A positive whole number.
    static func count(
      _ name: String, _ summary: String, default fallback: @escaping @Sendable (Facts) -> Int
    ) -> Parameter {
      Parameter(name: name, summary: summary, kind: .count) { .count(fallback($0)) }
    }

    /// A whole number that is 0 by default.
    static func countOrNone(_ name: String, _ summary: String) -> Parameter {
      Parameter(name: name, summary: summary, kind: .countOrNone) { _ in .count(0) }
    }

    /// A positive time.
    static func milliseconds(_ name: String, _ summary: String, default fallback: Double) -> Parameter {
      Parameter(name: name, summary: summary, kind: .milliseconds) { _ in .milliseconds(fallback) }
    }

    /// One of several words, of which the default comes first or is named.
    static func word(
      _ name: String, _ summary: String, _ words: [String], default fallback: String
    ) -> Parameter {
      Parameter(name: name, summary: summary, kind: .word(words)) { _ in .word(fallback) }
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
        .count("budget", "tokens in an iteration") { $0.batchedTokens > 0 ? $0.batchedTokens : 8192 },
        .word(
          "decodes", "whether decode tokens count against the budget", ["free", "count"], default: "count"),
      ],
      batchedTokens: "budget", cutsPrompts: { _ in true },
      make: { ChunkedPrefill(budget: $0.count("budget"), decodesCount: $0.word("decodes") == "count") }),
    Entry(
      name: "layered", summary: "prompts pass one group of layers an iteration; decode goes on (2510.08055)",
      parameters: [
        .count("stages", "most groups of layers") { defaultStages(layers: $0.layers) },
        .count("cohort", "most prompt tokens in a pass") { _ in 8192 },
        .word(
          "groups",
          "groups of a pass: tiers (reference engine), paper (tokens / 512), or cost (tiers, of equal times)",
          LayeredPrefill.Grouping.allCases.map(\.rawValue), default: LayeredPrefill.Grouping.tiers.rawValue),
      ],
      batchedTokens: "cohort",
      make: {
        LayeredPrefill(
          cohort: $0.count("cohort"), stages: $0.count("stages"),
          grouping: LayeredPrefill.Grouping(rawValue: $0.word("groups")) ?? .tiers)
      }),
    Entry(
      name: "memory-centric",
      summary: "decode first, then prompt chunks as long as KV memory lasts, for batches (BatchLLM)",
      parameters: [
        .count("budget", "tokens in an iteration") { _ in 8192 },
        .count("percent", "of KV memory that may be used for another prompt to begin") { _ in 95 },
      ],
      batchedTokens: "budget", cutsPrompts: { _ in true },
      make: { MemoryCentricBatching(budget: $0.count("budget"), percent: $0.count("percent")) }),
    Entry(
      name: "hybrid", summary: "chunks of prompts pass one group of layers an iteration",
      parameters: [
        .count("chunk", "most prompt tokens in a pass") { _ in 2048 },
        .count("stages", "groups of layers") { min(4, $0.layers) },
      ],
      batchedTokens: "chunk", cutsPrompts: { _ in true },
      make: { HybridPrefill(chunk: $0.count("chunk"), groups: $0.count("stages")) }),
    Entry(
      name: "deadline",
      summary: "decode first, then as much of a prompt as a limit on the gap between tokens allows",
      parameters: [
        .milliseconds("tbt", "longest gap between two tokens, in ms", default: 50),
        .count("budget", "most prompt tokens in an iteration") { _ in 8192 },
      ],
      batchedTokens: "budget",
      make: { DeadlinePrefill(longestGap: $0.seconds("tbt"), budget: $0.count("budget")) }),
    Entry(
      name: "paced",
      summary: "layered prefill in as few groups as a limit on the gap between tokens allows",
      parameters: [
        .milliseconds("tbt", "longest gap between two tokens, in ms", default: 50),
        .count("cohort", "most prompt tokens in a pass") { _ in 8192 },
        .count("stages", "most groups of layers") { defaultStages(layers: $0.layers) },
      ],
      batchedTokens: "cohort",
      make: {
        PacedLayeredPrefill(
          longestGap: $0.seconds("tbt"), cohort: $0.count("cohort"), stages: $0.count("stages"))
      }),
    Entry(
      name: "shortest", summary: "chunked prefill that admits the shortest waiting prompt first, with ageing",
      parameters: [
        .count("budget", "tokens in an iteration") { _ in 2048 },
        .count("ageing", "tokens that a prompt counts for less after each second of waiting") { _ in 1000 },
      ],
      batchedTokens: "budget", cutsPrompts: { _ in true },
      make: { ShortestPrefill(budget: $0.count("budget"), ageing: Double($0.count("ageing"))) }),
    Entry(
      name: "edf", summary: "chunked prefill that admits the prompt first whose first token is due first",
      parameters: [
        .count("budget", "tokens in an iteration") { _ in 2048 },
        .milliseconds(
          "patience", "time to first token of requests that ask for none, in ms", default: 10_000),
      ],
      batchedTokens: "budget", cutsPrompts: { _ in true },
      make: { EarliestDeadlinePrefill(budget: $0.count("budget"), patience: $0.seconds("patience")) }),
    Entry(
      name: "fair", summary: "chunked prefill that admits the tenant (class) first that was served least",
      parameters: [.count("budget", "tokens in an iteration") { _ in 2048 }],
      batchedTokens: "budget", cutsPrompts: { _ in true }, make: { FairPrefill(budget: $0.count("budget")) }),
    Entry(
      name: "orca", summary: "whole prompts first, then decode, in one iteration (Orca)",
      parameters: [.count("budget", "prompt tokens in an iteration") { $0.maxModelLength }],
      batchedTokens: "budget",
      make: { OrcaBatching(budget: $0.count("budget")) }),
    Entry(
      name: "vllm", summary: "everybody in order of admission within a token budget, as vLLM's scheduler",
      parameters: [
        .count("budget", "tokens in an iteration") { _ in 8192 },
        .countOrNone("long", "most tokens of one prompt while there are others; 0 for no limit"),
        .word(
          "adaptive", "whether that limit grows where few requests share the budget", ["no", "yes"],
          default: "no"),
      ],
      batchedTokens: "budget", cutsPrompts: { _ in true },
      make: {
        VLLMScheduling(
          budget: $0.count("budget"), longPrompt: $0.count("long"), isAdaptive: $0.word("adaptive") == "yes")
      }),
    Entry(
      name: "sglang",
      summary: "prompts first, then decode, with an estimate of outputs, as SGLang's scheduler",
      parameters: [
        .count("budget", "prompt tokens in an iteration (chunked_prefill_size)") { _ in 8192 },
        .count("prefill", "tokens of prompts admitted in an iteration (max_prefill_tokens)") { _ in 16_384 },
        .count("share", "percent of the outputs' limits that is reserved at first") { _ in 70 },
        .word(
          "ratio", "whether that share falls with decode steps, or stays", ["falls", "stays"],
          default: "falls"),
        .count("longest", "most tokens that an output counts for") { _ in 4096 },
        .count("receive", "decode steps between two looks for new requests (scheduler_recv_interval)") { _ in
          1
        },
      ],
      batchedTokens: "budget", cutsPrompts: { _ in true },
      runsInPipelines: false,
      make: {
        SGLangScheduling(
          chunk: $0.count("budget"), prefillTokens: $0.count("prefill"),
          share: Double($0.count("share")) / 100,
          isFixed: $0.word("ratio") == "stays", longestOutput: $0.count("longest"),
          receiveInterval: $0.count("receive"))
      }),
    Entry(
      name: "trtllm",
      summary: "decode, then whole prompts that can never lose memory, as TensorRT-LLM's batching",
      parameters: [
        .count("budget", "tokens in an iteration (max_num_tokens)") { _ in 8192 },
        .word("chunks", "whether prompts may be cut (enable_chunked_prefill)", ["no", "yes"], default: "no"),
        .word(
          "capacity", "no-evict: room for whole outputs; utilisation: for prompts",
          ["no-evict", "utilisation"], default: "no-evict"),
      ],
      batchedTokens: "budget", cutsPrompts: { $0.word("chunks") == "yes" },
      runsInPipelines: false,
      make: {
        TRTLLMScheduling(
          budget: $0.count("budget"), isChunked: $0.word("chunks") == "yes",
          evicts: $0.word("capacity") == "utilisation")
      }),
    Entry(
      name: "static", summary: "run-to-completion batches: none joins until all have finished",
      parameters: [
        .count("batch", "requests in a batch") { _ in 32 },
        .count("budget", "prompt tokens in an iteration, or a single longer prompt") { _ in 8192 },
      ],
      batchedTokens: "budget",
      make: { StaticBatching(batch: $0.count("batch"), budget: $0.count("budget")) }),
  ]
}
