import Serving
import Support
import Testing
import Workloads

@Suite struct WorkloadTests {
  static let timed = "arrived_at,prompt_len,output_len\n5,1,10\n6,2,20\n8,3,30\n"

  static func workload(_ text: String, _ arrivals: ArrivalProcess, count: Int) throws -> Workload {
    let trace = try Trace(parsing: text, file: "a.csv")
    return Workload(name: "a", source: .trace(trace), arrivals: arrivals, count: count, seed: 0)
  }

  @Test func ownArrivalsAreStretchedAndGoRoundAfterOneMeanGap() throws {
    let workload = try Self.workload(Self.timed, .trace(timeScale: 0.5), count: 7)
    #expect(workload.map(\.arrival) == [0, 0.5, 1.5, 2.25, 2.75, 3.75, 4.5])
    #expect(workload.map(\.promptTokens) == [1, 2, 3, 1, 2, 3, 1])
    #expect(workload.map(\.id) == Array(0..<7))
  }

  @Test func aTraceOfOneRowGoesRoundAtOnce() throws {
    let workload = try Self.workload(
      "arrived_at,prompt_len,output_len\n5,1,10\n", .trace(timeScale: 1), count: 3)
    #expect(workload.map(\.arrival) == [0, 0, 0])
  }

  @Test func fewerRequestsThanRowsAreTheFirstOnes() throws {
    let workload = try Self.workload(Self.timed, .constant(rate: 1), count: 2)
    #expect(
      Array(workload) == [
        Request(id: 0, arrival: 0, promptTokens: 1, outputTokens: 10),
        Request(id: 1, arrival: 1, promptTokens: 2, outputTokens: 20),
      ])
  }

  @Test func figuresOfATraceAreThoseOfItsRows() throws {
    let workload = try Self.workload(Self.timed, .allAtOnce, count: 2)
    #expect(workload.meanTokens.prompt == 2)
    #expect(workload.meanTokens.output == 20)
    #expect(workload.longestRequest == 33)
    #expect(workload.digest == SHA256.hexDigest(of: Array(Self.timed.utf8)))
    #expect(workload.prefixBlocks(ofRequest: 0).isEmpty)
  }

  @Test func prefixBlocksGoRoundWithTheRows() throws {
    let records = """
      {"timestamp": 0, "input_length": 600, "output_length": 1, "hash_ids": [1, 2]}
      {"timestamp": 1, "input_length": 5, "output_length": 1, "hash_ids": [3]}
      """
    let workload = try Self.workload(records, .poisson(rate: 1), count: 4)
    #expect((0..<4).map { Array(workload.prefixBlocks(ofRequest: $0)) } == [[1, 2], [3], [1, 2], [3]])
    // The second lap has other tokens.
    #expect(workload.map(\.content) == [0, 1, 2, 3])
  }

  @Test func iteratingAgainGivesTheSameRequests() throws {
    let workload = Workload(
      name: "m", source: .model(try Shipped.model("arxiv")), arrivals: .poisson(rate: 2), count: 1000, seed: 5
    )
    #expect(Array(workload) == Array(workload))
    #expect(Array(workload).count == 1000)
  }

  @Test func lengthsAndArrivalsDoNotDisturbEachOther() throws {
    let arxiv = TraceFile.model(try Shipped.model("arxiv"))
    let sharegpt = TraceFile.model(try Shipped.model("sharegpt"))
    func make(_ source: TraceFile, _ arrivals: ArrivalProcess) -> Workload {
      Workload(name: "m", source: source, arrivals: arrivals, count: 1000, seed: 5)
    }
    let base = make(arxiv, .poisson(rate: 2))
    let bursty = make(arxiv, .gamma(rate: 2, burstiness: 0.5))
    let other = make(sharegpt, .poisson(rate: 2))
    #expect(bursty.map(\.promptTokens) == base.map(\.promptTokens))
    #expect(bursty.map(\.outputTokens) == base.map(\.outputTokens))
    #expect(bursty.map(\.arrival) != base.map(\.arrival))
    #expect(other.map(\.arrival) == base.map(\.arrival))
    #expect(other.map(\.promptTokens) != base.map(\.promptTokens))
  }

  @Test func aHigherRateBringsTheSameRequestsSooner() throws {
    let arxiv = TraceFile.model(try Shipped.model("arxiv"))
    func make(_ rate: Double) -> [Request] {
      Array(Workload(name: "m", source: arxiv, arrivals: .poisson(rate: rate), count: 1000, seed: 5))
    }
    for (slow, fast) in zip(make(1), make(2)) {
      #expect(abs(slow.arrival - 2 * fast.arrival) < 2e-6)
      #expect(slow.promptTokens == fast.promptTokens)
    }
  }

  /// Numbers written down once: a change of the generator, of a table or of the order of draws shows here.
  @Test func drawsStayTheSameFromVersionToVersion() throws {
    let workload = Workload(
      name: "m", source: .model(try Shipped.model("arxiv")), arrivals: .poisson(rate: 1), count: 3, seed: 0)
    #expect(
      Array(workload) == [
        Request(id: 0, arrival: 0, promptTokens: 18432, outputTokens: 262),
        Request(id: 1, arrival: 1.450475, promptTokens: 15963, outputTokens: 63),
        Request(id: 2, arrival: 1.64394, promptTokens: 6822, outputTokens: 430),
      ])
  }
}
