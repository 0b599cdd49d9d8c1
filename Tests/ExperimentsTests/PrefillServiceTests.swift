import Foundation
import Serving
import Statistics
import Testing

@testable import Experiments

/// Prefill as a Service: the formulas, and clusters with sites.
@Suite struct PrefillServiceTests {
  static let profiles = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Profiles").path

  func service(egress: Double = 12.5e9) throws -> PrefillService {
    let remote = try PromptTable.named("prfaas-h200", profiles: Self.profiles)
    return PrefillService(
      remoteInstances: 4, remoteSeconds: remote.seconds, bytes: remote.bytes, egress: egress,
      localInstances: 8, localSeconds: try PromptTable.named("prfaas-h20", profiles: Self.profiles).seconds,
      decodeRate: 0.782, lengths: TruncatedLogNormal(mu: 9.9, sigma: 1, range: 128...131_072))
  }

  /// A table goes through its points and on in straight lines, and KV rates are the published ones within 1 %.
  @Test func tablesAreStraightLines() throws {
    let table = LengthTable([
      .init(tokens: 10, value: 1), .init(tokens: 20, value: 3), .init(tokens: 30, value: 4),
    ])
    #expect([10, 20, 30, 15, 40, 5, 0].map { table($0) } == [1, 3, 4, 2, 5, 0, 0])
    let remote = try PromptTable.named("prfaas-h200", profiles: Self.profiles)
    for (tokens, gigabits) in [(1024.0, 3.61), (8192, 3.59), (32_768, 3.19), (131_072, 2.62)] {
      #expect(abs(remote.bytes(tokens) * 8e-9 / remote.seconds(tokens) / gigabits - 1) < 0.01)
    }
  }

  /// Every threshold in steps of 50 tokens and every split: none holds more than the best, which lies within 500 tokens of theirs.
  @Test(arguments: [12.5e9, 1e9, 0.3e9]) func noSplitHoldsMoreThanTheBest(egress: Double) throws {
    let service = try service(egress: egress)
    let best = service.best()
    var (most, threshold, split) = (0.0, 0.0, 0)
    for prefill in 1...7 {
      for tokens in stride(from: 128.0, through: 131_072, by: 50) {
        let capacity = service.split(threshold: tokens, prefillInstances: prefill).capacity
        if capacity > most { (most, threshold, split) = (capacity, tokens, prefill) }
      }
    }
    #expect(best.capacity >= most * (1 - 1e-9) && best.capacity < most * 1.01)
    #expect(best.prefillInstances == split)
    // Where decoding is the limit, all thresholds of a range hold the same.
    if best.capacity < best.decode { #expect(abs(best.threshold - threshold) <= 500) }
  }

  /// A thin line lowers what the other site is worth, until it is worth nothing.
  @Test func aThinLineIsTheLimit() throws {
    let capacities = try [12.5e9, 1e9, 0.3e9, 0.01e9].map { try service(egress: $0).best().capacity }
    #expect(zip(capacities, capacities.dropFirst()).allSatisfy { $0 >= $1 })
    let alone = try service().bestWithout(instances: 8).capacity
    #expect(try abs(service(egress: 1e3).best().capacity / alone - 1) < 0.01)
  }

  /// What is wrong with three pools at two sites and the lines between them, in a line.
  func fault(_ lines: [ClusterSpecification.Line], pools count: Int = 3) -> String {
    var cluster = ClusterSpecification()
    var (far, near, decode) = (cluster.pool, cluster.pool, cluster.pool)
    (far.name, far.role, far.site) = ("far", .prefill, "a")
    (near.name, near.role, near.site) = ("near", .prefill, "b")
    (decode.name, decode.role, decode.site) = ("decode", .decode, "b")
    cluster.pools = Array([far, near, decode].prefix(count))
    cluster.lines = lines
    do {
      try cluster.checkPools()
      return ""
    } catch { return "\(error)" }
  }

  func line(_ from: String, _ to: String, _ bandwidth: Double = 1e9) -> ClusterSpecification.Line {
    ClusterSpecification.Line(from: from, to: to, bytesPerSecond: bandwidth)
  }

  @Test func partsOfClustersMustBeSound() throws {
    let right = line("a", "b")
    let faults = [
      fault([right]), fault([]), fault([line("b", "a")]), fault([line("a", "b", -1)]),
      fault([line("a", "a")]),
      fault([line("a", "nowhere")]), fault([right, right]), fault([right], pools: 2),
    ]
    let expected = [
      "", "a way for KV entries from pool far to pool decode", "a way for KV", "-1.0: expected 1e3 to 1e15",
      "two different sites", "two different sites", "one line from a site", "behind them one of role decode",
    ]
    #expect(faults[0].isEmpty)
    for (fault, text) in zip(faults, expected).dropFirst() { #expect(fault.contains(text)) }
  }
}
