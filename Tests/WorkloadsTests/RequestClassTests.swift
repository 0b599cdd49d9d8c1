import Serving
import Testing

@testable import Workloads

/// Mixes of requests.
@Suite struct RequestClassTests {
  func workload(_ classes: [RequestClass]) throws -> Workload {
    let trace = try Trace(parsing: "prompt_len,output_len\n10,5\n20,6\n", file: "a")
    var workload = Workload(
      name: "a", source: .trace(trace), arrivals: .poisson(rate: 4), count: 20_000, seed: 3)
    workload.classes = classes
    return workload
  }

  @Test func classesHaveTheirSharesAndWhatTheyAskFor() throws {
    var soon = ServiceObjective()
    soon.timeToFirstToken = 1
    let requests = Array(
      try workload([
        RequestClass(name: "a", share: 3, priority: 2, objective: soon), RequestClass(name: "b", share: 1),
      ]))
    let first = requests.filter { $0.tenant == 0 }
    #expect(abs(Double(first.count) / 20_000 - 0.75) < 0.01)
    #expect(first.allSatisfy { $0.priority == 2 && $0.objective == soon })
    #expect(
      requests.allSatisfy { $0.tenant == 0 || ($0.tenant == 1 && $0.objective == nil && $0.priority == 0) })
  }

  /// Classes have a stream of their own: lengths and arrivals are those of the same workload without them.
  @Test func classesChangeNothingElse() throws {
    let plain = Array(try workload([]))
    let mixed = Array(try workload([RequestClass(name: "a"), RequestClass(name: "b")]))
    #expect(plain.map(\.arrival) == mixed.map(\.arrival))
    #expect(plain.map(\.promptTokens) == mixed.map(\.promptTokens))
    #expect(Set(mixed.map(\.tenant)) == [0, 1])
  }

  @Test(arguments: [
    ([RequestClass(name: "")], "a name"), ([RequestClass(name: "a", share: 0)], "a share"),
    ([RequestClass(name: "a"), RequestClass(name: "a")], "no other"),
    ([RequestClass(name: "a", priority: 1 << 40)], "a priority"),
    ([RequestClass(name: String(repeating: "a", count: 41))], "1 to 40 characters"),
    ([RequestClass(name: "a:b")], "without punctuation"),
    ((0..<65).map { RequestClass(name: "\($0)") }, "at most 64"),
  ])
  func mixesThatMakeNoSenseAreRefused(classes: [RequestClass], reason: String) {
    let error = #expect(throws: WorkloadError.self) { try RequestClass.check(classes) }
    #expect(error?.description.contains(reason) == true)
  }
}
