/// Reads traces of one JSON object a line.
enum JSONLinesImporter {
  /// The keys of the object on the first line, or nil if no whole object lies there.
  static func keys(_ text: Span<UInt8>, from start: Int) -> [String]? {
    var position = start + 1
    var keys: [String] = []
    while true {
      switch JSONScanner.step(text, &position, isFirst: keys.isEmpty) {
      case .member(let key, _): keys.append(CSVImporter.string(text, key))
      case .end: return keys
      case .broken: return nil
      }
    }
  }

  /// Reads a whole file in a dialect; `start` is where its first record begins, on line `firstLine`.
  static func read(
    _ text: Span<UInt8>, from start: Int, firstLine: Int, dialect: JSONLinesDialect, file: String
  ) throws(WorkloadError) -> TraceBuilder {
    let names = [dialect.prompt, dialect.output, dialect.time, "hash_ids"].map { Array($0.utf8) }
    var rows = TraceBuilder(format: dialect.format, file: file)
    var blocks = dialect.blockTokens.map(PrefixBlocks.init(blockTokens:))
    var position = start
    var line = firstLine
    while true {
      JSONScanner.skipBlanks(text, &position)
      guard position < text.count else { break }
      if text[position] == UInt8(ascii: "\n") {
        position += 1
        line += 1
        continue
      }

      let record = position
      var fields = (prompt: 0..<0, output: 0..<0, time: 0..<0, hashes: 0..<0)
      var isFirst = true
      var isOpen = text[position] == UInt8(ascii: "{")
      var isSound = isOpen
      position += 1
      while isOpen {
        switch JSONScanner.step(text, &position, isFirst: isFirst) {
        case .member(let key, let value):
          if matches(text, key, names[0]) {
            fields.prompt = value
          } else if matches(text, key, names[1]) {
            fields.output = value
          } else if matches(text, key, names[2]) {
            fields.time = value
          } else if matches(text, key, names[3]) {
            fields.hashes = value
          }
          isFirst = false
        case .end:
          isOpen = false
        case .broken:
          isOpen = false
          isSound = false
        }
      }
      if isSound {
        JSONScanner.skipBlanks(text, &position)
        isSound = position >= text.count || text[position] == UInt8(ascii: "\n")
      }

      func fail(_ field: String, _ range: Range<Int>, _ expected: String) -> WorkloadError {
        let value = range.isEmpty ? "(missing)" : CSVImporter.string(text, range)
        return .brokenRow(file: file, line: line, field: field, value: value, expected: expected)
      }
      guard isSound else {
        var end = record
        while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
        throw fail("record", record..<end, "one whole JSON object on a line of its own")
      }
      guard let prompt = Decimal.tokens(text, fields.prompt), prompt >= 1 else {
        throw fail(dialect.prompt, fields.prompt, "a whole number of tokens, at least 1")
      }
      guard let output = Decimal.tokens(text, fields.output), output >= 1 else {
        throw fail(dialect.output, fields.output, "a whole number of tokens, at least 1")
      }
      guard let microseconds = dialect.unit.microseconds(text, fields.time) else {
        throw fail(dialect.time, fields.time, dialect.unit.expectation)
      }
      rows.append(prompt: prompt, output: output, microseconds: microseconds)
      if fields.hashes.isEmpty { blocks = nil }
      if let size = blocks?.blockTokens {
        let count = (Int(prompt) + size - 1) / size
        guard blocks?.appendRow(text, fields.hashes) == count else {
          throw fail(
            "hash_ids", fields.hashes, "a list of \(count) whole numbers, one for every \(size) prompt tokens"
          )
        }
      }
    }
    rows.blocks = blocks
    return rows
  }

  @inline(__always)
  private static func matches(_ text: Span<UInt8>, _ range: Range<Int>, _ name: [UInt8]) -> Bool {
    guard range.count == name.count else { return false }
    for offset in name.indices where text[range.lowerBound + offset] != name[offset] { return false }
    return true
  }
}
