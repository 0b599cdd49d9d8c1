import Foundation
import Serving
import Statistics
import Testing

@testable import Workloads

/// Rates that change: ramps, bursts, days and weeks, each against its closed form.
@Suite struct ArrivalPatternTests {
  /// vLLM's rule: the gap before request i of n is drawn at the rate at i / (n - 1) of the way.
  @Test(arguments: RampStrategy.allCases) func aRampRisesAsVLLMs(strategy: RampStrategy) throws {
    let ramp = Ramp(strategy, start: 2, end: 32)
    let count = 200_000
    let arrivals = try ArrivalProcessTests.arrivals(.ramp(ramp, burstiness: 1, count: count), count: count)
    func rate(around share: Double) -> Double {
      let middle = Int(Double(count) * share)
      return 4000 / (arrivals[middle + 2000] - arrivals[middle - 2000])
    }
    let half = strategy == .linear ? 17.0 : 8.0
    #expect(abs(rate(around: 0.5) / half - 1) < 0.06)
    #expect(abs(rate(around: 0.05) / ramp.rate(at: 0.05) - 1) < 0.06)
    #expect(abs(rate(around: 0.95) / ramp.rate(at: 0.95) - 1) < 0.06)
    #expect(abs(arrivals[count - 1] / (Double(count) * ramp.meanGap) - 1) < 0.01)
  }

  @Test func theMeanGapOfARampIsThatOfItsRates() {
    for ramp in [Ramp(.linear, start: 1, end: 9), Ramp(.exponential, start: 8, end: 0.5)] {
      let steps = 200_000
      let mean = (0..<steps).reduce(0.0) {
        $0 + 1 / ramp.rate(at: (Double($1) + 0.5) / Double(steps)) / Double(steps)
      }
      #expect(abs(ramp.meanGap / mean - 1) < 1e-8)
    }
    #expect(Ramp(.linear, start: 4, end: 4).meanGap == 0.25)
  }

  /// The mean, and the variance of counts of long windows over their mean (Heffes and Lucantoni 1986).
  @Test func burstsHaveTheMeanAndTheDispersionOfTheirFormula() throws {
    var bursts = Bursts()
    (bursts.ratio, bursts.share, bursts.length) = (8, 0.2, 5)
    let arrivals = try ArrivalProcessTests.arrivals(.bursts(bursts, rate: 10), count: 2_000_000)
    let end = arrivals[arrivals.count - 1]
    #expect(abs(Double(arrivals.count) / end / 10 - 1) < 0.02)
    let window = 500.0
    var counts = [Double](repeating: 0, count: Int(end / window))
    for arrival in arrivals {
      let place = Int(arrival / window)
      if place < counts.count { counts[place] += 1 }
    }
    let moments = Moments(counts)
    let (burst, calm) = bursts.rates(mean: 10)
    #expect(abs(0.2 * burst + 0.8 * calm - 10) < 1e-12)
    // Leaving a burst, and leaving the calm.
    let (out, into) = (1 / bursts.length, 1 / bursts.pause)
    let difference = burst - calm
    let dispersion =
      1 + 2 * out * into * difference * difference / ((out + into) * (out + into) * 10 * (out + into))
    let measured = moments.deviation * moments.deviation / moments.mean
    #expect(abs(measured / dispersion - 1) < 0.15, "\(measured) \(dispersion)")
  }

  @Test func daysAndWeeksFollowTheirCurve() throws {
    var days = Days()
    (days.swing, days.weekend, days.length) = (0.8, 0.25, 1000)
    let arrivals = try ArrivalProcessTests.arrivals(.daily(days, rate: 20), count: 1_400_000)
    let weeks = (arrivals[arrivals.count - 1] / 7000).rounded(.down)
    var quarters = [Double](repeating: 0, count: 28)
    for arrival in arrivals where arrival < weeks * 7000 {
      quarters[Int(arrival.truncatingRemainder(dividingBy: 7000) / 250)] += 1 / weeks
    }
    for quarter in quarters.indices {
      var expected = 0.0
      for step in 0..<1000 {
        let time = 250 * (Double(quarter) + (Double(step) + 0.5) / 1000)
        expected += 5 * days.factor(at: time)
      }
      #expect(abs(quarters[quarter] / expected - 1) < 0.05, "\(quarter)")
    }
    let mean = quarters.reduce(0, +) / 140_000
    #expect(abs(mean - 1) < 0.01)
    for second in 0..<7000 {
      let factor = days.factor(at: Double(second))
      #expect(factor <= days.peak + 1e-12)
    }
  }

  func process(_ change: (inout WorkloadSpecification) -> Void) throws -> ArrivalProcess {
    var workload = WorkloadSpecification(trace: "x")
    change(&workload)
    let trace = try Trace(parsing: "prompt_len,output_len\n1,1\n", file: "a")
    return try workload.arrivalProcess(for: .trace(trace))
  }

  @Test func optionsChooseTheirPattern() throws {
    #expect(
      try process {
        $0.rampUp = .exponential; $0.rampUpStart = 1; $0.rampUpEnd = 4; $0.numPrompts = 9
      }
        == .ramp(Ramp(.exponential, start: 1, end: 4), burstiness: 1, count: 9))
    // 600 s at a mean gap of ln 4 / 3.
    let long = try process {
      $0.rampUpStart = 1; $0.rampUpEnd = 4
    }
    #expect(long == .ramp(Ramp(.linear, start: 1, end: 4), burstiness: 1, count: Int(600 * 3 / log(4.0))))
    #expect(
      try process {
        $0.arrivals = .bursts; $0.requestRate = 3
      } == .bursts(Bursts(), rate: 3))
    #expect(try process { $0.setDays(swing: 0.5, weekend: nil, length: 60) }.kind == .daily)
  }

  @Test(arguments: [
    (Wrong.noRates, "--ramp-up-start-rps"), (.zeroRate, "1e-6 to 1e6"), (.rateAndRamp, "the rate of a ramp"),
    (.otherKind, "go with bursts arrivals"), (.allBurst, "--burst-share"), (.backwards, "--daily-swing"),
    (.noNumber, "--daily-swing"),
  ])
  func whatDoesNotGoTogetherIsRefused(mistake: Wrong, reason: String) throws {
    let error = #expect(throws: WorkloadError.self) { try process { mistake.apply(to: &$0) } }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  /// Mistakes in asking for a pattern.
  enum Wrong: Sendable {
    case noRates, zeroRate, rateAndRamp, otherKind, allBurst, backwards, noNumber

    func apply(to workload: inout WorkloadSpecification) {
      switch self {
      case .noRates: workload.rampUp = .linear
      case .zeroRate: (workload.rampUpStart, workload.rampUpEnd) = (0, 1)
      case .rateAndRamp: (workload.rampUpStart, workload.rampUpEnd, workload.requestRate) = (1, 2, 1)
      case .otherKind:
        workload.arrivals = .poisson
        workload.setBursts(ratio: 2, share: nil, length: nil)
      case .allBurst: workload.setBursts(ratio: nil, share: 1, length: nil)
      case .backwards: workload.setDays(swing: -1, weekend: nil, length: nil)
      case .noNumber: workload.setDays(swing: .nan, weekend: nil, length: nil)
      }
    }
  }
}
