/// What a policy sees of an instance: the queue, the prompts under way, the decoding sequences, and KV memory.
///
/// It is the instance's own state, lent out. The state of decoding is kept in running sums, so that a step costs the
/// same for 10 and for 250 sequences; see ``DecodingSet``.
public struct InstanceView {
  /// Number of transformer layers of the model.
  public let layers: Int
  /// Most sequences, decoding and prefilling, that a step may work on.
  public internal(set) var maxSequences: Int
  /// How the engine looks after requests and memory.
  public let rules: EngineRules
  /// KV memory.
  public internal(set) var memory: KVMemory
  /// Blocks that an admission leaves free, unless nobody runs.
  let reservedBlocks: Int
  /// What memory contains; `nil` where nothing is kept.
  var cache: PrefixCache?
  /// How several tokens are decoded at once; `nil` where each step writes one.
  let speculation: Speculation?
  /// How prompts thin out from layer to layer; `nil` where they do not.
  let profile: TokenProfile?
  /// How many KV entries decoding sequences keep; `nil` where they keep all.
  let retention: Retention?
  // Flags of the above: each step asks, and an optional of such a size answers slowly.
  /// Whether images are encoded as the first tile of their prompt runs.
  let encodesImages: Bool
  /// Whether there is a cache.
  let hasCache: Bool
  /// Whether there is a profile.
  let hasProfile: Bool
  /// Whether sequences are moved in the sums beyond their steps, and each is visited in each step.
  let visitsSequences: Bool
  /// The longest sequence that is served: no slots are reserved beyond.
  let longestSequence: Tokens
  /// Whether decode steps change memory by numbers of blocks alone.
  let isCounted: Bool
  /// Simulated time.
  public internal(set) var now: Seconds = 0
  /// When the last step that is planned ends; not after ``now`` unless one is in flight.
  public internal(set) var busyUntil: Seconds = 0

  // Every request in the system has an entry, in the same slot until it leaves.
  var sequences: [SequenceState] = []
  var freeSlots: [Slot] = []

  /// Requests that wait: those preempted, last one first, then those that never ran, in order of arrival.
  var queue = WaitingQueue()
  /// Admitted prompts with tokens to prefill, in order of admission.
  var admitted: [Slot] = []
  var decoding: DecodingSet
  /// Requests admitted so far.
  var admissions: Int64 = 0
  /// Sequences whose last token is on its way: they keep their place and their memory until it is read.
  var ending: [Slot] = []
  /// Decoding sequences that the last plan left out, for lack of budget.
  var leftOut: [Slot] = []
  /// Sequences that take part in no step after the one in flight; their accounts are settled when it ends.
  var departing: [Slot] = []
  /// Sequences that step again, from the step on that is planned; their accounts are opened when the one before has ended.
  var returning: [Slot] = []
  /// Whether to write down what each sequence does in each step.
  var logsRows = false
  /// Whether a step is in flight.
  var isInFlight = false
  /// Whether prompts go elsewhere once they are through the model, and whether each of their tiles is told of.
  var handsOver = false
  var tellsTiles = false
  /// Whether tiles are told of that are not through all layers.
  var tellsGroups = false
  /// Prompts that are through and whose memory is yet to be fetched.
  var sending = 0
  /// Sequences that memory is taken for and that are yet to come.
  var awaited = 0
  /// Requests that have ended, and whose memory is yet to be returned.
  var ended: [Slot] = []
  /// Whether another step was in flight when the newest one was planned.
  var hasOverlapped = false
  /// Number of the step that is planned next.
  var step: Int64 = 0
  /// What has happened since the recorder was last told.
  var news = News()
  /// Prices plans for those who ask.
  let estimator: Estimator
  // A value that holds an existential is lent by its address. Without it each policy that is asked, and each plan that looks
  // at the view, would get a copy.
  private let keepsAddress: any Sendable = ()

  init(configuration: borrowing InstanceConfiguration, longestOutput: Tokens, number: Int) {
    let costModel = configuration.costModel
    layers = costModel.layers
    maxSequences = configuration.maxSequences
    var rules = configuration.rules
    if configuration.scheduler.servesInOrder { rules.order = .byAdmission }
    self.rules = rules
    memory = configuration.memory
    cache = configuration.cache
    speculation = configuration.speculation
    profile = configuration.profile
    retention = configuration.retention
    encodesImages = configuration.encodesImages
    hasCache = configuration.cache != nil
    hasProfile = configuration.profile != nil
    visitsSequences = speculation != nil || retention != nil
    longestSequence = longestOutput
    isCounted = rules.slidingWindow == 0 && !(cache.map { $0.contents.hasOutputs } ?? false)
    reservedBlocks = Int(rules.watermark * Double(memory.totalBlocks + rules.nullBlocks))
    decoding = DecodingSet(
      blockSize: memory.blockSize, window: costModel.slidingWindow, longestOutput: longestOutput,
      width: configuration.speculation?.width ?? 1)
    decoding.missing = configuration.profile?.drops.map { _ in 0 } ?? []
    estimator = Estimator(costModel, instance: number)
  }

  /// Number of decoding sequences.
  public var decodingCount: Int { decoding.stepping + decoding.parked }

  /// Number of requests that wait for admission.
  public var waitingCount: Int { queue.count }

  /// Number of admitted prompts that are not yet through the model.
  public var prefillingCount: Int { admitted.count }

  /// Number of requests that hold memory: they prefill, decode, or wait for their last token to be read.
  public var runningCount: Int { decodingCount + prefillingCount + ending.count }

  /// Requests in the instance.
  var count: Int { sequences.count - freeSlots.count }

  /// An admitted prompt; 0 is the one that was admitted first.
  public func prefilling(_ position: Int) -> Prompt { prompt(admitted[position]) }

  /// The waiting request behind another; the first one for `nil`.
  ///
  /// - Returns: the prompt; `nil` behind the last one.
  /// - Complexity: O(1).
  public func waiting(after prompt: Prompt?) -> Prompt? {
    let slot = prompt.map { follower(of: $0.slot) } ?? queue.head
    return slot.exists ? self.prompt(slot) : nil
  }

  /// The request of a prompt, but for what only its end will tell: the output is what a predictor expects, or 0.
  public func request(of prompt: Prompt) -> Request {
    var request = sequences[prompt.slot.index].record.request
    request.outputTokens = request.expectedOutputTokens ?? 0
    return request
  }

  /// Whose a prompt is.
  public func tenant(of prompt: Prompt) -> Int { Int(sequences[prompt.slot.index].record.request.tenant) }

  /// When a prompt's first token is due by what its request asks for; `nil` if it asks for nothing.
  public func deadline(of prompt: Prompt) -> Seconds? {
    sequences[prompt.slot.index].record.request.objective?.timeToFirstToken.map { prompt.arrival + $0 }
  }

  /// The longest time since the last token of a sequence that decodes: what the next gap is at least; `nil` if none does.
  public var timeSinceLastStep: Seconds? { decoding.stepping > 0 ? now - decoding.lastStepAt : nil }

  func prompt(_ slot: Slot) -> Prompt {
    let i = slot.index
    return Prompt(
      slot: slot, arrival: sequences[i].record.request.arrival, tokens: Int(sequences[i].prefillTokens),
      done: Int(sequences[i].done), priority: sequences[i].record.request.priority)
  }

  func follower(of slot: Slot) -> Slot { sequences[slot.index].next }

  /// KV entries that a decoding sequence stores.
  func context(of slot: Slot) -> Int {
    let i = slot.index
    return sequences[i].joinContext + (sequences[i].steps ? decoding.step - sequences[i].joinStep : 0)
  }

  /// The prompt that a decoding sequence is to be computed anew with if it loses its memory now.
  func promptOnceEvicted(_ slot: Slot) -> Prompt {
    let i = slot.index
    let steps = sequences[i].steps ? decoding.step - sequences[i].joinStep : 0
    let request = sequences[i].record.request
    return Prompt(
      slot: slot, arrival: request.arrival,
      tokens: request.promptTokens + Int(sequences[i].written) + steps, done: 0, priority: request.priority)
  }

  /// Finds a place in the table.
  mutating func insert(_ sequence: SequenceState) -> Slot {
    if let slot = freeSlots.popLast() {
      sequences[slot.index] = sequence
      return slot
    }
    sequences.append(sequence)
    return Slot(sequences.count - 1)
  }

  /// Puts a request at the end of the queue.
  ///
  /// - Complexity: O(1) amortised.
  mutating func enqueue(_ request: Request) {
    wait(insert(SequenceState(request: request)), atHead: false)
  }

  /// Puts a request into the queue.
  mutating func wait(_ slot: Slot, atHead: Bool) {
    if rules.queue == .priority {
      queue.insertByPriority(slot, in: &sequences)
    } else if atHead {
      queue.prepend(slot, in: &sequences)
    } else {
      queue.append(slot, in: &sequences)
    }
  }

  /// Reports a request whose last token came at `now`, and forgets it.
  mutating func complete(_ slot: Slot) {
    sequences[slot.index].record.complete(at: now, firstChunk: rules.firstChunkTokens)
    news.requests.append(sequences[slot.index].record)
    freeSlots.append(slot)
  }
}
