import Support

/// Reads traces in CSV.
enum CSVImporter {
  /// Reads a whole file.
  static func read(_ bytes: [UInt8], file: String, timeUnit: TimeUnit? = nil) throws(WorkloadError)
    -> TraceBuilder
  {
    var reader: CSVReader
    do { reader = try CSVReader(bytes, file: file) } catch { throw WorkloadError(error) }
    guard var (dialect, columns) = try CSVDialect.recognise(reader) else {
      throw .unknownFormat(file: file, beginning: reader.header.joined(separator: ",").onOneLine())
    }
    for name in reader.header where reader.header.count(where: { $0.lowercased() == name.lowercased() }) > 1 {
      let used = [columns.prompt, columns.output, columns.images, columns.time].compactMap {
        $0.map { reader.header[$0] }
      }
      guard used.contains(where: { $0.lowercased() == name.lowercased() }) else { continue }
      throw .unsupported(
        file: file, what: "two columns are called '\(name.onOneLine())'",
        instead: "each needs a name of its own")
    }
    if let timeUnit {
      dialect.unit = timeUnit
      columns.unitIsGiven = true
    }
    let names = TraceBuilder.Names(
      prompt: reader.header[columns.prompt], output: reader.header[columns.output],
      time: columns.time.map { reader.header[$0] } ?? "")
    var rows = TraceBuilder(
      file: file, dialect: dialect, names: names, hasTimes: columns.time != nil,
      hasImages: columns.images != nil,
      unitIsGiven: columns.unitIsGiven)
    let text = bytes.span
    while true {
      do {
        guard try reader.next() else { return rows }
      } catch { throw WorkloadError(error) }
      var fields = TraceFields(line: reader.line)
      fields.prompt = reader[columns.prompt]
      fields.output = reader[columns.output]
      if let time = columns.time { fields.time = reader[time] }
      if let images = columns.images { fields.images = reader[images] }
      try rows.take(fields, of: text)
    }
  }
}
