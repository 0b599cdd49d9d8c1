/// How a serving engine looks after its requests and its memory, whatever its policy plans.
///
/// The standard rules are those of the reference engine: one step at a time, a prompt's memory taken whole as it is
/// admitted, the youngest decoding sequence preempted where memory is short.
public struct EngineRules: Sendable, Hashable {
  /// In which order those that run are served, and which of them loses its memory first.
  public enum Order: UInt8, Sendable {
    /// In the order in which they began to decode; the youngest loses its memory.
    case byEntry
    /// In the order of their admission, half-done prompts among them; nobody is admitted in a step that preempts.
    case byAdmission
  }

  /// In which order requests wait.
  public enum Queue: UInt8, Sendable {
    /// By arrival; preempted ones come first. The last that runs is preempted first.
    case firstComeFirstServed
    /// By priority, arrival and number, preempted or not. The one with the largest priority is preempted first.
    case priority
  }

  /// Which of those that run loses its memory first, where ``order`` and ``queue`` are not to decide.
  public enum Victim: UInt8, Sendable {
    /// As the order of those that run and of those that wait says.
    case ofOrder
    /// The one that has written least, of equals the one with the longest prompt.
    case fewestOutputs
  }

  /// Which of those that run loses its memory first; another than ``Victim/ofOrder`` needs ``Order/byAdmission``.
  public var victim = Victim.ofOrder
  /// The order of those that run.
  public var order = Order.byEntry
  /// The order of those that wait.
  public var queue = Queue.firstComeFirstServed
  /// Steps that may be planned and not yet ended: 2 where the host prepares one while another runs.
  public var stepsInFlight = 1
  /// Whether a pipeline with room for another step plans it as a request comes in, instead of waiting for the oldest step to end.
  public var seesArrivalsInFlight = false
  /// Whether a prompt whose memory is taken chunk by chunk is admitted only if the whole of it would fit now.
  public var reservesWholePrompt = true
  /// Share of the blocks that an admission leaves free, unless nobody runs.
  public var watermark = 0.0
  /// Positions that the layers of a second group of blocks see, where they draw on the same memory; 0 for none.
  ///
  /// Such a group needs ``Order/byAdmission``.
  public var slidingWindow = 0
  /// Most tokens that may be computed and not yet read, for which the second group reserves blocks.
  public var tokensInFlight = 0
  /// Blocks that nobody can use.
  public var nullBlocks = 0
  /// Tokens with which the first one reaches the client, who sees it as the last of them is out, or the answer ends.
  ///
  /// The wait is taken at the request's mean time per output token.
  public var firstChunkTokens = 1

  /// Creates the standard rules.
  public init() {}

  /// Tokens of the longest prompt that can ever be admitted: what it reserves in both groups of blocks, if there are two, is
  /// no more than there is.
  public func longestPrompt(in memory: borrowing KVMemory) -> Tokens {
    guard slidingWindow > 0, reservesWholePrompt else { return .max }
    let most = memory.blocks(for: slidingWindow - 1 + tokensInFlight) + 1
    let total = memory.totalBlocks
    return (total > 2 * most ? total - most : total / 2) * memory.blockSize
  }

  /// Groups of blocks.
  var groups: Int { slidingWindow > 0 ? 2 : 1 }

  /// Blocks that some tokens of a request take beyond those that the cache has.
  func blocks(for tokens: Tokens, cached: Int, memory: borrowing KVMemory) -> Int {
    groups * max(0, memory.blocks(for: tokens) - cached)
  }

  /// Blocks that must be free for all tokens of a request beyond those that the cache has.
  func blocksToReserve(_ tokens: Tokens, cached: Int, memory: borrowing KVMemory) -> Int {
    let all = memory.blocks(for: tokens)
    guard slidingWindow > 0 else { return max(0, all - cached) }
    let most = memory.blocks(for: slidingWindow - 1 + tokensInFlight) + 1
    return max(0, all - cached) + max(0, min(all, most) - cached)
  }
}
