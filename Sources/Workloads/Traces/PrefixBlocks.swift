/// Which blocks the prompts of a trace are made of: equal hashes mean equal prefixes up to the block's end.
public struct PrefixBlocks: Sendable, Hashable {
  /// Tokens in a block; the last one of a prompt may be shorter.
  public internal(set) var blockTokens: Int
  /// All hashes, request after request.
  private(set) var hashes: [Int] = []
  /// Where the hashes of each request begin, and where the last ones end.
  private(set) var offsets: [Int] = [0]

  init(blockTokens: Int) { self.blockTokens = blockTokens }

  /// How many requests it covers.
  public var count: Int { offsets.count - 1 }

  /// The block hashes of one row of the trace.
  ///
  /// - Complexity: O(1).
  public subscript(row: Int) -> ArraySlice<Int> { hashes[offsets[row]..<offsets[row + 1]] }

  /// Takes the hashes of the next row from a JSON list of whole numbers; returns how many they are, or nil if
  /// the list holds anything else.
  mutating func appendRow(_ text: Span<UInt8>, _ list: Range<Int>) -> Int? {
    guard list.count >= 2, text[list.lowerBound] == UInt8(ascii: "[") else { return nil }
    var start = list.lowerBound + 1
    for index in list.dropFirst() {
      let byte = text[index]
      if byte == UInt8(ascii: " ") && start == index { start += 1 }
      guard byte == UInt8(ascii: ",") || index == list.upperBound - 1 else { continue }
      guard let (hash, isExact) = Decimal.scaled(text, start..<index, by: 0), isExact else { return nil }
      hashes.append(hash)
      start = index + 1
    }
    offsets.append(hashes.count)
    return offsets[count] - offsets[count - 1]
  }

  func reordered(by order: [Int]) -> PrefixBlocks {
    var result = PrefixBlocks(blockTokens: blockTokens)
    for row in order {
      result.hashes += self[row]
      result.offsets.append(result.hashes.count)
    }
    return result
  }
}
