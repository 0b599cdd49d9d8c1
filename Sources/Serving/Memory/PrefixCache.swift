/// What the blocks of KV memory contain, and in which order it is lost.
///
/// The numbers of blocks do not matter, only which contents go next. Blocks without content are a count; the others that
/// no sequence holds are a list, the one that was released first at its head. A block is taken from the count, then
/// from the head of the list, and then loses what it contained. What sequences write and nobody can ask for is one entry of
/// the list for each sequence.
///
///     free   [ blank: 37 ][ written x 12 | c9 c8 c7 | c41 | ... ]     taken: blank ones first, then from the left
///
/// How many blocks are free is ``KVMemory``'s to know. What was taken since the last call is caught up on by ``settle(free:)``.
public struct PrefixCache: Sendable {
  /// An entry: a block with a name, or some that were written and have none.
  struct Entry: Sendable {
    var name: UInt64
    /// Blocks; 1 where there is a name.
    var blocks: Int32
    /// Sequences that hold it; 0 for those in the list.
    var holders: Int32
    var previous: Int32 = -1
    var next: Int32 = -1
    /// The entry of the same name that was entered after this one.
    var twin: Int32 = -1
  }

  /// What a look-up found.
  struct Match {
    /// Blocks from the beginning that are there.
    var blocks = 0
    /// How many of the entries nobody holds.
    var idle = 0
  }

  /// What requests begin with.
  let contents: PromptContents
  let blockSize: Int
  /// Positions that the layers of a second group of blocks see; `nil` without such a group.
  let window: Tokens?
  /// Whether blocks without content are the next to be taken, however late they were released.
  let blankFirst: Bool
  /// The levels below, the quickest first.
  let tiers: [CacheTier]

  private(set) var entries: [Entry] = []
  private var spare: [Int32] = []
  private var byName = NameTable()
  /// Free blocks without content.
  private(set) var blank: Int
  private(set) var head: Int32 = -1
  private var tail: Int32 = -1
  private var listed = 0
  /// The named blocks of each sequence by slot, group after group; -1 for one that its window has passed.
  private var held: [[Int32]] = []

  /// Creates a cache without content.
  ///
  /// - Parameters:
  ///   - memory: empty.
  ///   - contents: what requests begin with.
  ///   - window: positions that a second group of layers sees, whose blocks are in the same memory.
  ///   - blankFirst: whether blocks without content are taken before all others.
  ///   - tiers: the levels below, the quickest first; none with a window.
  public init(
    memory: KVMemory, contents: PromptContents, window: Tokens? = nil, blankFirst: Bool = true,
    tiers: [CacheTier] = []
  ) {
    precondition(window == nil || tiers.isEmpty, "levels below hold blocks of one group of layers")
    self.tiers = tiers
    self.contents = contents
    self.window = window
    self.blankFirst = blankFirst
    blockSize = memory.blockSize
    blank = memory.totalBlocks
  }

  var groups: Int { window == nil ? 1 : 2 }
  /// Free blocks as of the last call.
  var freeBlocks: Int { blank + listed }

  func place(_ slot: Slot, _ group: Int) -> Int { slot.index * groups + group }
  func heldEntries(_ slot: Slot, group: Int) -> [Int32] {
    let place = place(slot, group)
    return place < held.count ? held[place] : []
  }

  /// Takes the blocks that were taken of the memory since the last call: what they contained is lost.
  mutating func settle(free: Int) {
    var owed = freeBlocks - free
    let fromBlank = min(owed, blank)
    blank -= fromBlank
    owed -= fromBlank
    while owed > 0, head >= 0 {
      let entry = Int(head)
      let taken = min(owed, Int(entries[entry].blocks))
      owed -= taken
      listed -= taken
      entries[entry].blocks -= Int32(taken)
      if entries[entry].blocks == 0 {
        unlink(entry)
        forget(entry)
      }
    }
  }

  /// The first entry of a name that is not lost; -1 for none.
  @inline(__always)
  func first(_ name: UInt64) -> Int32 { byName[name] }

  /// Lets a request hold the entries that a look-up has found, before it takes further blocks.
  ///
  /// - Returns: how many of them nobody held: they are no longer free.
  mutating func hold(_ found: [[Int32]], by slot: Slot) -> Int {
    makePlaces(slot)
    var idle = 0
    for group in 0..<groups {
      let place = place(slot, group)
      held[place].removeAll(keepingCapacity: true)
      for entry in found[group] {
        held[place].append(entry)
        guard entry >= 0 else { continue }
        if entries[Int(entry)].holders == 0 {
          idle += 1
          listed -= 1
          unlink(Int(entry))
        }
        entries[Int(entry)].holders += 1
      }
    }
    return idle
  }

  /// Enters the full blocks of a request's first tokens, so that others find them.
  mutating func register(_ slot: Slot, request: borrowing Request, tokens: Tokens) {
    makePlaces(slot)
    for group in 0..<groups {
      let place = place(slot, group)
      let full = tokens / blockSize
      guard held[place].count < full else { continue }
      var names = contents.names(of: request, group: group, blockSize: blockSize)
      while held[place].count < full, let name = names.shared(held[place].count, in: contents) {
        held[place].append(enter(name))
        for tier in tiers { tier.use(name, isRead: false) }
      }
    }
  }

  /// Names all full blocks of a request that loses its memory, which it alone may ask for again.
  private mutating func nameAll(_ slot: Slot, request: borrowing Request, full: Int, passed: Int) {
    for group in 0..<groups {
      let place = place(slot, group)
      guard held[place].count < full else { continue }
      var names = contents.names(of: request, group: group, blockSize: blockSize)
      while held[place].count < full {
        let isGone = group == 1 && held[place].count < passed
        held[place].append(isGone ? -1 : enter(names.name(held[place].count, in: contents)))
      }
    }
  }

  private mutating func makePlaces(_ slot: Slot) {
    while held.count < (slot.index + 1) * groups { held.append([]) }
  }

  private mutating func enter(_ name: UInt64) -> Int32 {
    let entry = make(Entry(name: name, blocks: 1, holders: 1))
    var last = byName[name]
    if last < 0 {
      byName.set(name, to: entry)
    } else {
      while entries[Int(last)].twin >= 0 { last = entries[Int(last)].twin }
      entries[Int(last)].twin = entry
    }
    return entry
  }

  /// A request's memory is released, from its last block to its first, group after group.
  ///
  /// - Parameters:
  ///   - slot: the request's place.
  ///   - request: the request.
  ///   - blocks: what it holds in each group, those included that its window has passed.
  ///   - passed: how many of the second group that is.
  ///   - tokens: how many of its tokens are known and computed: their full blocks have content.
  ///   - isPreempted: whether it will ask for them again.
  /// - Returns: how many blocks are free again.
  mutating func release(
    _ slot: Slot, request: borrowing Request, blocks: Int, passed: Int, tokens: Tokens, isPreempted: Bool
  ) -> Int {
    makePlaces(slot)
    let full = min(tokens / blockSize, blocks)
    if isPreempted { nameAll(slot, request: request, full: full, passed: passed) }
    var freed = 0
    for group in 0..<groups {
      let place = place(slot, group)
      let gone = group == 1 ? passed : 0
      freed += releaseBlank(blocks - max(full, gone))
      freed += releaseUnnamed(full - max(held[place].count, gone))
      while let entry = held[place].popLast() { freed += drop(entry) }
    }
    return freed
  }

  private mutating func releaseBlank(_ count: Int) -> Int {
    guard count > 0 else { return 0 }
    if blankFirst { blank += count } else { append(make(Entry(name: 0, blocks: Int32(count), holders: 0))) }
    return count
  }

  private mutating func releaseUnnamed(_ count: Int) -> Int {
    guard count > 0 else { return 0 }
    append(make(Entry(name: 0, blocks: Int32(count), holders: 0)))
    return count
  }

  private mutating func drop(_ entry: Int32) -> Int {
    guard entry >= 0 else { return 0 }
    entries[Int(entry)].holders -= 1
    guard entries[Int(entry)].holders == 0 else { return 0 }
    append(entry)
    return 1
  }

  /// Releases the blocks of the second group that a request's window has passed.
  ///
  /// - Returns: how many blocks are free again.
  mutating func pass(_ slot: Slot, blocks: Range<Int>) -> Int {
    makePlaces(slot)
    let place = place(slot, 1)
    var freed = 0
    for block in blocks.reversed() {
      if block < held[place].count {
        freed += drop(held[place][block])
        held[place][block] = -1
      } else {
        freed += releaseUnnamed(1)
      }
    }
    return freed
  }

  // MARK: Entries

  private mutating func make(_ entry: Entry) -> Int32 {
    if let place = spare.popLast() {
      entries[Int(place)] = entry
      return place
    }
    entries.append(entry)
    return Int32(entries.count - 1)
  }

  private mutating func append(_ entry: Int32) {
    entries[Int(entry)].previous = tail
    entries[Int(entry)].next = -1
    if tail >= 0 { entries[Int(tail)].next = entry } else { head = entry }
    tail = entry
    listed += Int(entries[Int(entry)].blocks)
  }

  private mutating func unlink(_ entry: Int) {
    let (before, after) = (entries[entry].previous, entries[entry].next)
    if before >= 0 { entries[Int(before)].next = after } else { head = after }
    if after >= 0 { entries[Int(after)].previous = before } else { tail = before }
  }

  private mutating func forget(_ entry: Int) {
    spare.append(Int32(entry))
    let name = entries[entry].name
    guard name != 0 else { return }
    var one = byName[name]
    if one == Int32(entry) {
      if entries[entry].twin >= 0 { byName.set(name, to: entries[entry].twin) } else { byName.remove(name) }
      return
    }
    while one >= 0 {
      let twin = entries[Int(one)].twin
      if twin == Int32(entry) {
        entries[Int(one)].twin = entries[entry].twin
        return
      }
      one = twin
    }
  }
}
