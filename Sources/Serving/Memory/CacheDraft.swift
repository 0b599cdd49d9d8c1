/// What a plan leaves of a ``PrefixCache``, without changing it.
///
/// Blocks that the plan takes may be those that its next prompt would hit, and a prompt hits what another one of the same
/// plan computes.
struct CacheDraft: Sendable {
  /// Changes of the number of holders.
  private var holders: [Int32: Int32] = [:]
  private var lost: Set<Int32> = []
  /// Entries that the plan releases, in order, and how many of them are taken again.
  private var released: [Int32] = []
  private var releasedTaken = 0
  /// Names that the plan enters.
  private var entered: Set<UInt64> = []
  private var blank = 0
  /// Where the list is taken from next, and how much of that entry is taken.
  private var frontier: Int32 = -1
  private var takenOfFrontier = 0
  /// Blocks that the plan takes and whose content is not yet looked at.
  private var owed = 0
  private var isUsed = false
  private var hasNamesOfDecoders = false

  mutating func begin(_ cache: borrowing PrefixCache, free: Int) {
    if isUsed {
      holders.removeAll(keepingCapacity: true)
      lost.removeAll(keepingCapacity: true)
      released.removeAll(keepingCapacity: true)
      entered.removeAll(keepingCapacity: true)
      releasedTaken = 0
      takenOfFrontier = 0
      isUsed = false
      hasNamesOfDecoders = false
    }
    blank = cache.blank
    frontier = cache.head
    owed = cache.freeBlocks - free
  }

  /// Takes blocks.
  mutating func take(_ blocks: Int) { owed += blocks }

  /// Enters the full blocks of a request's tokens from one to another.
  mutating func register(
    _ slot: Slot, request: borrowing Request, from first: Tokens, to last: Tokens,
    in cache: borrowing PrefixCache
  ) {
    isUsed = true
    for group in 0..<cache.groups {
      var names = cache.contents.names(of: request, group: group, blockSize: cache.blockSize)
      for block in first / cache.blockSize..<max(first, last) / cache.blockSize {
        if let name = names.shared(block, in: cache.contents) { entered.insert(name) }
      }
    }
  }

  /// Forgets what the plan enters.
  mutating func forgetEntered() {
    entered.removeAll(keepingCapacity: true)
    hasNamesOfDecoders = false
  }

  /// A block is released; says whether nobody else holds it.
  mutating func release(_ entry: Int32, in cache: borrowing PrefixCache) -> Bool {
    guard entry >= 0 else { return false }
    isUsed = true
    holders[entry, default: 0] -= 1
    guard count(entry, cache) == 0 else { return false }
    released.append(entry)
    return true
  }

  /// Blocks without a name are released behind all others.
  mutating func releaseUnnamed(_ blocks: Int) {
    isUsed = true
    for _ in 0..<blocks { released.append(-1) }
  }

  private func count(_ entry: Int32, _ cache: borrowing PrefixCache) -> Int32 {
    cache.entries[Int(entry)].holders + (holders.isEmpty ? 0 : holders[entry, default: 0])
  }

  /// Finds out which contents the blocks taken so far have lost.
  private mutating func settle(_ cache: borrowing PrefixCache) {
    guard owed > 0 else { return }
    isUsed = true
    let fromBlank = min(owed, blank)
    blank -= fromBlank
    owed -= fromBlank
    while owed > 0, frontier >= 0 {
      let entry = cache.entries[Int(frontier)]
      let isHeld = entry.name != 0 && count(frontier, cache) > 0
      let left = isHeld || lost.contains(frontier) ? 0 : Int(entry.blocks) - takenOfFrontier
      if owed < left {
        takenOfFrontier += owed
        owed = 0
        return
      }
      owed -= left
      if left > 0 { lost.insert(frontier) }
      frontier = entry.next
      takenOfFrontier = 0
    }
    while owed > 0, releasedTaken < released.count {
      let entry = released[releasedTaken]
      releasedTaken += 1
      if entry < 0 {
        owed -= 1
      } else if count(entry, cache) == 0, !lost.contains(entry) {
        lost.insert(entry)
        owed -= 1
      }
    }
  }

  /// The entry that a name is found at; `nil` if there is none, -1 if the plan itself enters it.
  @inline(__always)
  private func find(_ name: UInt64, _ cache: borrowing PrefixCache) -> Int32? {
    var entry = cache.first(name)
    while entry >= 0 {
      if lost.isEmpty || !lost.contains(entry) { return entry }
      entry = cache.entries[Int(entry)].twin
    }
    return entered.isEmpty || !entered.contains(name) ? nil : -1
  }

  /// How many blocks of a request's first tokens are there, and how many of them nobody holds.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - tokens: its tokens, of which the last one must be computed.
  ///   - cache: the cache.
  /// - Returns: the numbers, and the entries of each group.
  mutating func match(
    _ request: borrowing Request, tokens: Tokens, in cache: borrowing PrefixCache
  ) -> (match: PrefixCache.Match, found: [[Int32]]) {
    settle(cache)
    let most = (tokens - 1) / cache.blockSize
    var full: [Int32] = []
    var names = cache.contents.names(of: request, group: 0, blockSize: cache.blockSize)
    while full.count < most, let entry = find(names.name(full.count, in: cache.contents), cache) {
      full.append(entry)
    }
    var found = [full]
    if let window = cache.window {
      let sliding = matchWindow(request, blocks: full.count, window: window, in: cache)
      found[0].removeLast(full.count - sliding.count)
      found.append(sliding)
    }
    var match = PrefixCache.Match(blocks: found[0].count)
    for entry in found.joined() where entry >= 0 && count(entry, cache) == 0 { match.idle += 1 }
    return (match, found)
  }

  /// The entries of a request's first tokens, as they are now.
  mutating func find(_ request: Request, tokens: Tokens, in cache: borrowing PrefixCache) -> [[Int32]] {
    begin(cache, free: cache.freeBlocks)
    return match(request, tokens: tokens, in: cache).found
  }

  /// The last stretch of blocks that fills the window, or one from the beginning; -1 for those before it.
  private func matchWindow(
    _ request: borrowing Request, blocks: Int, window: Tokens, in cache: borrowing PrefixCache
  ) -> [Int32] {
    let needed = (window - 1 + cache.blockSize - 1) / cache.blockSize
    var names = cache.contents.names(of: request, group: 1, blockSize: cache.blockSize)
    let all = (0..<blocks).map { names.name($0, in: cache.contents) }
    var table = Array(repeating: Int32(-1), count: blocks)
    var run = 0
    for block in (0..<blocks).reversed() {
      guard let entry = find(all[block], cache) else {
        run = 0
        continue
      }
      table[block] = entry
      run += 1
      if run >= needed {
        table.removeLast(blocks - block - run)
        for before in 0..<block { table[before] = -1 }
        return table
      }
    }
    table.removeLast(blocks - run)
    return table
  }

  /// A request of the plan holds what a look-up has found.
  mutating func hold(_ found: [[Int32]]) {
    isUsed = true
    for entry in found.joined() where entry >= 0 { holders[entry, default: 0] += 1 }
  }

  /// Whether the names of those that decode were entered, as a look-up needs them.
  mutating func needsNamesOfDecoders() -> Bool {
    defer { hasNamesOfDecoders = true; isUsed = true }
    return !hasNamesOfDecoders
  }
}
