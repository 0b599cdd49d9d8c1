import Serving
import Testing

@testable import Experiments

@Suite struct ObjectiveTests {
  @Test(arguments: [
    ("ttft:1s", LatencyLimit.Latency.ttft, LatencyLimit.Scope.eachRequest, 1.0),
    ("ttft=1000", .ttft, .eachRequest, 1), ("tpot<=30ms", .tpot, .eachRequest, 0.03),
    ("TBT:500us", .tbt, .eachRequest, 0.0005), ("e2e:2min", .e2el, .eachRequest, 120),
    ("p99_ttft:1s", .ttft, .percentile(99), 1), ("p99.9_itl:80", .itl, .percentile(99.9), 0.08),
    ("median_e2el:3s", .e2el, .percentile(50), 3), ("mean_tpot:30ms", .tpot, .mean, 0.03),
    ("ttft:1s@95%", .ttft, .percentile(95), 1), ("ttft:1s@95", .ttft, .percentile(95), 1),
  ])
  func limitsAreReadAsPeopleWriteThem(
    text: String, latency: LatencyLimit.Latency, scope: LatencyLimit.Scope, seconds: Seconds
  ) throws {
    let limit = try LatencyLimit(parsing: text)
    #expect(limit == LatencyLimit(latency, scope, seconds: limit.seconds))
    #expect(abs(limit.seconds - seconds) < 1e-12)
    let again = try LatencyLimit(parsing: limit.description)
    #expect(again.name == limit.name && abs(again.seconds / limit.seconds - 1) < 1e-5)
  }

  @Test(arguments: [
    "ttft", "ttft:", "ttft:fast", "ttft:0", "ttft:-1", "latency:5", "p101_ttft:5", "px_ttft:1", "p99_tbt:50",
    "mean_ttft:1s@99%", "ttft:1s@0%", "ttft:infs", "ttft:nan",
  ])
  func nonsenseIsRefused(text: String) {
    #expect(throws: ObjectiveError.self) { try LatencyLimit(parsing: text) }
  }

  @Test func aLimitIsAboveZero() {
    for text in ["tbt:0ms", "ttft:-1s"] {
      #expect(throws: ObjectiveError.notPositive(text)) { try LatencyLimit(parsing: text) }
    }
    #expect(ObjectiveError.notPositive("tbt:0ms").description == "--slo tbt:0ms: expected a limit above 0")
  }

  @Test func listsGiveAnObjectiveForEachValue() throws {
    let all = try Objective.alternatives(["tbt:20ms,30ms,50", "ttft:10s"])
    #expect(all.map(\.description) == ["tbt:20ms ttft:10s", "tbt:30ms ttft:10s", "tbt:50ms ttft:10s"])
    #expect(all[1].requests.timeToFirstToken == 10 && all[1].requests.timeBetweenTokens == 0.03)
    let twice: [[String]] = [
      ["ttft:1s", "ttft:2s"], ["tbt:50ms", "itl:40ms"], ["p99_itl:1s", "p99_itl:2s"],
    ]
    for words in twice {
      #expect(throws: ObjectiveError.twice(words[1], by: try LatencyLimit(parsing: words[0]).description)) {
        try Objective.alternatives(words)
      }
    }
    #expect(try Objective.alternatives(["tbt:50ms", "p99_itl:40ms"]).count == 1)
  }

  func figures(attainment: Double, shares: [String: Double] = [:], latencies: [String: Double] = [:])
    -> CapacityFigures
  {
    CapacityFigures(
      attainment: attainment, watts: 0, millijoulesPerToken: 0, unfinished: 0, latencies: latencies,
      shares: shares)
  }

  @Test func theLatencyThatFailsIsNamed() throws {
    func criterion(_ words: String...) throws -> CapacityCriterion {
      CapacityCriterion(objective: try Objective.alternatives(words)[0], attainment: 0.9)
    }
    let both = try criterion("ttft:1s", "tbt:50ms")
    #expect(
      both.failure(of: figures(attainment: 0.5, shares: ["ttft": 0.99, "tbt": 0.5])) == .latency("tbt"))
    #expect(
      both.failure(of: figures(attainment: 0.5, shares: ["ttft": 0.5, "tbt": 0.95])) == .latency("ttft"))
    #expect(both.failure(of: figures(attainment: 0.95)) == nil)
    // Shares of the first token alone are known, and are not what fails.
    let mean = try criterion("ttft:1s", "tpot:30ms")
    #expect(mean.failure(of: figures(attainment: 0.5, shares: ["ttft": 0.99, "tbt": 0])) == .latency("tpot"))
    let tail = try criterion("p99_ttft:1s")
    #expect(
      tail.failure(of: figures(attainment: 1, latencies: ["p99_ttft_ms": 1001])) == .latency("p99_ttft"))
    #expect(tail.failure(of: figures(attainment: 1, latencies: ["p99_ttft_ms": 999])) == nil)
    // Requests that were not served are above every percentile.
    var few = figures(attainment: 0.95, latencies: ["p99_ttft_ms": 1])
    few.served = 0.98
    #expect(tail.failure(of: few) == .latency("p99_ttft"))
  }
}
