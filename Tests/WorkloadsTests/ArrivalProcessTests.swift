import Serving
import Statistics
import Testing
import Workloads

@Suite struct ArrivalProcessTests {
  static func arrivals(_ process: ArrivalProcess, count: Int = 100_000, seed: UInt64 = 3) throws -> [Seconds]
  {
    let trace = try Trace(parsing: "prompt_len,output_len\n1,1\n", file: "a")
    let workload = Workload(
      name: "a", source: .trace(trace), arrivals: process, count: count, seed: seed)
    return workload.map(\.arrival)
  }

  static let generated: [(ArrivalProcess, Double)] = [
    (.poisson(rate: 4), 1), (.gamma(rate: 4, burstiness: 1), 1), (.gamma(rate: 4, burstiness: 0.25), 2),
    (.gamma(rate: 4, burstiness: 4), 0.5), (.gamma(rate: 4, burstiness: 0.9), 1.054), (.constant(rate: 4), 0),
  ]

  @Test(arguments: generated)
  func gapsHaveTheRateAndTheVariationAskedFor(process: ArrivalProcess, variation: Double) throws {
    let arrivals = try Self.arrivals(process)
    let gaps = Moments(zip(arrivals.dropFirst(), arrivals).map { $0 - $1 })
    #expect(abs(gaps.mean * 4 - 1) < 0.02)
    #expect(abs(gaps.deviation / gaps.mean - variation) < 0.03 * max(variation, 0.001))
  }

  @Test(arguments: generated.map(\.0) + [.allAtOnce])
  func arrivalsBeginAtZeroNeverFallAndAreWholeMicroseconds(process: ArrivalProcess) throws {
    let arrivals = try Self.arrivals(process)
    #expect(arrivals[0] == 0)
    #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy(<=))
    #expect(arrivals.allSatisfy { ($0 * 1e6).rounded() / 1e6 == $0 })
  }

  @Test(arguments: generated.map(\.0))
  func theSeedDecides(process: ArrivalProcess) throws {
    let first = try Self.arrivals(process, count: 1000)
    #expect(try Self.arrivals(process, count: 1000) == first)
    #expect(try Self.arrivals(process, count: 500) == Array(first[..<500]))
    if case .constant = process { return }
    #expect(try Self.arrivals(process, count: 1000, seed: 4) != first)
  }

  @Test func roundingDoesNotAddUp() throws {
    let arrivals = try Self.arrivals(.constant(rate: 3), count: 3_000_001)
    #expect(arrivals[1] == 0.333333)
    #expect(arrivals[3_000_000] == 1_000_000)
  }

  @Test func allAtOnceIsAtZero() throws {
    #expect(try Self.arrivals(.allAtOnce, count: 10) == Array(repeating: 0, count: 10))
  }

  /// Numbers written down once: a change of the generator, of a formula or of the order of draws shows here.
  @Test func drawsStayTheSameFromVersionToVersion() throws {
    let poisson = try Self.arrivals(.poisson(rate: 4), count: 4, seed: 0)
    #expect(poisson == [0, 0.362619, 0.410985, 0.625972])
    let gamma = try Self.arrivals(.gamma(rate: 4, burstiness: 0.5), count: 4, seed: 0)
    #expect(gamma == [0, 0.448631, 0.461559, 0.466628])
  }
}
