import Serving
import Statistics
import Support
import Testing

@testable import Workloads

@Suite struct BrokenTraceTests {
  static let header = "arrived_at,num_prefill_tokens,num_decode_tokens\n"
  static let record = #"{"timestamp": 0, "input_length": 5, "output_length": 5, "hash_ids": [1]}"# + "\n"

  /// Text, and what the message has to say about it.
  static let broken: [(String, [String])] = [
    (header + "0,1,1\n1,twelve,1\n", ["t.csv: line 3: num_prefill_tokens: 'twelve'", "a whole number"]),
    (header + "0,1,1\n\n\n1,1,-1\n", ["line 5: num_decode_tokens: '-1'", "0 or more"]),
    (header + "0,-1,1\n", ["line 2: num_prefill_tokens: '-1'"]),
    (header + "0,1.5,1\n", ["line 2: num_prefill_tokens: '1.5'"]),
    (header + "0,,1\n", ["line 2: num_prefill_tokens: '(missing)'"]),
    (header + "0,1,99999999999999999999\n", ["line 2: num_decode_tokens: '99999999999999999999'"]),
    (header + "0,1,3000000000\n", ["line 2: num_decode_tokens"]),
    (header + "nan,1,1\n", ["line 2: arrived_at: 'nan'", "seconds"]),
    (header + "-1,1,1\n", ["line 2: arrived_at: '-1'"]),
    (header + "1e300,1,1\n", ["line 2: arrived_at: '1e300'"]),
    (header + "0,1\n", ["line 2: row: '2 fields'", "3 fields"]),
    (header + "0,1,1,1\n", ["line 2: row: '4 fields'"]),
    (header + "0,\"1,1\n", ["line 2: num_prefill_tokens", "quotation mark"]),
    (header + "0,\"1\"1,1\n", ["line 2: num_prefill_tokens: '1'", "quotation mark"]),
    (header, ["t.csv: the trace holds no request"]),
    ("", ["t.csv: the trace holds no request"]),
    (" \r\n\n", ["t.csv: the trace holds no request"]),
    ("a,b,c\n1,2,3\n", ["line 1: unknown trace format 'a,b,c'", "Vidur", "Mooncake", "prompt_len"]),
    ("1,2,3\n", ["line 1: unknown trace format '1,2,3'"]),
    ("\"a", ["line 1: unknown trace format 'a'"]),
    (record + "{\"timestamp\": 0, \"input_length\": 5}\n", ["line 2: output_length: '(missing)'"]),
    (
      record + "\n{\"timestamp\": 0, \"input_length\": 5\n",
      ["line 3: record: '{\"timestamp\": 0", "one whole JSON"]
    ),
    (record + "[]\n", ["line 2: record: '[]'"]),
    (record + "{}{}\n", ["line 2: record: '{}{}'"]),
    (record + "{\"a\": \"", ["line 2: record"]),
    (record + "{\"a\\", ["line 2: record"]),
    (
      record + "{\"timestamp\": null, \"input_length\": 5, \"output_length\": 5}",
      ["line 2: timestamp: 'null'", "milliseconds"]
    ),
    (
      record + "{\"timestamp\": 1, \"input_length\": 5, \"output_length\": 5, \"hash_ids\": [1, 2]}",
      ["line 2: hash_ids: '[1, 2]'", "1 whole numbers", "512"]
    ),
    (
      record + "{\"timestamp\": 1, \"input_length\": 5, \"output_length\": 5, \"hash_ids\": [x]}",
      ["line 2: hash_ids: '[x]'"]
    ),
    ("{\"a\": 1}\n", ["unknown trace format 'a'"]),
    (
      "[{\"id\": \"x\", \"conversations\": []}]", ["t.csv: conversations hold text", "prompt_len,output_len"]
    ),
    (
      "TIMESTAMP,ContextTokens,GeneratedTokens\nXXX,1,1\n2024-01-01 00:00:00,1,1\n",
      ["line 3: TIMESTAMP", "XXX"]
    ),
  ]

  @Test(arguments: broken)
  func theMessageSaysWhatWhereAndWhatWouldBeRight(text: String, parts: [String]) {
    let error = #expect(throws: WorkloadError.self) { try Trace(parsing: text, file: "t.csv") }
    let message = error?.description ?? ""
    for part in parts { #expect(message.contains(part)) }
    #expect(!message.contains("\n"))
    #expect(error?.exitStatus == .dataError)
  }

  @Test func noTruncationOfAFileCrashes() {
    for (_, text) in TraceParsingTests.samples {
      let bytes = Array(text.utf8)
      for end in bytes.indices {
        _ = try? Trace(parsing: String(decoding: bytes[..<end], as: UTF8.self), file: "t")
      }
    }
  }

  @Test func noBrokenByteCrashes() {
    var random = SplitMix64(seed: 1)
    for (_, text) in TraceParsingTests.samples {
      for _ in 0..<300 {
        var bytes = Array(text.utf8)
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        _ = try? TraceFile.parse(bytes, file: "t")
      }
    }
  }
}
