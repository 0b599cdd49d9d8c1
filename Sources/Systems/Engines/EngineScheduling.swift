/// How an engine looks after its requests and its memory, and what it does by default.
///
/// Neutral values are those of the reference engine.
public struct EngineScheduling: Sendable, Hashable {
  /// The policy that runs unless another one is asked for.
  public var policy = "chunked"
  /// Most tokens in an iteration by default; 0 for the policy's own default.
  public var batchedTokens = 0
  /// Most sequences in an iteration by default.
  public var maxSequences = 256
  /// The share of GPU memory that it uses by default.
  public var memoryShare = 0.85
  /// `entry`: those that run are served in the order in which they began to decode, `admission`: in that of their admission.
  public var order = "entry"
  /// Which of those that run loses its memory first: `last` by their order, or the one with the `fewest-outputs`.
  public var victim = "last"
  /// `fcfs`: requests wait in order of arrival, `priority`: by priority, and the largest one is preempted first.
  public var queue = "fcfs"
  /// Steps that may be planned and not yet ended.
  public var stepsInFlight = 1
  /// Whether a pipeline sees requests that come in while steps are in flight.
  public var seesArrivals = true
  /// Whether a prompt is admitted only if the whole of it fits, although its memory is taken chunk by chunk.
  public var reservesWholePrompt = true
  /// Share of the blocks that an admission leaves free, unless nobody runs.
  public var watermark = 0.0
  /// Blocks of KV memory that nobody can use.
  public var nullBlocks = 0
  /// Whether layers with a sliding window have blocks of their own.
  public var groupsLayersByWindow = false
  /// Whether prompts with the same beginning share its blocks by default.
  public var cachesPrefixes = false
  /// Whether blocks without content are taken before all others.
  public var takesBlankFirst = true
  /// Time that a request spends outside the GPU loop whatever its length, in milliseconds: API server and detokenising.
  public var outsideMilliseconds = 0.0
  /// Time that a token of a prompt occupies the API server, in microseconds: it tokenises one prompt after another.
  public var outsideTokenMicroseconds = 0.0
  /// Tokens with which the first one of an answer reaches the client.
  public var firstChunkTokens = 1

  /// Creates the reference engine's rules.
  public init() {}

  /// Every setting, in the order of help texts.
  static let settings: [Setting<EngineDescription>] = [
    Setting(
      "scheduling.policy", isLate: true, .word(\.scheduling.policy, []), "The policy that runs by default."),
    Setting(
      "scheduling.batched_tokens", unit: "tokens", isLate: true,
      .integer(\.scheduling.batchedTokens, 0...1 << 30),
      "Most tokens in an iteration by default; 0 for the policy's own default."),
    Setting(
      "scheduling.max_sequences", isLate: true, .integer(\.scheduling.maxSequences, 1...1 << 20),
      "Most sequences in an iteration by default."),
    Setting(
      "scheduling.memory_share", isLate: true, .number(\.scheduling.memoryShare, 1e-6...1),
      "Share of GPU memory that it uses by default."),
    Setting(
      "scheduling.order", isLate: true, .word(\.scheduling.order, ["entry", "admission"]),
      "Order in which those that run are served and preempted: as they began to decode, or as they were admitted."
    ),
    Setting(
      "scheduling.victim", isLate: true, .word(\.scheduling.victim, ["last", "fewest-outputs"]),
      "Which of those that run loses its memory first: the last by their order, or the one that has written least."
    ),
    Setting(
      "scheduling.queue", isLate: true, .word(\.scheduling.queue, ["fcfs", "priority"]),
      "Order in which requests wait: by arrival, or by priority."),
    Setting(
      "scheduling.steps_in_flight", isLate: true, .integer(\.scheduling.stepsInFlight, 1...2),
      "Steps that may be planned and not yet ended: 2 where the host prepares one while another runs."),
    Setting(
      "scheduling.sees_arrivals", isLate: true, .flag(\.scheduling.seesArrivals),
      "Whether a pipeline with room for another step plans it as a request comes in; vLLM waits for the oldest step to end."
    ),
    Setting(
      "scheduling.reserves_whole_prompt", isLate: true, .flag(\.scheduling.reservesWholePrompt),
      "Whether the whole of a prompt must fit for its first chunk to be admitted."),
    Setting(
      "scheduling.watermark", isLate: true, .number(\.scheduling.watermark, 0...1),
      "Share of the KV blocks that an admission leaves free, unless nobody runs."),
    Setting(
      "scheduling.null_blocks", isLate: true, .integer(\.scheduling.nullBlocks, 0...1),
      "KV blocks that nobody can use."),
    Setting(
      "cache.prefixes", isLate: true, .flag(\.scheduling.cachesPrefixes),
      "Whether prompts with the same beginning share its KV blocks by default."),
    Setting(
      "cache.blank_first", isLate: true, .flag(\.scheduling.takesBlankFirst),
      "Whether blocks without content are taken before all others, or as they were released."),
    Setting(
      "cache.groups_by_window", isLate: true, .flag(\.scheduling.groupsLayersByWindow),
      "Whether layers with a sliding window have KV blocks of their own, which are freed behind the window."),
    Setting(
      "host.outside_ms", unit: "ms", isLate: true, .number(\.scheduling.outsideMilliseconds, .milliseconds),
      "Time of a request outside the GPU loop (HTTP, detokeniser): it delays the request and occupies nothing."
    ),
    Setting(
      "host.outside_token_us", unit: "us", isLate: true,
      .number(\.scheduling.outsideTokenMicroseconds, .microseconds),
      "Time that a token of a prompt occupies the API server, which tokenises one prompt after another."),
    Setting(
      "scheduling.first_chunk_tokens", unit: "tokens", isLate: true,
      .integer(\.scheduling.firstChunkTokens, 1...1 << 20),
      "Tokens with which an answer's first one reaches the client (TensorRT-LLM's stream_interval), for TTFT and TPOT; gaps stay the server's."
    ),
  ]
}
