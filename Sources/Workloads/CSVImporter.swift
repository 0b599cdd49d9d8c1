/// Reads traces in CSV.
enum CSVImporter {
  /// Reads a whole file; `start` is where its header begins, on line `firstLine`.
  static func read(
    _ text: Span<UInt8>, from start: Int, firstLine: Int, file: String
  ) throws(WorkloadError) -> TraceBuilder {
    var position = start
    var line = firstLine
    var header: [String] = []
    var end = CSVField.End.comma
    while end == .comma {
      let field = CSVField(text, at: &position, line: &line)
      header.append(Self.string(text, field.range))
      end = field.end
    }
    guard end == .line, let (dialect, columns) = CSVDialect.recognise(header) else {
      throw .unknownFormat(file: file, beginning: Self.quotable(header.joined(separator: ",")))
    }

    var rows = TraceBuilder(format: dialect.format, file: file)
    rows.hasArrivals = columns.contains(.time)
    var isFirst = true
    while position < text.count {
      if isBlankLine(text, &position) {
        line += 1
        continue
      }
      let rowLine = line
      var prompt = 0..<0
      var output = 0..<0
      var time = 0..<0
      var count = 0
      repeat {
        let field = CSVField(text, at: &position, line: &line)
        guard field.end != .brokenQuotes else {
          throw .brokenRow(
            file: file, line: rowLine, field: count < header.count ? header[count] : "row",
            value: string(text, field.range), expected: "closed by a quotation mark and followed by a comma")
        }
        if count < columns.count {
          switch columns[count] {
          case .ignored: break
          case .prompt: prompt = field.range
          case .output: output = field.range
          case .time: time = field.range
          }
        }
        count += 1
        end = field.end
      } while end == .comma
      guard count == columns.count else {
        throw .brokenRow(
          file: file, line: rowLine, field: "row", value: "\(count) fields",
          expected: "\(columns.count) fields, as in the header")
      }

      func fail(_ column: CSVDialect.Column, _ range: Range<Int>, _ expected: String) -> WorkloadError {
        let name = columns.firstIndex(of: column).map { header[$0] } ?? "row"
        return .brokenRow(
          file: file, line: rowLine, field: name, value: string(text, range), expected: expected)
      }
      let least: Int32 = dialect.marksFailures ? 0 : 1
      guard let promptTokens = Decimal.tokens(text, prompt), promptTokens >= least else {
        throw fail(.prompt, prompt, "a whole number of tokens, at least \(least)")
      }
      guard let outputTokens = Decimal.tokens(text, output), outputTokens >= least else {
        throw fail(.output, output, "a whole number of tokens, at least \(least)")
      }
      if isFirst {
        isFirst = false
        if dialect.unit == .calendar && isMasked(text, time) { rows.hasArrivals = false }
      }
      var microseconds = 0
      if rows.hasArrivals {
        guard let moment = dialect.unit.microseconds(text, time) else {
          throw fail(.time, time, dialect.unit.expectation)
        }
        microseconds = moment
      } else if dialect.needsTime, !isMasked(text, time) {
        throw fail(.time, time, "XXX, as in the first row")
      }
      if promptTokens == 0 || outputTokens == 0 {
        rows.failures += 1
      } else {
        rows.append(prompt: promptTokens, output: outputTokens, microseconds: microseconds)
      }
    }
    return rows
  }

  /// The text of a field, for a message or a header.
  static func string(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
    var bytes: [UInt8] = []
    for index in range { bytes.append(text[index]) }
    return quotable(String(decoding: bytes, as: UTF8.self))
  }

  /// A text of others, fit to be shown in a line: short, and without control characters.
  static func quotable(_ text: String) -> String {
    let start = String(text.prefix(80))
    let clean = start.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) }
    return String(clean) + (text.count > 80 ? "…" : "")
  }

  /// Whether a time is the `XXX` that stands for an unknown one.
  private static func isMasked(_ text: Span<UInt8>, _ field: Range<Int>) -> Bool {
    field.count == 3 && field.allSatisfy { text[$0] | 0x20 == UInt8(ascii: "x") }
  }

  /// Whether the line at `position` is empty; if so, moves past it.
  @inline(__always)
  private static func isBlankLine(_ text: Span<UInt8>, _ position: inout Int) -> Bool {
    var index = position
    while index < text.count, text[index] <= UInt8(ascii: " ") {
      if text[index] == UInt8(ascii: "\n") {
        position = index + 1
        return true
      }
      index += 1
    }
    guard index == text.count else { return false }
    position = index
    return true
  }
}
