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
      header.append(FieldText.string(text, field.range))
      end = field.end
    }
    guard end == .line, let (dialect, columns) = CSVDialect.recognise(header) else {
      throw .unknownFormat(file: file, beginning: FieldText.quotable(header.joined(separator: ",")))
    }

    var rows = TraceBuilder(file: file, dialect: dialect, header: header, columns: columns)
    while position < text.count {
      if skipBlankLine(text, &position) {
        line += 1
        continue
      }
      var fields = TraceFields(line: line)
      var count = 0
      repeat {
        let field = CSVField(text, at: &position, line: &line)
        end = field.end
        if end == .brokenQuotes {
          throw .brokenRow(
            file: file, line: fields.line, field: count < header.count ? header[count] : "row",
            value: FieldText.string(text, field.range),
            expected: "closed by a quotation mark and followed by a comma")
        }
        if count < columns.count {
          switch columns[count] {
          case .ignored: break
          case .prompt: fields.prompt = field.range
          case .output: fields.output = field.range
          case .time: fields.time = field.range
          }
        }
        count += 1
      } while end == .comma
      guard count == columns.count else {
        throw .brokenRow(
          file: file, line: fields.line, field: "row", value: "\(count) fields",
          expected: "\(columns.count) fields, as in the header")
      }
      try rows.take(fields, of: text)
    }
    return rows
  }

  /// Moves past the line at `position` if it is empty, and says whether it was.
  @inline(__always)
  private static func skipBlankLine(_ text: Span<UInt8>, _ position: inout Int) -> Bool {
    var index = position
    while index < text.count, text[index] <= UInt8(ascii: " "), text[index] != UInt8(ascii: "\n") {
      index += 1
    }
    guard index == text.count || text[index] == UInt8(ascii: "\n") else { return false }
    position = index + 1
    return true
  }
}
