/// What one step is to run: actions in their order, and tiles of prefill.
///
/// A plan is a value. Making it changes nothing; the instance checks it and applies it. The plan follows what its own
/// actions leave of KV memory and of the queue, so that a policy sees the state that its next action will meet.
public struct StepPlan: Sendable {
  /// What a plan does to the sequences of an instance.
  public enum Action: Sendable, Hashable {
    /// The oldest decoding sequences take a step; the youngest ones lose their memory first and wait anew.
    case decode(steppers: Int, victims: Int)
    /// A waiting request is admitted, and holds the blocks of its prompt.
    case admit(Slot)
  }

  /// The actions, in the order in which they are applied.
  public private(set) var actions: [Action] = []
  /// The tiles of prefill, in the order in which they were planned.
  public private(set) var tiles: [Tile] = []
  /// Decoding sequences that take a step through every layer.
  public private(set) var decodes = 0
  /// Decoding sequences that lose their memory.
  public private(set) var victims = 0
  /// Blocks that are free once the actions so far are applied.
  public private(set) var freeBlocks = 0
  /// Prompts that the plan admits, in order.
  public private(set) var admitted: [Prompt] = []

  /// The oldest victim that is not admitted again; younger ones follow it in the queue.
  private var nextVictim = Slot.none
  /// The first request of the queue, victims aside, that is not admitted in order.
  private var nextInQueue = Slot.none
  private var hasDecoded = false
  /// Whether a prompt was admitted ahead of another.
  private var skips = false

  /// Creates an empty plan for an instance.
  public init(_ view: borrowing InstanceView) {
    begin(freeBlocks: view.memory.freeBlocks, queue: view.queue.head)
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
    hasDecoded = false
    skips = false
    self.freeBlocks = freeBlocks
    nextVictim = .none
    nextInQueue = queue
  }

  /// Lets the oldest decoding sequences take a step, and plans their KV blocks.
  ///
  /// At most ``InstanceView/maxSequences`` step; the youngest beyond that wait. Where memory is short the youngest
  /// sequences lose theirs and go to the head of the queue, to be computed anew. Call it once a step at most.
  ///
  /// - Complexity: O(1), beside O(1) for each sequence that starts or ceases to step; O(decoding sequences) if
  ///   memory is short.
  public mutating func decode(_ view: borrowing InstanceView, atMost limit: Int = .max) {
    precondition(!hasDecoded, "decode(_:atMost:) is called twice for a step")
    hasDecoded = true
    let count = min(limit, view.maxSequences, view.decodingCount)
    guard count > 0 else { return }
    let needed = view.blocksToStep(count)
    if needed <= freeBlocks {
      freeBlocks -= needed
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
  public func nextWaiting(_ view: borrowing InstanceView) -> Prompt? {
    if nextVictim.exists { return view.promptOnceEvicted(nextVictim) }
    return nextInQueue.exists ? view.prompt(nextInQueue) : nil
  }

  /// Admits the request at the head of the queue if KV memory has room for the whole of its prompt.
  ///
  /// - Returns: the prompt, or `nil` if no request waits or memory is short: then nothing behind it is admitted either.
  /// - Complexity: O(1).
  public mutating func admitNext(_ view: borrowing InstanceView) -> Prompt? {
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
  public mutating func admit(_ prompt: Prompt, _ view: borrowing InstanceView) -> Prompt? {
    let needed = view.memory.blocks(for: prompt.tokens)
    guard needed <= freeBlocks else { return nil }
    freeBlocks -= needed
    actions.append(.admit(prompt.slot))
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
  public func promptCount(_ view: borrowing InstanceView) -> Int { view.prefillingCount + admitted.count }

  /// An admitted prompt by its position, in order of admission; those that the plan admits come last.
  public func prompt(_ position: Int, _ view: borrowing InstanceView) -> Prompt {
    let count = view.prefillingCount
    return position < count ? view.prefilling(position) : admitted[position - count]
  }

  /// An admitted prompt by its position; past the last one, the next request of the queue is admitted.
  ///
  /// - Returns: the prompt, or `nil` if it would have to be admitted and cannot be.
  /// - Complexity: O(1).
  public mutating func promptOrNext(_ position: Int, _ view: borrowing InstanceView) -> Prompt? {
    position < promptCount(view) ? prompt(position, view) : admitNext(view)
  }

  /// Plans a tile of a prompt's prefill.
  public mutating func prefill(_ prompt: Prompt, tokens: Range<Tokens>, layers: Range<Int>) {
    tiles.append(Tile(sequence: prompt.slot, tokens: tokens, layers: layers))
  }

  /// Plans a tile.
  public mutating func append(_ tile: Tile) { tiles.append(tile) }

  /// Forgets the tiles, so that others can be tried in their place.
  public mutating func removeTiles() { tiles.removeAll(keepingCapacity: true) }
}
