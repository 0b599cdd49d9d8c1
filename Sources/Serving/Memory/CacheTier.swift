import Synchronization

/// A level of KV memory below that of the GPU: host memory, a disk, or a store that several instances share.
///
/// Blocks are written to it as they are computed, and stay when the GPU's cache loses them; what was neither written nor read
/// longest is lost first. A prompt is looked up here where the GPU's cache ends, and what is found is loaded before its first
/// step, which waits for it: that is how a synchronous connector of vLLM's goes about it. Writing takes no time.
public final class CacheTier: Sendable {
  fileprivate struct Node {
    var name: UInt64
    var before: Int32
    var after: Int32
  }

  fileprivate struct State {
    var places = NameTable()
    var nodes: [Node] = []
    var spare: [Int32] = []
    /// What was used longest ago, and last.
    var oldest: Int32 = -1
    var newest: Int32 = -1
    var written = 0
    var read = 0
  }

  /// Its name in results.
  public let name: String
  /// Blocks that it holds.
  public let blocks: Int
  /// Time to load a block.
  public let secondsPerBlock: Seconds
  /// Time before the first block of a prompt comes.
  public let latency: Seconds
  private let state = Mutex(State())

  /// Creates an empty level.
  ///
  /// - Parameters:
  ///   - name: in results.
  ///   - blocks: that it holds; at least 1.
  ///   - secondsPerBlock: to load one.
  ///   - latency: before the first of a prompt comes.
  public init(name: String, blocks: Int, secondsPerBlock: Seconds, latency: Seconds = 0) {
    precondition(blocks > 0 && secondsPerBlock >= 0 && latency >= 0, "blocks are loaded forward in time")
    self.name = name
    self.blocks = blocks
    self.secondsPerBlock = secondsPerBlock
    self.latency = latency
  }

  /// Blocks that are there now, that were written, and that were read.
  public var counts: (held: Int, written: Int, read: Int) {
    state.withLock { ($0.places.count, $0.written, $0.read) }
  }

  /// Whether a block is there.
  func has(_ name: UInt64) -> Bool { state.withLock { $0.places[name] >= 0 } }

  /// A block is computed, or read: it is the newest from now on.
  func use(_ name: UInt64, isRead: Bool) {
    state.withLock { state in
      if isRead { state.read += 1 }
      let known = state.places[name]
      if known >= 0 {
        state.unlink(known)
        state.append(known)
        return
      }
      state.written += 1
      if state.places.count == blocks, state.oldest >= 0 {
        let lost = state.oldest
        state.unlink(lost)
        state.places.remove(state.nodes[Int(lost)].name)
        state.spare.append(lost)
      }
      let place: Int32
      if let spare = state.spare.popLast() {
        place = spare
        state.nodes[Int(place)].name = name
      } else {
        place = Int32(state.nodes.count)
        state.nodes.append(Node(name: name, before: -1, after: -1))
      }
      state.places.set(name, to: place)
      state.append(place)
    }
  }
}

extension CacheTier.State {
  fileprivate mutating func unlink(_ place: Int32) {
    let (before, after) = (nodes[Int(place)].before, nodes[Int(place)].after)
    if before >= 0 { nodes[Int(before)].after = after } else { oldest = after }
    if after >= 0 { nodes[Int(after)].before = before } else { newest = before }
  }

  fileprivate mutating func append(_ place: Int32) {
    nodes[Int(place)].before = newest
    nodes[Int(place)].after = -1
    if newest >= 0 { nodes[Int(newest)].after = place } else { oldest = place }
    newest = place
  }
}

// What lies below the GPU's blocks.
extension PrefixCache {
  /// What is found below, where the GPU's cache ends.
  struct Below {
    /// Blocks in a row.
    var blocks = 0
    /// How long it takes to load them.
    var seconds: Seconds = 0
  }

  /// Blocks of a request's first tokens that the levels below have, from one on.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - first: the first block that the GPU's cache has not.
  ///   - tokens: the request's tokens, of which the last one must be computed.
  /// - Returns: what is found.
  /// - Complexity: O(blocks found x levels).
  func below(_ request: borrowing Request, from first: Int, tokens: Tokens) -> Below {
    var found = Below()
    let most = (tokens - 1) / blockSize
    var names = contents.names(of: request, group: 0, blockSize: blockSize)
    var isUsed = Array(repeating: false, count: tiers.count)
    while first + found.blocks < most, let name = names.shared(first + found.blocks, in: contents),
      let tier = tiers.firstIndex(where: { $0.has(name) })
    {
      found.blocks += 1
      found.seconds += tiers[tier].secondsPerBlock + (isUsed[tier] ? 0 : tiers[tier].latency)
      isUsed[tier] = true
    }
    return found
  }

  /// Takes note that a request uses its first blocks, of which some are loaded: they are the newest of each level.
  func useBelow(_ request: borrowing Request, blocks: Int, loadedFrom first: Int) {
    var names = contents.names(of: request, group: 0, blockSize: blockSize)
    for block in 0..<blocks {
      guard let name = names.shared(block, in: contents) else { return }
      let source = block >= first ? tiers.firstIndex { $0.has(name) } : nil
      for (place, tier) in tiers.enumerated() { tier.use(name, isRead: place == source) }
    }
  }
}
