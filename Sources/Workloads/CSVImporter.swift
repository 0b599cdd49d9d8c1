import Support

/// Reads traces in CSV.
enum CSVImporter {
  /// Reads a whole file.
  static func read(_ bytes: [UInt8], file: String) throws(WorkloadError) -> TraceBuilder {
    var reader: CSVReader
    do { reader = try CSVReader(bytes, file: file) } catch { throw WorkloadError(error) }
    guard let (dialect, columns) = CSVDialect.recognise(reader) else {
      throw .unknownFormat(file: file, beginning: reader.header.joined(separator: ",").onOneLine())
    }
    let names = TraceBuilder.Names(
      prompt: reader.header[columns.prompt], output: reader.header[columns.output],
      time: columns.time.map { reader.header[$0] } ?? "")
    var rows = TraceBuilder(file: file, dialect: dialect, names: names, hasTimes: columns.time != nil)
    let text = bytes.span
    while true {
      do {
        guard try reader.next() else { return rows }
      } catch { throw WorkloadError(error) }
      var fields = TraceFields(line: reader.line)
      fields.prompt = reader[columns.prompt]
      fields.output = reader[columns.output]
      if let time = columns.time { fields.time = reader[time] }
      try rows.take(fields, of: text)
    }
  }
}
