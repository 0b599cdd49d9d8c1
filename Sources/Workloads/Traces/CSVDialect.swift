import Support

/// Where a CSV format keeps what the simulator reads; names are compared without regard to letter case.
struct CSVDialect: Sendable {
  var format: TraceFormat
  /// Names of the column of prompt lengths; the first that the header has counts.
  var prompt: [String]
  /// Names of the column of output lengths.
  var output: [String]
  /// Name of the column of arrivals; `nil` for any column that ``TimeColumn`` knows.
  var time: String?
  /// Whether the format is only recognised with its column of arrivals.
  var needsTime = false
  var unit = TimeUnit.seconds

  /// The CSV formats, the particular ones before the general one.
  static let all = [
    CSVDialect(
      format: .azure, prompt: ["ContextTokens"], output: ["GeneratedTokens"], time: "TIMESTAMP",
      needsTime: true,
      unit: .calendar),
    CSVDialect(
      format: .burstGPT, prompt: ["Request tokens"], output: ["Response tokens"], time: "Timestamp",
      needsTime: true),
    CSVDialect(
      format: .vidur, prompt: ["num_prefill_tokens"], output: ["num_decode_tokens"], time: nil),
    CSVDialect(
      format: .lengths,
      prompt: ["prompt_len", "prompt_length", "prompt_tokens", "input_len", "input_length", "input_tokens"],
      output: ["output_len", "output_length", "output_tokens", "completion_len", "completion_tokens"],
      time: nil),
  ]

  /// The dialect of a header and where its columns are, or nil if no dialect fits.
  ///
  /// - Throws: if a column seems to hold arrivals and it is not known in which unit.
  static func recognise(_ header: CSVReader) throws(WorkloadError) -> (dialect: CSVDialect, columns: Columns)?
  {
    let images = header.firstColumn("NumImages")
    for dialect in all {
      guard let prompt = dialect.prompt.lazy.compactMap(header.firstColumn).first,
        let output = dialect.output.lazy.compactMap(header.firstColumn).first
      else { continue }
      guard let name = dialect.time else {
        let time = try TimeColumn.find(in: header.header, file: header.file)
        var dialect = dialect
        dialect.unit = time?.unit ?? .seconds
        return (
          dialect,
          Columns(
            prompt: prompt, output: output, images: images, time: time?.column,
            unitIsGiven: time?.hasUnit ?? false)
        )
      }
      let time = header.firstColumn(name)
      guard time != nil || !dialect.needsTime else { continue }
      return (dialect, Columns(prompt: prompt, output: output, images: images, time: time))
    }
    return nil
  }

  /// Where the columns are, from 0.
  struct Columns {
    var prompt: Int
    var output: Int
    /// That of numbers of images, if there is one.
    var images: Int?
    /// That of arrivals, if there is one.
    var time: Int?
    /// Whether the name of that column says its unit.
    var unitIsGiven = false
  }
}
