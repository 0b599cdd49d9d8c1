/// What a policy sees and acts on: the queue, the prompts under way, the decoding sequences, and KV memory.
///
/// The state of decoding is kept in running sums, so that an iteration costs the same for 10 and for 250 sequences;
/// see `ServingState+Decoding.swift`.
public struct ServingState: Sendable {
  /// Number of transformer layers of the model.
  public let layers: Int
  /// Most sequences, decoding and prefilling, that an iteration may work on.
  public let maxSequences: Int
  /// Tokens in a block of KV memory.
  public let blockSize: Int
  /// Blocks of KV memory in all.
  public let totalBlocks: Int
  /// Blocks of KV memory that nobody holds.
  public internal(set) var freeBlocks: Int
  /// Simulated time.
  public internal(set) var now: Seconds = 0

  // Every request in the system has an entry, at the same index until it leaves.
  var sequences: [SequenceState] = []
  var freeIndices: [SequenceIndex] = []

  /// Requests that wait: those preempted, last one first, then those that never ran, in order of arrival.
  var preempted: [SequenceIndex] = []
  var arrived: [SequenceIndex] = []
  var arrivedHead = 0

  /// Admitted prompts with tokens to prefill, in order of admission.
  var admitted: [SequenceIndex] = []
  /// Prompts that a plan has just completed.
  var finishing: [SequenceIndex] = []

  var decoding: DecodingState
  /// Index of the iteration that is being planned or runs.
  var iteration: Int64 = 0
  /// What has happened since the recorder was last told.
  var news = News()

  init(layers: Int, maxSequences: Int, blockSize: Int, blocks: Int, window: Tokens?, longestOutput: Tokens) {
    self.layers = layers
    self.maxSequences = maxSequences
    self.blockSize = blockSize
    totalBlocks = blocks
    freeBlocks = blocks
    decoding = DecodingState(blockSize: blockSize, window: window, longestOutput: longestOutput)
  }

  /// Number of decoding sequences.
  public var decodingCount: Int { decoding.stepping + decoding.parked }

  /// Number of requests that wait for admission.
  public var waitingCount: Int { preempted.count + arrived.count - arrivedHead }

  /// Number of admitted prompts that are not yet through the model.
  public var prefillingCount: Int { admitted.count }

  /// An admitted prompt; 0 is the one that was admitted first.
  public func prefilling(_ position: Int) -> Prompt { prompt(admitted[position]) }

  /// The request at the head of the queue: preempted ones first, then in order of arrival.
  public var nextWaiting: Prompt? { nextWaitingIndex.map { prompt($0) } }

  /// Blocks that hold a number of tokens.
  public func blocks(for tokens: Tokens) -> Int { (tokens + blockSize - 1) / blockSize }

  func prompt(_ index: SequenceIndex) -> Prompt {
    let sequence = sequences[Int(index)]
    return Prompt(
      handle: Int(index), arrival: sequence.record.request.arrival, tokens: Int(sequence.prefillTokens),
      done: Int(sequence.done))
  }
}
