import Support

/// Reads traces of one JSON object a line.
enum JSONLinesImporter {
  /// The keys of the object at `start`, or nil if no whole object lies on that line.
  static func keys(_ text: Span<UInt8>, from start: Int) -> [String]? {
    var position = start + 1
    var keys: [String] = []
    while true {
      switch JSONScanner.step(text, &position, isFirst: keys.isEmpty) {
      case .member(let key, _): keys.append(String(onOneLine: text, key))
      case .end: return keys
      case .broken: return nil
      }
    }
  }

  /// Reads a whole file in a dialect; `start` is where its first record begins, on line `firstLine`.
  static func read(
    _ text: Span<UInt8>, from start: Int, firstLine: Int, dialect: JSONLinesDialect, file: String,
    timeUnit: TimeUnit? = nil
  ) throws(WorkloadError) -> TraceBuilder {
    let names = [dialect.prompt, dialect.output, dialect.time, "hash_ids"].map { Array($0.utf8) }
    var rows = TraceBuilder(file: file, dialect: dialect, timeUnit: timeUnit)
    var position = start
    var line = firstLine
    while true {
      JSONScanner.skipBlanks(text, &position)
      guard position < text.count else { return rows }
      if text[position] == UInt8(ascii: "\n") {
        position += 1
        line += 1
        continue
      }
      let begin = position
      guard let fields = fields(text, &position, line: line, names: names) else {
        var end = begin
        while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
        throw .brokenRow(
          file: file, line: line, field: "record", value: String(onOneLine: text, begin..<end),
          expected: "one whole JSON object on a line of its own")
      }
      try rows.take(fields, of: text)
    }
  }

  /// Reads the record at `position` and moves to the end of its line, or returns nil if the line is broken.
  private static func fields(
    _ text: Span<UInt8>, _ position: inout Int, line: Int, names: [[UInt8]]
  ) -> TraceFields? {
    guard text[position] == UInt8(ascii: "{") else { return nil }
    position += 1
    var fields = TraceFields(line: line)
    var isFirst = true
    while true {
      switch JSONScanner.step(text, &position, isFirst: isFirst) {
      case .broken:
        return nil
      case .end:
        JSONScanner.skipBlanks(text, &position)
        return position >= text.count || text[position] == UInt8(ascii: "\n") ? fields : nil
      case .member(let key, let value):
        isFirst = false
        if matches(text, key, names[0]) {
          fields.prompt = value
        } else if matches(text, key, names[1]) {
          fields.output = value
        } else if matches(text, key, names[2]) {
          fields.time = value
        } else if matches(text, key, names[3]) {
          fields.hashes = value
        }
      }
    }
  }

  @inline(__always)
  private static func matches(_ text: Span<UInt8>, _ range: Range<Int>, _ name: [UInt8]) -> Bool {
    guard range.count == name.count else { return false }
    for offset in name.indices where text[range.lowerBound + offset] != name[offset] { return false }
    return true
  }
}
