import Support

/// Checks and gathers the rows of a trace while its file is read, and puts them in order at the end.
struct TraceBuilder {
  private let file: String
  private let format: TraceFormat
  private let names: Names
  private var unit: TimeUnit
  /// Whether the unit is certain; if not, the first moment may show that it is another one.
  private let unitIsGiven: Bool
  /// Whether rows have a field for the moment of their arrival.
  private let hasTimes: Bool
  /// Whether rows have a field for the number of images in their prompt.
  private var hasImages = false
  /// Whether those fields hold `XXX`, as published traces do whose arrivals are not to be known.
  private var isMasked = false
  private var failures = 0
  private var blocks: PrefixBlocks?
  /// Sizes of a block that all rows so far agree with.
  private var blockSizes: [Int] = []
  /// More images than any prompt has.
  private static let mostImages = 1000
  private static let blockSizes = [512, 16, 32, 64, 128, 256, 1024, 2048, 4096]
  /// Whether moments are taken for milliseconds without having been called so, and whether one has a fraction.
  private var isMilliseconds = false
  private var hasFractions = false
  /// Rows with their arrivals in microseconds since any moment.
  private var rows: [TraceRow] = []

  /// What a format calls its fields.
  struct Names {
    var prompt: String
    var output: String
    var time: String
  }

  init(file: String, dialect: CSVDialect, names: Names, hasTimes: Bool, hasImages: Bool, unitIsGiven: Bool) {
    self.hasImages = hasImages
    self.file = file
    self.names = names
    self.hasTimes = hasTimes
    format = dialect.format
    unit = dialect.unit
    self.unitIsGiven = unitIsGiven
  }

  init(file: String, dialect: JSONLinesDialect, timeUnit: TimeUnit? = nil) {
    self.file = file
    format = dialect.format
    names = Names(prompt: dialect.prompt, output: dialect.output, time: dialect.time)
    unit = timeUnit ?? dialect.unit
    unitIsGiven = timeUnit != nil || dialect.unit != .seconds
    isMilliseconds = timeUnit == nil && dialect.unit == .milliseconds
    hasTimes = true
    if let usual = dialect.blockTokens {
      blocks = PrefixBlocks(blockTokens: usual)
      // The usual size comes first; another one shows in the number of hashes.
      blockSizes = [usual] + Self.blockSizes.filter { $0 != usual }
    }
  }

  /// Takes a row, or leaves it out and counts it if it has no prompt or no output.
  mutating func take(_ fields: TraceFields, of text: Span<UInt8>) throws(WorkloadError) {
    guard let prompt = Decimal.tokens(text, fields.prompt) else {
      throw broken(names.prompt, fields.prompt, fields, text, "a whole number of tokens, 0 or more")
    }
    guard let output = Decimal.tokens(text, fields.output) else {
      throw broken(names.output, fields.output, fields, text, "a whole number of tokens, 0 or more")
    }
    let arrival = try arrival(fields, text)
    guard prompt > 0, output > 0 else {
      failures += 1
      return
    }
    var row = TraceRow(promptTokens: prompt, outputTokens: output, arrival: arrival)
    if hasImages {
      guard let images = Decimal.tokens(text, fields.images), images <= Self.mostImages else {
        let expected = "a whole number of images, from 0 to \(Self.mostImages)"
        throw broken("NumImages", fields.images, fields, text, expected)
      }
      row.images = images
    }
    rows.append(row)
    if fields.hashes.isEmpty { blocks = nil }
    guard blocks != nil else { return }
    let found = blocks?.appendRow(text, fields.hashes)
    let usual = blockSizes[0]
    blockSizes.removeAll { (Int(prompt) + $0 - 1) / $0 != found }
    guard !blockSizes.isEmpty else {
      let count = (Int(prompt) + usual - 1) / usual
      let expected = "a list of \(count) whole numbers, one for every \(usual) prompt tokens"
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
    if !unitIsGiven, unit == .seconds, rows.isEmpty { unit = TimeUnit.ofEpoch(text, fields.time) }
    if isMilliseconds, !hasFractions {
      hasFractions =
        fields.time.contains { text[$0] == UInt8(ascii: ".") }
        && Decimal.scaled(text, fields.time, by: 0)?.isExact == false
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
    var blocks = blocks
    if let size = blockSizes.first { blocks?.blockTokens = size }
    let hasArrivals = hasTimes && !isMasked
    let reordered = rows.indices.dropFirst().count { rows[$0].arrival < rows[$0 - 1].arrival }
    var trace = Trace(
      name: name, format: format, rows: rows, hasArrivals: hasArrivals, failures: failures,
      reordered: reordered, digest: digest, prefixBlocks: blocks)
    if reordered > 0 {
      trace = trace.inOrder(of: rows.indices.sorted { (rows[$0].arrival, $0) < (rows[$1].arrival, $1) })
    }
    if hasArrivals { trace.startAtZero() }
    trace.hasFractionsOfMilliseconds = hasFractions
    return trace
  }
}
