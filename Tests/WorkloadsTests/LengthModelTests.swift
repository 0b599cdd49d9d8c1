import Serving
import Statistics
import Testing

@testable import Workloads

@Suite struct LengthModelTests {
  @Test(arguments: Shipped.names)
  func samplesHaveTheMomentsOfTheirSource(name: String) throws {
    let model = try Shipped.model(name)
    let source = try Shipped.statistics(name)
    var random = SplitMix64(seed: 7, purpose: "lengths")
    let samples = (0..<200_000).map { _ in model.sample(using: &random) }
    for (lengths, expected, mean) in [
      (samples.map(\.prompt), source.prompt, model.meanPromptTokens),
      (samples.map(\.output), source.output, model.meanOutputTokens),
    ] {
      let moments = Moments(lengths.map(Double.init))
      let sorted = lengths.sorted()
      #expect(abs(moments.mean / mean - 1) < 0.01)
      #expect(abs(moments.mean / expected.mean - 1) < 0.02)
      #expect(abs(moments.deviation / expected.std - 1) < 0.1)
      for (share, quantile) in [
        (0.1, expected.p10), (0.5, expected.p50), (0.9, expected.p90), (0.99, expected.p99),
      ] {
        #expect(abs(Double(sorted[Int(share * Double(sorted.count))]) - quantile) < max(2, 0.03 * quantile))
      }
      #expect(sorted[0] >= 1)
    }
    let longest = samples.map { $0.prompt + $0.output }.max() ?? 0
    #expect(longest <= model.longestRequest)
    #expect(longest <= model.maxTotal ?? .max)
  }

  /// Two fields on the diagonal: short prompts have short outputs.
  static func file(
    schema: String = "llm-length-model/1", p: String = "[0, 50, 100]", q: String = "[10, 20, 40]",
    mass: String = "[[1, 0], [0, 3]]", k: String = "2", more: String = ""
  ) -> String {
    """
    {"schema": "\(schema)", "name": "tiny", "marginal_interp": "linear", \(more)
     "prompt": {"p": \(p), "q": \(q)}, "output": {"p": [0, 100], "q": [100, 200]},
     "checkerboard": {"k": \(k), "mass": \(mass)}}
    """
  }

  static func model(_ text: String) throws -> LengthModel {
    guard case .model(let model) = try TraceFile.parse(Array(text.utf8), file: "m.json") else {
      throw WorkloadError.emptyTrace(file: "m.json")
    }
    return model
  }

  @Test func checkerboardTiesOutputsToPrompts() throws {
    let model = try Self.model(Self.file())
    var random = SplitMix64(seed: 1)
    var isLong = 0
    for _ in 0..<10_000 {
      let drawn = model.sample(using: &random)
      #expect((drawn.prompt > 20) == (drawn.output > 150) || drawn.prompt == 20 || drawn.output == 150)
      if drawn.output > 150 { isLong += 1 }
    }
    #expect(abs(Double(isLong) / 10_000 - 0.75) < 0.02)
    #expect(abs(model.meanPromptTokens - (15 * 0.25 + 30 * 0.75)) < 0.1)
    #expect(abs(model.meanOutputTokens - (125 * 0.25 + 175 * 0.75)) < 0.1)
    #expect(model.longestRequest == 240)
  }

  @Test func longPairsAreDrawnAnew() throws {
    let model = try Self.model(Self.file(more: "\"max_total\": 180,"))
    var random = SplitMix64(seed: 1)
    for _ in 0..<10_000 {
      let drawn = model.sample(using: &random)
      #expect(drawn.prompt + drawn.output <= 180)
    }
    #expect(model.longestRequest == 180)
  }

  @Test(arguments: [
    (
      file(schema: "llm-length-model/2"),
      "schema should be \"llm-length-model/1\", not \"llm-length-model/2\""
    ),
    (file(p: "[0, 100]"), "prompt should be two lists"),
    (file(p: "[0, 100, 50]"), "prompt.p should be percentages"),
    (file(p: "[0, 50, 99]"), "prompt.p should be percentages"),
    (file(q: "[10, 9, 40]"), "prompt.q should be numbers of tokens"),
    (file(q: "[-1, 9, 40]"), "prompt.q should be numbers of tokens"),
    (file(q: "[1, \"nine\", 40]"), "prompt.q[1] should be a number, not 'nine'"),
    (file(k: "0"), "checkerboard.k should be from 1 to 1000"),
    (file(k: "1.5"), "checkerboard.k should be a whole number"),
    (file(k: "3"), "checkerboard.mass should be 3 rows of 3"),
    (file(mass: "[1, 0]"), "checkerboard.mass[0] should be a list of numbers, not 1"),
    (file(mass: "[[1, 0], [0]]"), "checkerboard.mass should be 2 rows of 2"),
    (file(mass: "[[0, 0], [0, 0]]"), "checkerboard.mass should be numbers"),
    (file(mass: "[[1, -1], [0, 0]]"), "checkerboard.mass should be numbers"),
    (file(more: "\"max_total\": 0,"), "max_total should be"),
    (file(more: "\"max_total\": 111,"), "max_total should be a number of tokens that at least 1 in 100"),
    ("{\"schema\": \"llm-length-model/1\", \"name\": 1}", "name should be a text, not 1"),
    ("{\"schema\": \"llm-length-model/1\", \"name\": \"x\"}", "marginal_interp should be present"),
    ("{\n\"a\": 1}", "schema should be"),
    ("{\n\"schema\": ", "the file should be well-formed JSON from line 2 on: the file ends where a value"),
  ])
  func brokenModelsAreExplained(text: String, part: String) {
    let error = #expect(throws: WorkloadError.self) { try Self.model(text) }
    let message = error?.description ?? ""
    #expect(message.hasPrefix("m.json: length model: "))
    #expect(message.contains(part))
  }
}
