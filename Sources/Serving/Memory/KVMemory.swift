/// The KV memory of an instance: blocks of tokens, of which sequences hold some and the rest is free.
public struct KVMemory: Sendable, Hashable {
  /// Tokens in a block.
  public let blockSize: Int
  /// Blocks in all.
  public let totalBlocks: Int
  /// Blocks that no sequence holds.
  public private(set) var freeBlocks: Int

  /// Creates an empty memory.
  public init(blocks: Int, blockSize: Int) {
    self.blockSize = blockSize
    totalBlocks = blocks
    freeBlocks = blocks
  }

  /// Blocks that are held.
  public var usedBlocks: Int { totalBlocks - freeBlocks }

  /// Tokens that fit in all.
  public var capacity: Tokens { totalBlocks * blockSize }

  /// Blocks that a number of tokens needs.
  @inline(__always)
  public func blocks(for tokens: Tokens) -> Int { (tokens + blockSize - 1) / blockSize }

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
