import Testing
import Workloads

@Suite struct TraceParsingTests {
  /// A few rows in each format, all of them the same three requests.
  static let samples: [(TraceFormat, String)] = [
    (
      .vidur,
      """
      arrived_at,num_prefill_tokens,num_decode_tokens
      0.0,374,44
      4.314579,396,109
      4.541877,879,55
      """
    ),
    (
      .vidur,
      """
      num_decode_tokens,pd_ratio,num_prefill_tokens,Arrived_At
      44,8.5,374.0,1e1
      109.0,3.63,396,14.314579
      55,15.98,879,14.5418769999
      """
    ),
    (
      .azure,
      """
      TIMESTAMP,ContextTokens,GeneratedTokens
      2023-11-16 18:15:46.6805900,374,44
      2023-11-16 18:15:50.9951690,396,109
      2023-11-16 18:15:51.2224670,879,55
      """
    ),
    (
      .azure,
      """
      TIMESTAMP,NumImages,ContextTokens,GeneratedTokens
      2024-02-29 23:59:59+00:00,0,374,44
      2024-03-01T02:00:03.314579+0200,2,396,109
      2024-02-29T22:30:03.541877-01:30,0,879,55
      """
    ),
    (
      .burstGPT,
      """
      Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
      5,ChatGPT,472,0,472,Conversation log
      7,ChatGPT,374,44,418,Conversation log
      11.314579,"GPT-4, ""turbo"" chat",396,109,505,API log
      11.541877,GPT-4,879,55,934,API log
      12,GPT-4,0,55,55,API log
      """
    ),
    (
      .burstGPT,
      """
      Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type
      19440110.0,1722ac82-0a46-4bf0-aa08-89794e7a2b3f,43,GPT-4,374,44,418,Conversation log
      19440114.314579,,,ChatGPT,396,109,505,API log
      19440114.541877,,2,ChatGPT,879,55,934,API log
      """
    ),
    (
      .mooncake,
      """
      {"timestamp": 27000, "input_length": 374, "output_length": 44, "hash_ids": [7]}
      {"timestamp": 31314.579, "input_length": 396, "output_length": 109, "hash_ids": [8], "session_id": "a,}"}
      {"timestamp":31541.877,"input_length":879,"output_length":55,"hash_ids":[8,9]}
      """
    ),
    (
      .bailian,
      """
      {"chat_id": 159, "timestamp": 61.0, "input_length": 374, "output_length": 44, "type": "text", "turn": 1}
      {"chat_id": 160, "timestamp": 65.314579, "input_length": 396, "output_length": 109, "type": "text"}
      {"chat_id": 161, "timestamp": 65.541877, "input_length": 879, "output_length": 55, "nested": {"a": ["]"]}}
      """
    ),
    (
      .llmServingSim,
      """
      {"input_toks": 374, "output_toks": 44, "arrival_time_ns": 1000, "input_tok_ids": [1, 2]}
      {"input_toks": 396, "output_toks": 109, "arrival_time_ns": 4314580000, "input_tok_ids": [1, 2]}
      {"input_toks": 879, "output_toks": 55, "arrival_time_ns": 4541878400, "input_tok_ids": []}
      """
    ),
    (
      .apex,
      """
      {"StartTimeOffset": 0, "ContextTokens": 374, "GeneratedTokens": 44}
      {"StartTimeOffset": 4314579000, "ContextTokens": 396, "GeneratedTokens": 109}
      {"StartTimeOffset": 4541877000, "ContextTokens": 879, "GeneratedTokens": 55}
      """
    ),
    (
      .lengths,
      """
      arrived_at,prompt_len,output_len
      0,374,44
      4.314579,396,109
      4.541877,879,55
      """
    ),
  ]

  @Test(arguments: samples)
  func everyFormatSaysTheSame(format: TraceFormat, text: String) throws {
    let trace = try Trace(parsing: text, file: "some/folder/sample.csv")
    #expect(trace.format == format)
    #expect(trace.name == "sample")
    #expect(trace.rows.map(\.promptTokens) == [374, 396, 879])
    #expect(trace.rows.map(\.outputTokens) == [44, 109, 55])
    #expect(trace.rows.map(\.arrival) == [0, 4.314579, 4.541877])
    #expect(trace.span == 4.541877)
    #expect(trace.reordered == 0)
  }

  @Test(arguments: samples)
  func byteOrderMarkLineEndsAndBlankLinesDoNotMatter(format: TraceFormat, text: String) throws {
    let plain = try Trace(parsing: text, file: "a")
    let windows = "\u{feff}" + text.split(separator: "\n").joined(separator: "\r\n") + "\r\n\r\n  \n"
    let trace = try Trace(parsing: windows, file: "a")
    #expect(trace.rows == plain.rows)
    #expect(trace.failures == plain.failures)
    #expect(trace.digest != plain.digest)
  }

  @Test(arguments: [
    "num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n74,918,992,0.08\n290,905,1195,0.32\n",
    "prompt_len,output_len\n74,918\n290,905\n",
    "id,prompt_tokens,completion_tokens\na,74,918\nb,290,905",
    "\"input_len\" , \"output_len\"\n\"74\",\"918.0\"\r\n 290 , 9.05e2 ",
    "input_length,output_length\n74,918\n290,905\n",
    "TIMESTAMP,ContextTokens,GeneratedTokens\nXXX,74,918\nXXX,290,905\n",
  ])
  func lengthsNeedNoArrivals(text: String) throws {
    let trace = try Trace(parsing: text, file: "a")
    #expect(!trace.hasArrivals)
    #expect(trace.rows.map(\.promptTokens) == [74, 290])
    #expect(trace.rows.map(\.outputTokens) == [918, 905])
    #expect(trace.rows.allSatisfy { $0.arrival.isNaN })
    #expect(trace.span == 0)
  }

  @Test func failedRequestsAreLeftOutAndCounted() throws {
    let trace = try Trace(
      parsing: "Timestamp,Request tokens,Response tokens\n1,0,5\n2,5,0\n3,5,5\n4,0,0\n", file: "a")
    #expect(trace.failures == 3)
    #expect(trace.rows == [TraceRow(promptTokens: 5, outputTokens: 5, arrival: 0)])
  }

  @Test func rowsOutOfOrderAreSortedAndThoseOfOneMomentKeepTheirOrder() throws {
    let trace = try Trace(
      parsing: """
        {"timestamp": 3000, "input_length": 600, "output_length": 1, "hash_ids": [1, 2]}
        {"timestamp": 0, "input_length": 2, "output_length": 1, "hash_ids": [3]}
        {"timestamp": 3000, "input_length": 3, "output_length": 1, "hash_ids": [4]}
        {"timestamp": 1000, "input_length": 4, "output_length": 1, "hash_ids": [5]}
        """, file: "a")
    #expect(trace.reordered == 2)
    #expect(trace.rows.map(\.promptTokens) == [2, 4, 600, 3])
    #expect(trace.rows.map(\.arrival) == [0, 1, 3, 3])
    let blocks = try #require(trace.prefixBlocks)
    #expect(blocks.blockTokens == 512)
    #expect((0..<blocks.count).map { Array(blocks[$0]) } == [[3], [5], [1, 2], [4]])
  }

  @Test func aRowWithoutHashesLeavesTheTraceWithoutPrefixBlocks() throws {
    let trace = try Trace(
      parsing: """
        {"timestamp": 0, "input_length": 2, "output_length": 1, "hash_ids": [3]}
        {"timestamp": 1, "input_length": 2, "output_length": 1}
        """, file: "a")
    #expect(trace.prefixBlocks == nil)
  }

  @Test(arguments: [
    ("2023-02-29 00:00:00", false), ("2024-02-29 00:00:00", true), ("1900-02-29 00:00:00", false),
    ("2000-02-29 00:00:00Z", true), ("2024-13-01 00:00:00", false), ("2024-12-01 24:00:00", false),
    ("2024-12-01 00:00:00.", false), ("2024-12-01 00:00:00+1", false), ("2024-12-01 00:00:00+05:3", false),
    ("2024-12-01 00:00:00+05", true), ("2024-12-01", false), ("12", false), ("", false), ("XXX", false),
  ])
  func calendarTimesAreChecked(time: String, isTime: Bool) {
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-01-01 00:00:00,1,1\n\(time),1,1\n"
    let trace = try? Trace(parsing: text, file: "a")
    #expect((trace != nil) == isTime)
  }
}
