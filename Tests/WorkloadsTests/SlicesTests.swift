import Serving
import Testing

@testable import Workloads

@Suite struct SlicesTests {
  static let rows = (0..<20).map { "\(Double($0) / 4),\(100 + $0),\(10 + $0)\n" }
  static let header = "arrived_at,prompt_len,output_len\n"

  func load(_ text: String, _ change: (inout WorkloadSpecification) -> Void) throws -> Workload {
    // The file must exist; what it holds is given.
    var specification = WorkloadSpecification(trace: #filePath)
    change(&specification)
    return try specification.load(tracesDirectory: "nowhere") { path, unit throws(WorkloadError) in
      try TraceFile.parse(Array(text.utf8), file: path, timeUnit: unit)
    }
  }

  static let slices: [(String?, String?, Range<Int>)] = [
    ("4", "9", 4..<9), ("1s", "2.25s", 4..<9), ("0", nil, 0..<20), ("3.3s", nil, 14..<20),
    (nil, "1.1s", 0..<5),
    (nil, "500", 0..<20),
  ]
  static let empty: [(String?, String?)] = [
    ("20", nil), ("5", "5"), ("x", nil), ("-1", nil), (nil, "0s"), ("9", "2"),
  ]

  /// A slice is the same as the file with the other rows cut out.
  @Test(arguments: slices)
  func aSliceIsAsIfCutOut(start: String?, end: String?, range: Range<Int>) throws {
    let sliced = try load(Self.header + Self.rows.joined()) {
      $0.traceStart = start
      $0.traceEnd = end
    }
    let cut = try load(Self.header + Self.rows[range].joined()) { _ in }
    #expect(Array(sliced) == Array(cut))
  }

  @Test(arguments: empty)
  func emptySlicesAreRefused(start: String?, end: String?) {
    #expect(throws: WorkloadError.self) {
      try load(Self.header + Self.rows.joined()) {
        $0.traceStart = start
        $0.traceEnd = end
      }
    }
  }

  func random(_ input: Int?, _ output: Int?, _ ratio: Double?, seed: UInt64 = 0) throws -> [Request] {
    var specification = WorkloadSpecification(trace: "random", requestRate: 5, numPrompts: 400, seed: seed)
    specification.inputLength = input
    specification.outputLength = output
    specification.rangeRatio = ratio
    return Array(try specification.load(tracesDirectory: "nowhere"))
  }

  @Test func fixedLengthsAreFixed() throws {
    let requests = try random(1024, 128, nil)
    #expect(requests.count == 400)
    #expect(requests.allSatisfy { $0.promptTokens == 1024 && $0.outputTokens == 128 })
  }

  /// Uniform from 800 to 1,000: both ends occur among 400 draws nearly surely within 2 tokens, and the mean is 900 +- 3 x 2.9.
  @Test func randomLengthsFillTheirRange() throws {
    let prompts = try random(1000, 100, 0.8).map(\.promptTokens)
    #expect(prompts.allSatisfy { (800...1000).contains($0) })
    #expect((prompts.min() ?? 0) < 806 && (prompts.max() ?? 0) > 994)
    #expect(abs(Double(prompts.reduce(0, +)) / 400 - 900) < 9)
    #expect(try random(1000, 100, 0.8).map(\.promptTokens) == prompts)
    #expect(try random(1000, 100, 0.8, seed: 1).map(\.promptTokens) != prompts)
  }

  @Test func randomLengthsAllAtOnceNeedANumber() throws {
    var specification = WorkloadSpecification(trace: "random", requestRate: .infinity, seed: 0)
    (specification.inputLength, specification.outputLength) = (10, 5)
    let error = #expect(throws: WorkloadError.self) { try specification.load(tracesDirectory: "nowhere") }
    #expect(error?.description.contains("--num-prompts: missing") == true)
    specification.numPrompts = 3
    #expect(try Array(specification.load(tracesDirectory: "nowhere")).map(\.arrival) == [0, 0, 0])
  }

  @Test func halfAskedForLengthsAreRefused() {
    for (input, output, ratio) in [(1024, nil, nil), (nil, 5, nil), (0, 5, nil), (5, 5, 1.5), (5, 5, 0)]
      as [(Int?, Int?, Double?)]
    {
      #expect(throws: WorkloadError.self) { try random(input, output, ratio) }
    }
  }
}
