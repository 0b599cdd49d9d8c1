/// Gathers the rows of a trace while its file is read, and puts them in order at the end.
struct TraceBuilder {
  var format: TraceFormat
  var file: String
  var hasArrivals = true
  /// Rows left out because they are failed requests.
  var failures = 0
  var blocks: PrefixBlocks?
  /// Rows with their arrivals in microseconds since whenever.
  private var rows: [TraceRow] = []

  init(format: TraceFormat, file: String) {
    self.format = format
    self.file = file
  }

  /// Adds a row.
  @inline(__always)
  mutating func append(prompt: Int32, output: Int32, microseconds: Int) {
    rows.append(TraceRow(promptTokens: prompt, outputTokens: output, arrival: Double(microseconds)))
  }

  /// The trace: in order of arrival, the first at 0.
  func finished(name: String, digest: String) throws(WorkloadError) -> Trace {
    guard !rows.isEmpty else { throw .emptyTrace(file: file) }
    guard hasArrivals else {
      let untimed = rows.map { TraceRow(promptTokens: $0.promptTokens, outputTokens: $0.outputTokens) }
      return Trace(
        name: name, format: format, rows: untimed, hasArrivals: false, failures: failures, digest: digest,
        prefixBlocks: blocks)
    }
    let reordered = rows.indices.dropFirst().count { rows[$0].arrival < rows[$0 - 1].arrival }
    var trace = Trace(
      name: name, format: format, rows: rows, hasArrivals: true, failures: failures, reordered: reordered,
      digest: digest, prefixBlocks: blocks)
    if reordered > 0 {
      trace = trace.inOrder(
        of: rows.indices.sorted { (rows[$0].arrival, $0) < (rows[$1].arrival, $1) })
    }
    trace.startAtZero()
    return trace
  }
}
