import Support

/// Checks and gathers the rows of a trace while its file is read, and puts them in order at the end.
struct TraceBuilder {
  private let file: String
  private let format: TraceFormat
  private let names: Names
  private let unit: TimeUnit
  /// Whether a row without prompt or output tokens is a failed request, rather than an error.
  private let marksFailures: Bool
  /// Whether rows have a field for the moment of their arrival.
  private let hasTimes: Bool
  /// Whether those fields hold `XXX`, as published traces do whose arrivals are not to be known.
  private var isMasked = false
  private var failures = 0
  private var blocks: PrefixBlocks?
  /// Rows with their arrivals in microseconds since any moment.
  private var rows: [TraceRow] = []

  /// What a format calls its fields.
  struct Names {
    var prompt: String
    var output: String
    var time: String
  }

  init(file: String, dialect: CSVDialect, names: Names, hasTimes: Bool) {
    self.file = file
    self.names = names
    self.hasTimes = hasTimes
    format = dialect.format
    unit = dialect.unit
    marksFailures = dialect.marksFailures
  }

  init(file: String, dialect: JSONLinesDialect) {
    self.file = file
    format = dialect.format
    names = Names(prompt: dialect.prompt, output: dialect.output, time: dialect.time)
    unit = dialect.unit
    marksFailures = false
    hasTimes = true
    blocks = dialect.blockTokens.map(PrefixBlocks.init(blockTokens:))
  }

  /// Takes a row, or counts it as a failed request.
  mutating func take(_ fields: TraceFields, of text: Span<UInt8>) throws(WorkloadError) {
    let least: Int32 = marksFailures ? 0 : 1
    guard let prompt = Decimal.tokens(text, fields.prompt), prompt >= least else {
      throw broken(names.prompt, fields.prompt, fields, text, "a whole number of tokens, at least \(least)")
    }
    guard let output = Decimal.tokens(text, fields.output), output >= least else {
      throw broken(names.output, fields.output, fields, text, "a whole number of tokens, at least \(least)")
    }
    let arrival = try arrival(fields, text)
    guard prompt > 0, output > 0 else {
      failures += 1
      return
    }
    rows.append(TraceRow(promptTokens: prompt, outputTokens: output, arrival: arrival))
    if fields.hashes.isEmpty { blocks = nil }
    guard let size = blocks?.blockTokens else { return }
    let count = (Int(prompt) + size - 1) / size
    guard blocks?.appendRow(text, fields.hashes) == count else {
      let expected = "a list of \(count) whole numbers, one for every \(size) prompt tokens"
      throw broken("hash_ids", fields.hashes, fields, text, expected)
    }
  }

  /// The moment of a row in microseconds, or not a number if the trace does not tell.
  private mutating func arrival(_ fields: TraceFields, _ text: Span<UInt8>) throws(WorkloadError) -> Double {
    guard hasTimes else { return .nan }
    if unit == .calendar, isMasked || rows.isEmpty {
      let isX = fields.time.count == 3 && fields.time.allSatisfy { text[$0] | 0x20 == UInt8(ascii: "x") }
      guard isX || !isMasked else { throw broken(names.time, fields.time, fields, text, "XXX, as above") }
      isMasked = isX
      if isX { return .nan }
    }
    guard let moment = unit.microseconds(text, fields.time) else {
      throw broken(names.time, fields.time, fields, text, unit.expectation)
    }
    return Double(moment)
  }

  private func broken(
    _ name: String, _ field: Range<Int>, _ fields: TraceFields, _ text: Span<UInt8>, _ expected: String
  ) -> WorkloadError {
    let value = field.isEmpty ? "(missing)" : String(onOneLine: text, field)
    return .brokenRow(file: file, line: fields.line, field: name, value: value, expected: expected)
  }

  /// The trace: in order of arrival, the first at 0.
  func finished(name: String, digest: String) throws(WorkloadError) -> Trace {
    guard !rows.isEmpty else { throw .emptyTrace(file: file) }
    let hasArrivals = hasTimes && !isMasked
    let reordered = rows.indices.dropFirst().count { rows[$0].arrival < rows[$0 - 1].arrival }
    var trace = Trace(
      name: name, format: format, rows: rows, hasArrivals: hasArrivals, failures: failures,
      reordered: reordered, digest: digest, prefixBlocks: blocks)
    if reordered > 0 {
      trace = trace.inOrder(of: rows.indices.sorted { (rows[$0].arrival, $0) < (rows[$1].arrival, $1) })
    }
    if hasArrivals { trace.startAtZero() }
    return trace
  }
}
