/// One field of a CSV file, as RFC 4180 has them: perhaps in quotes, then with commas and line breaks inside.
struct CSVField {
  /// What follows a field.
  enum End {
    case comma
    case line
    /// The quotes are not closed, or something follows them.
    case brokenQuotes
  }

  /// The bytes of the field, without quotes and without blanks around.
  var range: Range<Int>
  /// What follows it; the end of the file is the end of a line.
  var end: End

  /// Reads the field at `position` and moves on to the next one; `line` counts the line breaks passed.
  @inline(__always)
  init(_ text: Span<UInt8>, at position: inout Int, line: inout Int) {
    while position < text.count, text[position] == UInt8(ascii: " ") { position += 1 }
    self =
      position < text.count && text[position] == UInt8(ascii: "\"")
      ? Self.quoted(text, at: &position, line: &line) : Self.plain(text, at: &position, line: &line)
  }

  private init(_ range: Range<Int>, _ end: End) {
    self.range = range
    self.end = end
  }

  @inline(__always)
  private static func plain(_ text: Span<UInt8>, at position: inout Int, line: inout Int) -> CSVField {
    var start = position
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") { break }
      position += 1
    }
    var end = position
    while end > start, text[end - 1] <= UInt8(ascii: " ") { end -= 1 }
    while start < end, text[start] <= UInt8(ascii: " ") { start += 1 }
    return CSVField(start..<end, terminator(text, &position, &line))
  }

  private static func quoted(_ text: Span<UInt8>, at position: inout Int, line: inout Int) -> CSVField {
    position += 1
    let start = position
    while position < text.count {
      if text[position] == UInt8(ascii: "\n") { line += 1 }
      if text[position] == UInt8(ascii: "\"") {
        guard position + 1 < text.count, text[position + 1] == UInt8(ascii: "\"") else { break }
        position += 1
      }
      position += 1
    }
    let range = start..<position
    guard position < text.count else { return CSVField(range, .brokenQuotes) }
    position += 1
    while position < text.count, text[position] == UInt8(ascii: "\r") || text[position] == UInt8(ascii: " ") {
      position += 1
    }
    return CSVField(range, terminator(text, &position, &line))
  }

  /// Moves past the comma or line break at `position` and says which it was.
  @inline(__always)
  private static func terminator(_ text: Span<UInt8>, _ position: inout Int, _ line: inout Int) -> End {
    defer { position += 1 }
    guard position < text.count, text[position] != UInt8(ascii: "\n") else {
      line += 1
      return .line
    }
    return text[position] == UInt8(ascii: ",") ? .comma : .brokenQuotes
  }
}
