import Serving
import Statistics
import Support

extension WorkloadSpecification {
  /// The part of a trace that is played.
  func slice(of source: TraceFile) throws(WorkloadError) -> TraceFile {
    guard traceStart != nil || traceEnd != nil else { return source }
    guard case .trace(let trace) = source else {
      throw .contradiction("--trace-start, --trace-end: a length model has no rows to choose from")
    }
    let first = try row(of: traceStart, option: "--trace-start", in: trace) ?? 0
    let end = try row(of: traceEnd, option: "--trace-end", in: trace) ?? trace.rows.count
    guard first < end else {
      throw .contradiction(
        "--trace-start \(traceStart ?? "0") to --trace-end \(traceEnd ?? "the end") holds no row of the "
          + "\(trace.rows.count)")
    }
    return .trace(trace.slice(first..<end))
  }

  /// The first row that is not before a place.
  private func row(of text: String?, option: String, in trace: Trace) throws(WorkloadError) -> Int? {
    guard let text else { return nil }
    if let row = Int(text), row >= 0 { return min(row, trace.rows.count) }
    guard text.last == "s", let time = Double(text.dropLast()), time >= 0, time.isFinite else {
      throw .invalidOption(option, value: text, expected: "a number of rows, or a time such as 120s")
    }
    guard trace.hasArrivals else {
      throw .contradiction("\(option) \(text): the trace has no arrivals; give a number of rows")
    }
    return trace.rows.firstIndex { $0.arrival >= time } ?? trace.rows.count
  }

  /// Requests of random lengths, uniform from a share of the longest to the longest, or all of one length.
  func randomLengths() throws(WorkloadError) -> Workload {
    guard let input = inputLength, let output = outputLength else {
      throw .contradiction(
        "--input-len, --output-len: both are needed, such as --input-len 1024 --output-len 128")
    }
    for (option, value) in [("--input-len", input), ("--output-len", output)] {
      guard (1...1 << 24).contains(value) else {
        throw .invalidOption(option, value: "\(value)", expected: "1 to \(1 << 24) tokens")
      }
    }
    let ratio = rangeRatio ?? 1
    guard ratio > 0, ratio <= 1 else {
      throw .invalidOption("--range-ratio", value: "\(ratio)", expected: "more than 0, at most 1")
    }
    guard timeUnit == nil, traceStart == nil, traceEnd == nil, !shuffle else {
      throw .contradiction("--input-len: random lengths take the place of a trace; leave out its options")
    }
    let process = try arrivalProcess(for: .trace(lengths(input, output, ratio, count: 1)))
    guard numPrompts != nil || process.rate != nil else {
      throw .contradiction("--num-prompts: missing; random lengths all at once have no number of their own")
    }
    let count = try count(of: .trace(lengths(input, output, ratio, count: 1)), process)
    let trace = lengths(input, output, ratio, count: min(count, 1_000_000))
    return Workload(name: trace.name, source: .trace(trace), arrivals: process, count: count, seed: seed)
  }

  private func lengths(_ input: Tokens, _ output: Tokens, _ ratio: Double, count: Int) -> Trace {
    var random = SplitMix64(seed: seed, purpose: "lengths")
    func draw(_ most: Tokens) -> Int32 {
      let least = max(1, Int((Double(most) * ratio).rounded(.up)))
      let span = UInt64(most - least + 1)
      return Int32(clamping: least + Int(random.next().multipliedFullWidth(by: span).high))
    }
    let rows = (0..<count).map { _ in
      TraceRow(promptTokens: draw(input), outputTokens: draw(output), arrival: .nan)
    }
    let name = "random-\(input)-\(output)" + (ratio < 1 ? "-\(ratio)" : "")
    return Trace(
      name: name, format: .lengths, rows: rows, hasArrivals: false,
      digest: SHA256.hexDigest(of: Array("\(name) \(seed)".utf8)))
  }
}
