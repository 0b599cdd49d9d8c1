/// The KV memory of an instance: blocks of tokens, of which sequences hold some and the rest is free.
public struct KVMemory: Sendable, Hashable {
  /// Tokens in a block.
  public let blockSize: Int
  /// Blocks that each sequence holds whatever its length, for states of layers that keep no keys and values of its tokens.
  public let blocksPerSequence: Int
  /// Blocks in all.
  public let totalBlocks: Int
  /// Blocks that no sequence holds.
  public private(set) var freeBlocks: Int
  /// What tokens are rounded up by to whole blocks, those of states included.
  private let roundingUp: Int

  /// Creates an empty memory.
  public init(blocks: Int, blockSize: Int, blocksPerSequence: Int = 0) {
    self.blockSize = blockSize
    self.blocksPerSequence = blocksPerSequence
    roundingUp = blockSize - 1 + blocksPerSequence * blockSize
    totalBlocks = blocks
    freeBlocks = blocks
  }

  /// Blocks that are held.
  public var usedBlocks: Int { totalBlocks - freeBlocks }

  /// Tokens of the longest sequence that fits.
  public var capacity: Tokens { max(0, totalBlocks - blocksPerSequence) * blockSize }

  /// Blocks that a sequence of so many tokens needs.
  @inline(__always)
  public func blocks(for tokens: Tokens) -> Int { (tokens + roundingUp) / blockSize }

  /// Takes blocks, of which there must be enough.
  @inline(__always)
  public mutating func take(_ blocks: Int) {
    freeBlocks -= blocks
    precondition(freeBlocks >= 0, "more KV blocks are taken than are free")
  }

  /// Returns blocks.
  @inline(__always)
  public mutating func release(_ blocks: Int) { freeBlocks += blocks }
}
