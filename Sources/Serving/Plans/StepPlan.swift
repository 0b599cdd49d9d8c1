/// What one step is to run: actions in their order, and tiles of prefill.
///
/// A plan is a value. Making it changes nothing; the instance checks it and applies it. The plan follows what its own
/// actions leave of KV memory and of the queue, so that a policy sees the state that its next action will meet.
public struct StepPlan: Sendable {
  /// What a plan does to the sequences of an instance.
  public enum Action: Sendable, Hashable {
    /// The oldest decoding sequences take a step; the youngest ones lose their memory first and wait anew.
    case decode(steppers: Int, victims: Int)
    /// Those that run are served in their order; ``victimSlots`` lose their memory, ``leftOut`` wait for the next step.
    case serve
    /// A waiting request is admitted, holds what the cache has of it, and takes blocks for its first tokens.
    case admit(Slot, tokens: Tokens)
    /// A tile is computed; where a cache is kept, tiles stand in order with the admissions.
    case compute(tile: Int)
  }

  /// The actions, in the order in which they are applied.
  public internal(set) var actions: [Action] = []
  /// The tiles of prefill, in the order in which they were planned.
  public private(set) var tiles: [Tile] = []
  /// Decoding sequences that take a step through every layer.
  public internal(set) var decodes = 0
  /// Decoding sequences that lose their memory.
  public internal(set) var victims = 0
  /// Blocks that are free once the actions so far are applied.
  public internal(set) var freeBlocks = 0
  /// Prompts that the plan admits, in order.
  public private(set) var admitted: [Prompt] = []
  /// Those that ``serve(_:budget:atMost:)`` takes the memory of, in order.
  public internal(set) var victimSlots: [Slot] = []
  /// How long the KV entries of prompts that it admits take to be loaded from levels below the GPU's memory.
  public private(set) var loadSeconds: Seconds = 0
  /// Decoding sequences that ``serve(_:budget:atMost:)`` has no budget for.
  public internal(set) var leftOut: [Slot] = []

  /// What ``serve(_:budget:atMost:)`` does one by one; empty if everybody gets what it is due.
  var operations: [Operation] = []
  /// What is left of the cache; unused where none is kept.
  var draft = CacheDraft()
  /// Whether a cache is kept, and how many tiles' contents the draft has.
  private var keepsCache = false
  private var tilesEntered = 0

  /// Something that serving does to a request that runs.
  enum Operation: Sendable, Hashable {
    /// It gives up the blocks of the second group that its window has passed.
    case pass(Slot)
    /// It takes the blocks of its next tokens.
    case take(Slot, tokens: Tokens)
    /// It loses its memory.
    case preempt(Slot)
  }

  /// The oldest victim that is not admitted again; younger ones follow it in the queue.
  private var nextVictim = Slot.none
  /// The first request of the queue, victims aside, that is not admitted in order.
  private var nextInQueue = Slot.none
  var hasDecoded = false
  /// Whether a prompt was admitted ahead of another.
  private var skips = false

  /// Creates an empty plan for an instance.
  public init(_ view: InstanceView) {
    begin(freeBlocks: view.memory.freeBlocks, queue: view.queue.head)
    beginDraft(view)
  }

  init() {}

  /// Whether the step would do nothing.
  public var isEmpty: Bool { decodes == 0 && tiles.isEmpty }

  /// Empties the plan.
  mutating func begin(freeBlocks: Int, queue: Slot) {
    // Mostly there is one of each or none, and removing one by one costs a fraction of removing all.
    while !actions.isEmpty { actions.removeLast() }
    while !tiles.isEmpty { tiles.removeLast() }
    while !admitted.isEmpty { admitted.removeLast() }
    decodes = 0
    victims = 0
    loadSeconds = 0
    while !victimSlots.isEmpty { victimSlots.removeLast() }
    while !leftOut.isEmpty { leftOut.removeLast() }
    while !operations.isEmpty { operations.removeLast() }
    hasDecoded = false
    skips = false
    self.freeBlocks = freeBlocks
    nextVictim = .none
    nextInQueue = queue
  }

  /// Begins to follow what the plan leaves of the cache, if one is kept.
  mutating func beginDraft(_ view: InstanceView) {
    guard let cache = view.cache else { return }
    keepsCache = true
    tilesEntered = 0
    draft.begin(cache, free: freeBlocks)
  }

  /// Becomes a plan that lets some sequences decode and nothing else, which has been applied.
  mutating func become(decodes: Int) {
    begin(freeBlocks: 0, queue: .none)
    self.decodes = decodes
  }

  /// Lets the oldest decoding sequences take a step, and plans their KV blocks.
  ///
  /// At most ``InstanceView/maxSequences`` step; the youngest beyond that wait. Where memory is short the youngest
  /// sequences lose theirs and go to the head of the queue, to be computed anew. Call it once a step at most.
  ///
  /// - Complexity: O(1), beside O(1) for each sequence that starts or ceases to step; O(decoding sequences) if
  ///   memory is short.
  public mutating func decode(_ view: InstanceView, atMost limit: Int = .max) {
    precondition(!hasDecoded, "decode steps are planned twice for a step")
    hasDecoded = true
    let count = min(limit, view.maxSequences, view.decodingCount)
    guard count > 0 else { return }
    if view.rules.order == .byAdmission {
      return serveDecoders(view, atMost: count)
    }
    let needed = view.blocksToStep(count)
    if needed <= freeBlocks {
      freeBlocks -= needed
      if view.hasCache { draft.take(needed) }
      decodes = count
    } else {
      let shortage = view.makeRoom(steppers: count, freeBlocks: freeBlocks)
      freeBlocks = shortage.freeBlocks
      decodes = shortage.steppers
      victims = shortage.victims
      nextVictim = shortage.oldestVictim
    }
    actions.append(.decode(steppers: count, victims: victims))
  }

  /// The request at the head of the queue, if the plan has not admitted it: preempted ones come first, then those that
  /// never ran, in order of arrival.
  public func nextWaiting(_ view: InstanceView) -> Prompt? {
    if nextVictim.exists { return view.promptOnceEvicted(nextVictim) }
    return nextInQueue.exists ? view.prompt(nextInQueue) : nil
  }

  /// Admits the request at the head of the queue if KV memory has room for the whole of its prompt.
  ///
  /// - Returns: the prompt, or `nil` if no request waits or memory is short: then nothing behind it is admitted either.
  /// - Complexity: O(1).
  public mutating func admitNext(_ view: InstanceView) -> Prompt? {
    guard let prompt = nextWaiting(view) else { return nil }
    return admit(prompt, view)
  }

  /// Admits any waiting request, ahead of those before it, if KV memory has room for the whole of its prompt.
  ///
  /// - Parameters:
  ///   - prompt: from ``nextWaiting(_:)`` or ``InstanceView/waiting(after:)``, and not yet admitted.
  ///   - view: the instance.
  /// - Returns: the prompt, or `nil` if memory is short.
  /// - Complexity: O(1), and O(prompts admitted out of order).
  public mutating func admit(_ prompt: Prompt, _ view: InstanceView) -> Prompt? {
    guard mayAdmit(view) else { return nil }
    return admit(prompt, computing: .max, whole: true, view)
  }

  /// Admits the request at the head of the queue, to compute so many of its tokens in this step, if KV memory has room.
  ///
  /// Memory is taken for these tokens only. Where the engine's rules say so, the rest must fit now, too.
  ///
  /// - Parameters:
  ///   - view: the instance.
  ///   - tokens: most tokens that a tile of it will cover.
  /// - Returns: the prompt, or `nil` if no request waits or memory is short.
  public mutating func admitNext(_ view: InstanceView, computing tokens: Tokens) -> Prompt? {
    guard mayAdmit(view), let prompt = nextWaiting(view) else { return nil }
    return admit(prompt, computing: tokens, whole: view.rules.reservesWholePrompt, view)
  }

  /// Admits a request if there is room for the next tokens, and for the whole of it if that is asked for.
  private mutating func admit(
    _ prompt: Prompt, computing tokens: Tokens, whole: Bool, _ view: InstanceView
  ) -> Prompt? {
    var (prompt, hit, below) = (prompt, PrefixCache.Match(), PrefixCache.Below())
    var found: [[Int32]] = []
    if let cache = view.cache {
      enterNames(view, cache)
      (hit, found) = draft.match(
        view.sequences[prompt.slot.index].record.request, tokens: prompt.tokens, in: cache)
      if !cache.tiers.isEmpty {
        below = cache.below(
          view.sequences[prompt.slot.index].record.request, from: hit.blocks, tokens: prompt.tokens)
      }
      prompt.done = (hit.blocks + below.blocks) * view.memory.blockSize
    }
    let end = tokens < prompt.remaining ? prompt.done + tokens : prompt.tokens
    let room = freeBlocks - reserve(view) - hit.idle
    let needed = view.rules.blocks(for: end, cached: hit.blocks, memory: view.memory)
    guard needed <= room else { return nil }
    if whole, end < prompt.tokens {
      let all = view.rules.blocksToReserve(prompt.tokens, cached: hit.blocks, memory: view.memory)
      guard all <= room else { return nil }
    }
    freeBlocks -= needed + hit.idle
    loadSeconds += below.seconds
    if view.hasCache {
      draft.hold(found)
      draft.take(needed)
    }
    return enter(prompt, tokens: end, view)
  }

  /// Lets the draft know what the plan computes so far.
  private mutating func enterNames(_ view: InstanceView, _ cache: borrowing PrefixCache) {
    if cache.contents.hasOutputs, draft.needsNamesOfDecoders() {
      for slot in view.decodersInOrder() where view.sequences[slot.index].steps {
        let request = view.sequences[slot.index].record.request
        guard cache.contents.coversOutput(request.content) else { continue }
        draft.register(
          slot, request: request, from: cache.heldEntries(slot, group: 0).count * cache.blockSize,
          to: view.knownTokensAfterStep(of: slot), in: cache)
      }
    }
    while tilesEntered < tiles.count {
      let tile = tiles[tilesEntered]
      tilesEntered += 1
      guard tile.layers.upperBound == view.layers else { continue }
      draft.register(
        tile.sequence, request: view.sequences[tile.sequence.index].record.request,
        from: tile.tokens.lowerBound, to: tile.tokens.upperBound, in: cache)
    }
  }

  private func mayAdmit(_ view: InstanceView) -> Bool {
    // What victims leave in a cache is not in the draft.
    victims == 0 || view.rules.order == .byEntry && !view.hasCache
  }

  /// Blocks that an admission leaves free.
  private func reserve(_ view: InstanceView) -> Int {
    view.reservedBlocks > 0 && (view.runningCount > 0 || !admitted.isEmpty) ? view.reservedBlocks : 0
  }

  private mutating func enter(_ prompt: Prompt, tokens: Tokens, _ view: InstanceView) -> Prompt {
    actions.append(.admit(prompt.slot, tokens: tokens))
    admitted.append(prompt)
    if prompt.slot == nextVictim {
      nextVictim = view.follower(of: nextVictim)
    } else if prompt.slot == nextInQueue {
      repeat { nextInQueue = view.follower(of: nextInQueue) } while skips && isAdmitted(nextInQueue)
    } else {
      skips = true
    }
    return prompt
  }

  private func isAdmitted(_ slot: Slot) -> Bool { slot.exists && admitted.contains { $0.slot == slot } }

  /// Number of admitted prompts that are not yet through the model, those that the plan admits included.
  public func promptCount(_ view: InstanceView) -> Int { view.prefillingCount + admitted.count }

  /// An admitted prompt by its position, in order of admission; those that the plan admits come last.
  public func prompt(_ position: Int, _ view: InstanceView) -> Prompt {
    let count = view.prefillingCount
    return position < count ? view.prefilling(position) : admitted[position - count]
  }

  /// An admitted prompt by its position; past the last one, the next request of the queue is admitted.
  ///
  /// - Returns: the prompt, or `nil` if it would have to be admitted and cannot be.
  /// - Complexity: O(1).
  public mutating func promptOrNext(_ position: Int, _ view: InstanceView) -> Prompt? {
    position < promptCount(view) ? prompt(position, view) : admitNext(view)
  }

  /// Plans a tile of a prompt's prefill.
  public mutating func prefill(_ prompt: Prompt, tokens: Range<Tokens>, layers: Range<Int>) {
    append(Tile(sequence: prompt.slot, tokens: tokens, layers: layers))
  }

  /// Plans a tile.
  public mutating func append(_ tile: Tile) {
    tiles.append(tile)
    if keepsCache { actions.append(.compute(tile: tiles.count - 1)) }
  }

  /// Forgets the tiles, so that others can be tried in their place.
  public mutating func removeTiles() {
    tiles.removeAll(keepingCapacity: true)
    guard keepsCache else { return }
    actions.removeAll { if case .compute = $0 { true } else { false } }
    draft.forgetEntered()
    tilesEntered = 0
  }
}
