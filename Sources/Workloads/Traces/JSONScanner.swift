/// Walks the members of a JSON object that lies on one line, without building values.
enum JSONScanner {
  /// One step through an object.
  enum Step {
    /// A member; the range of a key or of a string leaves the quotation marks out.
    case member(key: Range<Int>, value: Range<Int>)
    /// The object is over.
    case end
    /// It is no JSON object, or does not end on this line; `position` is where.
    case broken
  }

  /// Reads the member at `position`, which is behind the opening brace or behind the last member.
  @inline(__always)
  static func step(_ text: Span<UInt8>, _ position: inout Int, isFirst: Bool) -> Step {
    skipBlanks(text, &position)
    guard position < text.count else { return .broken }
    if text[position] == UInt8(ascii: "}") {
      position += 1
      return .end
    }
    if !isFirst {
      guard text[position] == UInt8(ascii: ",") else { return .broken }
      position += 1
      skipBlanks(text, &position)
    }
    guard let key = string(text, &position) else { return .broken }
    skipBlanks(text, &position)
    guard position < text.count, text[position] == UInt8(ascii: ":") else { return .broken }
    position += 1
    skipBlanks(text, &position)
    guard let value = value(text, &position) else { return .broken }
    return .member(key: key, value: value)
  }

  /// Moves past blanks, but not past the end of the line.
  @inline(__always)
  static func skipBlanks(_ text: Span<UInt8>, _ position: inout Int) {
    while position < text.count, text[position] <= UInt8(ascii: " "), text[position] != UInt8(ascii: "\n") {
      position += 1
    }
  }

  private static func string(_ text: Span<UInt8>, _ position: inout Int) -> Range<Int>? {
    guard position < text.count, text[position] == UInt8(ascii: "\"") else { return nil }
    let start = position + 1
    position = start
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      if text[position] == UInt8(ascii: "\n") { return nil }
      position += text[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < text.count else { return nil }
    position += 1
    return start..<position - 1
  }

  private static func value(_ text: Span<UInt8>, _ position: inout Int) -> Range<Int>? {
    guard position < text.count else { return nil }
    let start = position
    switch text[position] {
    case UInt8(ascii: "\""):
      return string(text, &position)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      var depth = 0
      while position < text.count {
        switch text[position] {
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: "\n"): return nil
        case UInt8(ascii: "\""):
          guard string(text, &position) != nil else { return nil }
          continue
        default: break
        }
        position += 1
        if depth == 0 { return start..<position }
      }
      return nil
    default:
      while position < text.count {
        let byte = text[position]
        if byte <= UInt8(ascii: " ") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") { break }
        position += 1
      }
      return position > start ? start..<position : nil
    }
  }
}
