import Serving
import Testing

@testable import Calibration
@testable import CostModels

@Suite struct MeasuredIterationTests {
  private static let header =
    "kind,model,tp,decode_batch,decode_context,prefill_tokens,prefill_prefix,layer_begin,layer_end,layers,skew,"
    + "experts,seconds,spread_s,sustained_s,watts,joules,sm_mhz,throttle\n"

  @Test func readsWhatTheHarnessWrites() throws {
    let rows = try rows(
      "layered,qwen3-30b-a3b,1,16,2048,8192,512,21,24,48,0,4080,0.017,1e-05,0.017,600,10.2,1980,4\n"
        + "decode,qwen3-8b,1,16,1024,0,0,0,0,36,0,0,0.0045,1e-05,,,,,\n")
    #expect(rows.map(\.kind) == [.layered, .decode])
    #expect(rows[0].prefill == PrefillSegment(tokens: 8192, prefix: 512))
    #expect(rows[0].prefillLayers == 21..<24)
    #expect(rows.map(\.joules) == [10.2, nil])
    #expect(rows.map(\.line) == [3, 4])
  }

  /// What a lower clock adds in a steady load is no pause; the host's part is.
  @Test func pausesAreThoseAtFullClock() throws {
    let rows = try rows(
      "decode,a,1,1,8,0,0,0,0,2,0,0,0.010,0,0.0125,300,3.75,1980,0\n"
        + "decode,a,1,1,8,0,0,0,0,2,0,0,0.010,0,0.0125,700,8.75,1500,4\n"
        + "decode,a,1,1,8,0,0,0,0,2,0,0,0.010,0,,,,,\n")
    #expect(rows.map { ($0.pause * 1e6).rounded() } == [2500, 0, 0])
  }

  @Test(arguments: [
    ("other,m,1,1,1,0,0,0,0,2,0,0,1,0,,,,,", "t.csv:3: kind is 'other'"),
    ("layered,m,1,1,1,8,0,1,3,2,0,0,1,0,,,,,", "t.csv:3: layers 1 to 3 of 2"),
    ("decode,m,1,1,1,8,0,0,2,2,0,0,1,0,,,,,", "t.csv:3: expected prefill tokens with their layers"),
    ("decode,m,1,0,0,0,0,0,0,2,0,0,1,0,,,,,", "t.csv:3: expected prefill tokens with their layers"),
    ("decode,m,1,1,1,0,0,0,0,2,0,0,0,0,,,,,", "t.csv:3: expected prefill tokens with their layers"),
    ("decode,m,1,1,1,0,0,0,0,2,0,0,1,0,1,1,none,,", "t.csv:3: joules is 'none'"),
    ("decode,m,1,1,1,0,0,0,0,2,0,0,fast,0,,,,,", "t.csv:3: seconds is 'fast'"),
    ("decode,m,1,1,1,0,0,0,0,2,0,0,1,0,abc,,,,", "t.csv:3: sustained_s is 'abc'"),
    ("decode,m,1,1,1,0,0,0,0,2,0,0,1,0,-1,,,,", "t.csv:3: sustained_s is '-1'"),
    ("decode,m,1,1,1,0,0,0,0,2,0,0,1,0,1,,,nan,", "t.csv:3: sm_mhz is 'nan'"),
    ("decode,m,1,1,1,0,0,0,0,2,0,0,1,0,1,,,99999,", "t.csv:3: sm_mhz is 99999.0, expected at most 10000"),
    ("decode,m,0,1,1,0,0,0,0,2,0,0,1,0,,,,,", "t.csv:3: tp is 0, expected a whole number from 1 to 1024"),
    ("decode,m,1,1000000000,1,0,0,0,0,2,0,0,1,0,,,,,", "t.csv:3: decode_batch is 1000000000, expected"),
    ("decode,m,1,1,1000000000,0,0,0,0,2,0,0,1,0,,,,,", "t.csv:3: decode_context is 1000000000, expected"),
    ("decode,m,1,1,1", "t.csv: line 3: row: '5 fields' should be 19 fields, as in the header"),
  ])
  func namesTheLineThatIsWrong(row: String, message: String) {
    let error = #expect(throws: CalibrationError.self) { try rows(row + "\n") }
    #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
  }

  private func rows(_ text: String) throws -> [MeasuredIteration] {
    let file = "# gpu: NVIDIA H200\n" + Self.header + text
    return try MeasuredIteration.rows(of: KernelTable(bytes: Array(file.utf8), path: "t.csv"))
  }
}
