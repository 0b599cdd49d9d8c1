import Serving
import Testing

@testable import Workloads

/// Files as people have them: what can be a time is read as one, and what is odd is said.
@Suite struct TraceKindsTests {
  static let arrivals = [0, 0.25, 1.5]

  func trace(_ text: String, unit: TimeUnit? = nil) throws -> Trace {
    guard case .trace(let trace) = try TraceFile.parse(Array(text.utf8), file: "t.csv", timeUnit: unit) else {
      throw WorkloadError.emptyTrace(file: "t.csv")
    }
    return trace
  }

  @Test(arguments: [
    ("arrived_at", ["0", "0.25", "1.5"]), ("arrival_time", ["7", "7.25", "8.5"]),
    ("timestamp", ["0", "0.25", "1.5"]),
    ("Arrival Time (ignored)", []), ("arrival_ms", ["0", "250", "1500"]),
    ("start_time_us", ["5", "250005", "1500005"]),
    ("arrival_time_ns", ["0", "250000000", "1500000000"]),
    ("created_at", ["2024-06-10 12:00:00", "2024-06-10 12:00:00.25", "2024-06-10 12:00:01.5"]),
    ("arrived_at", ["1718000000000", "1718000000250", "1718000001500"]),
    ("ts", ["1718000000000000", "1718000000250000", "1718000001500000"]),
    ("arrived_at", ["1718000000", "1718000000.25", "1718000001.5"]),
  ])
  func anyColumnThatCanBeATimeIsRead(column: String, times: [String]) throws {
    guard !times.isEmpty else {
      let error = #expect(throws: WorkloadError.self) {
        try trace("\(column),prompt_len,output_len\n0,10,5\n")
      }
      #expect(error?.description.contains("arrived_at_ms") == true)
      return
    }
    for names in [
      "prompt_len,output_len", "num_prefill_tokens,num_decode_tokens", "input_length,output_length",
    ] {
      let rows = times.map { "\($0),10,5\n" }.joined()
      let trace = try trace("\(column),\(names)\n" + rows)
      #expect(trace.hasArrivals)
      #expect(trace.rows.map(\.arrival) == Self.arrivals)
    }
  }

  @Test func nanosecondsAreRoundedToTheNearestMicrosecond() throws {
    let rows = ["0", "1499", "1500", "2501"].map { "\($0),10,5\n" }.joined()
    let trace = try trace("arrival_time_ns,prompt_len,output_len\n" + rows)
    #expect(trace.rows.map { ($0.arrival * 1e6).rounded() } == [0, 1, 2, 3])
  }

  /// A thousandth, rounded half up, and whether nothing was rounded away.
  @Test(arguments: [
    ("2000", 2, true), ("2499", 2, false), ("2500", 3, false), ("2000.5", 2, false), ("0", 0, true),
  ])
  func thousandthsSayWhetherTheyAreExact(text: String, value: Int, isExact: Bool) {
    let bytes = Array(text.utf8)
    let found = Decimal.scaled(bytes.span, 0..<bytes.count, by: -3)
    #expect(found?.value == value && found?.isExact == isExact)
  }

  /// More than 5,000 requests a second are more than anybody serves: Mooncake's moments are milliseconds.
  @Test(arguments: [(1, true), (1000, false)]) func ratesBeyondBeliefAreSaid(milliseconds: Int, isSaid: Bool)
    throws
  {
    // Ten requests at each moment.
    let lines = (0..<40).map {
      #"{"timestamp": \#($0 / 10 * milliseconds), "input_length": 10, "output_length": 5, "hash_ids": [\#($0)]}"#
    }
    let trace = try Trace(parsing: lines.joined(separator: "\n") + "\n", file: "t.jsonl")
    #expect(trace.format == .mooncake)
    #expect(trace.warnings.contains { $0.contains("give --time-unit s") } == isSaid)
  }

  @Test func theSurestColumnCounts() throws {
    let trace = try trace("time,arrived_at,prompt_len,output_len\n9,0,10,5\n5,2,10,5\n")
    #expect(trace.rows.map(\.arrival) == [0, 2])
  }

  @Test func columnsOfTheSameNameAreRefused() {
    let error = #expect(throws: WorkloadError.self) {
      try trace("prompt_len,prompt_len,output_len\n1,2,3\n")
    }
    #expect(error?.description.contains("'prompt_len'") == true)
  }

  static let lines = """
    {"timestamp": 0.0, "input_length": 10, "output_length": 5}
    {"timestamp": 0.25, "input_length": 10, "output_length": 5}
    {"timestamp": 1.5, "input_length": 10, "output_length": 5}
    """

  @Test func secondsTakenForMillisecondsAreWarnedOf() throws {
    let odd = try trace(Self.lines)
    #expect(odd.warnings.count == 1 && odd.warnings[0].contains("--time-unit s"))
    let right = try trace(Self.lines, unit: .seconds)
    #expect(right.rows.map(\.arrival) == Self.arrivals && right.warnings.isEmpty)
  }

  @Test func arraysAreReadAsLines() throws {
    let array = "[\n  " + Self.lines.split(separator: "\n").joined(separator: ",\n  ") + "\n]\n"
    let spread = array.replacing(", ", with: ",\n    ")
    for text in [array, spread] {
      let trace = try trace(text)
      #expect(trace.rows.map(\.arrival) == [0, 0.00025, 0.0015])
      #expect(trace.format == .mooncake)
    }
    let broken = #expect(throws: WorkloadError.self) { try trace(array + "x") }
    #expect(broken?.description.contains("line 4") == true)
    #expect(throws: WorkloadError.self) { try trace("[") }
  }

  @Test func theSizeOfBlocksIsThatOfTheFile() throws {
    func lines(_ rows: [(Int, Int)]) -> String {
      rows.map {
        "{\"timestamp\": 0, \"input_length\": \($0.0), \"output_length\": 1, \"hash_ids\": \(Array(0..<$0.1))}\n"
      }.joined()
    }
    #expect(try trace(lines([(128, 2), (192, 3)])).prefixBlocks?.blockTokens == 64)
    #expect(try trace(lines([(5, 1), (600, 2)])).prefixBlocks?.blockTokens == 512)
    #expect(try trace(lines([(5, 1), (33, 3)])).prefixBlocks?.blockTokens == 16)
    // No size makes both of these.
    #expect(throws: WorkloadError.self) { try trace(lines([(128, 2), (192, 12)])) }
  }

  @Test(arguments: [
    "arrived_at,num_prefill_tokens,num_decode_tokens\n0,10,0\n1,10,5\n2,0,5\n",
    "prompt_len,output_len\n10,0\n10,5\n0,5\n",
    "TIMESTAMP,ContextTokens,GeneratedTokens\nXXX,10,0\nXXX,10,5\nXXX,0,5\n",
    """
    {"timestamp": 0, "input_length": 10, "output_length": 0}
    {"timestamp": 1, "input_length": 10, "output_length": 5}
    {"timestamp": 2, "input_length": 0, "output_length": 5}
    """,
  ])
  func rowsWithoutTokensAreLeftOutAndSaid(text: String) throws {
    let trace = try trace(text)
    #expect(trace.rows.map(\.promptTokens) == [10] && trace.failures == 2)
    #expect(trace.warnings == ["t: 2 rows without prompt or output tokens are left out"])
  }
}
