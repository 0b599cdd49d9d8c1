/// What prompts begin with: equal sources at the same positions are equal tokens.
///
/// The content of a request is cut into pieces, each of one source. Two requests whose contents have the same source for
/// the last token of a block have the same tokens up to there, as a hash that is chained from block to block would say.
/// Numbers from ``count`` on are the same contents again with other tokens: what a trace's second lap begins with.
public struct PromptContents: Sendable {
  /// Tokens from a position on, up to the next piece.
  public struct Piece: Sendable, Hashable {
    /// The first token.
    public var begin: Tokens
    /// Where they come from: 0 or more, below 2^35.
    public var source: Int

    /// Creates a piece.
    public init(begin: Tokens, source: Int) {
      self.begin = begin
      self.source = source
    }
  }

  private var pieces: [Piece] = []
  private var offsets: [Int] = [0]
  private var ends: [Tokens] = []
  /// One more than the largest source.
  private var sources = 0
  /// Whether other requests may begin with what some request writes.
  public private(set) var hasOutputs = false

  /// Creates an empty table.
  public init() {}

  /// How many contents there are.
  public var count: Int { ends.count }

  /// Adds a content.
  ///
  /// - Parameters:
  ///   - content: its pieces; the first one begins at 0.
  ///   - length: how many tokens of the request it covers; `nil` if what the request writes belongs to it.
  /// - Returns: its number, for ``Request/content``.
  public mutating func append(_ content: [Piece], length: Tokens?) -> Int32 {
    precondition(content.allSatisfy { (0..<1 << 35).contains($0.source) }, "a source is a number below 2^35")
    pieces += content
    sources = content.reduce(sources) { max($0, $1.source + 1) }
    offsets.append(pieces.count)
    ends.append(length ?? .max)
    if length == nil { hasOutputs = true }
    return Int32(count - 1)
  }

  /// What a request's prompt begins with, in pieces of one source each, with the position behind each of them.
  ///
  /// Two prompts that have the same source at the same position are equal up to there.
  ///
  /// - Complexity: O(pieces of the prompt).
  public func pieces(of request: Request) -> [(source: Int, end: Tokens)] {
    guard request.content >= 0 else { return [] }
    let (lap, content) = Int(request.content).quotientAndRemainder(dividingBy: count)
    let range = offsets[content]..<offsets[content + 1]
    let length = min(ends[content], request.promptTokens)
    return range.compactMap { place in
      guard pieces[place].begin < length else { return nil }
      let end = place + 1 < range.upperBound ? min(pieces[place + 1].begin, length) : length
      return (lap * sources + pieces[place].source, end)
    }
  }

  /// Whether a content goes on with what its request writes.
  func coversOutput(_ content: Int32) -> Bool { content >= 0 && ends[Int(content) % count] == .max }

  /// Goes through the blocks of a request.
  func names(of request: borrowing Request, group: Int, blockSize: Int) -> BlockNames {
    // Without contents, -1 would have the remainder 0.
    let (lap, content) =
      request.content < 0
      ? (0, -1) : Int(request.content).quotientAndRemainder(dividingBy: max(count, 1))
    let range = content >= 0 ? offsets[content]..<offsets[content + 1] : 0..<0
    return BlockNames(
      pieces: range, end: content >= 0 ? ends[content] : 0, blockSize: blockSize,
      sourcesBefore: lap * sources, group: UInt64(group) << 63, ownSource: 1 << 62 | UInt64(request.id) << 26)
  }

  /// The source of a token; the place is that of an earlier token's piece, and moves on.
  @inline(__always)
  func source(of token: Tokens, place: inout Int, in range: Range<Int>) -> Int {
    while place + 1 < range.upperBound, pieces[place + 1].begin <= token { place += 1 }
    return pieces[place].source
  }
}

/// The names of a request's blocks, in order.
struct BlockNames {
  private let pieces: Range<Int>
  private let end: Tokens
  private let blockSize: Int
  /// Sources of earlier laps.
  private let sourcesBefore: Int
  private let group: UInt64
  private let ownSource: UInt64
  private var place: Int

  init(pieces: Range<Int>, end: Tokens, blockSize: Int, sourcesBefore: Int, group: UInt64, ownSource: UInt64)
  {
    self.pieces = pieces
    self.end = end
    self.blockSize = blockSize
    self.sourcesBefore = sourcesBefore
    self.group = group
    self.ownSource = ownSource
    place = pieces.lowerBound
  }

  /// The name under which others find a block; `nil` if nobody else can ask for it.
  @inline(__always)
  mutating func shared(_ block: Int, in contents: borrowing PromptContents) -> UInt64? {
    let last = (block + 1) * blockSize - 1
    guard last < end, !pieces.isEmpty else { return nil }
    let source = sourcesBefore + contents.source(of: last, place: &place, in: pieces)
    return group | UInt64(source + 1) << 26 | UInt64(block)
  }

  /// The name of a block, which may be one that the request alone knows.
  @inline(__always)
  mutating func name(_ block: Int, in contents: borrowing PromptContents) -> UInt64 {
    shared(block, in: contents) ?? group | ownSource | UInt64(block)
  }
}
