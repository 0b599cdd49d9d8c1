import Foundation
import Statistics
import Testing

@testable import Serving

/// The power limit against its description: the clock is found by halving, the bucket is filled in small pieces.
@Suite struct PowerLimitTests {
  /// A limit that follows the description.
  private struct NaiveLimit {
    var headroom: Double
    var capacity: Double
    var exponent: Double
    var level = 0.0

    /// How long a step takes, and what it draws above idle.
    mutating func run(_ cost: StepCost) -> (seconds: Double, joules: Double) {
      func at(clock f: Double) -> (seconds: Double, joules: Double) {
        let clocked = cost.clockedSeconds / f
        let kernels = cost.kernelSeconds - cost.clockedSeconds + clocked
        // Power of those kernels falls as f to the exponent, and flows for longer.
        let watts = cost.clockedSeconds > 0 ? cost.clockedJoules / cost.clockedSeconds : 0
        let joules = cost.joules - cost.clockedJoules + watts * pow(f, exponent) * clocked
        return (max(kernels, cost.launchSeconds) + cost.hostSeconds, joules)
      }
      func overflow(_ step: (seconds: Double, joules: Double)) -> Double {
        level + step.joules - headroom * step.seconds - capacity
      }
      var step = at(clock: 1)
      if overflow(step) > 0 {
        var (low, high) = (PowerLimit.lowestClock, 1.0)
        for _ in 0..<200 {
          let middle = (low + high) / 2
          if overflow(at(clock: middle)) > 0 { high = middle } else { low = middle }
        }
        step = at(clock: low)
        if overflow(step) > 0 { step.seconds += overflow(step) / headroom }
      }
      level = max(0, level + step.joules - headroom * step.seconds)
      return step
    }
  }

  private func cost(_ random: inout SplitMix64) -> StepCost {
    var cost = StepCost()
    cost.kernelSeconds = 0.05 * random.uniform()
    cost.clockedSeconds = random.uniform() < 0.2 ? 0 : cost.kernelSeconds * random.uniform()
    if random.uniform() < 0.5 { cost.hostSeconds = 0.01 * random.uniform() }
    if random.uniform() < 0.3 { cost.launchSeconds = 0.06 * random.uniform() }
    cost.decodeRowJoules = 20 * random.uniform()
    cost.decodeContextJoules = 5 * random.uniform()
    cost.prefillRowJoules = 20 * random.uniform()
    cost.prefillContextJoules = 5 * random.uniform()
    if cost.clockedSeconds > 0 { cost.clockedJoules = cost.joules * random.uniform() }
    return cost
  }

  @Test(arguments: 0..<200) func agreesWithItsDescription(seed: UInt64) {
    var random = SplitMix64(seed: seed, purpose: "power limit")
    let headroom = 100 + 900 * random.uniform()
    let window = 0.01 + 0.2 * random.uniform()
    let exponent = [1, 1.5, 2, 3, 4][Int(seed % 5)]
    var limit = PowerLimit(headroomWatts: headroom, window: window, clockExponent: exponent)
    var naive = NaiveLimit(headroom: headroom, capacity: headroom * window, exponent: exponent)
    for _ in 0..<100 {
      if random.uniform() < 0.2 {
        let pause = 0.05 * random.uniform()
        limit.rest(pause)
        naive.level = max(0, naive.level - headroom * pause)
      }
      var cost = cost(&random)
      let expected = naive.run(cost)
      limit.run(&cost)
      #expect((cost.seconds / expected.seconds - 1).magnitude < 1e-9)
      #expect((cost.joules / expected.joules - 1).magnitude < 1e-9)
      #expect((limit.state.level - naive.level).magnitude < 1e-9 * headroom)
      naive.level = limit.state.level
    }
  }

  private func product(watts: Double) -> StepCost {
    var cost = StepCost()
    cost.kernelSeconds = 0.01
    cost.clockedSeconds = 0.01
    cost.prefillRowJoules = watts * 0.01
    cost.clockedJoules = watts * 0.01
    return cost
  }

  /// At twice the power left, and an exponent of 2, the clock falls to the root of a half.
  @Test func steadyLoadEndsAtTheLimit() {
    var limit = PowerLimit(headroomWatts: 500, window: 0.1, clockExponent: 2)
    var seconds: [Double] = []
    var joules: [Double] = []
    for _ in 0..<100 {
      var cost = product(watts: 1000)
      limit.run(&cost)
      seconds.append(cost.seconds)
      joules.append(cost.joules)
    }
    // Ten steps of 10 ms at twice the headroom fill the bucket.
    #expect(seconds[..<10].allSatisfy { $0 == 0.01 })
    #expect((seconds[99] / (0.01 * 2.0.squareRoot()) - 1).magnitude < 1e-9)
    #expect((joules[99] / seconds[99] / 500 - 1).magnitude < 1e-9)
    #expect(limit.state.slowedSteps == 90 || limit.state.slowedSteps == 89)
    let saved = 100 * 10 - joules.reduce(0, +)
    #expect((limit.state.savedJoules / saved - 1).magnitude < 1e-9)
  }

  @Test func aShortBurstIsUntouched() {
    var limit = PowerLimit(headroomWatts: 500, window: 0.1, clockExponent: 2)
    for _ in 0..<20 {
      for _ in 0..<4 {
        var cost = product(watts: 1000)
        limit.run(&cost)
        #expect(cost == product(watts: 1000))
      }
      limit.rest(0.04)
    }
    #expect(limit.state.slowedSteps == 0)
  }

  /// Over any window mean power exceeds the limit by the capacity divided by the window, at most.
  @Test(arguments: 0..<20) func meanPowerKeepsToTheLimit(seed: UInt64) {
    var random = SplitMix64(seed: seed, purpose: "mean power")
    var limit = PowerLimit(headroomWatts: 400, window: 0.05, clockExponent: 2.5)
    var energy = [0.0]
    var time = [0.0]
    for _ in 0..<300 {
      var cost = cost(&random)
      limit.run(&cost)
      energy.append(energy[energy.count - 1] + cost.joules)
      time.append(time[time.count - 1] + cost.seconds)
    }
    for first in energy.indices {
      for last in (first + 1)..<max(first + 1, energy.count) {
        let drawn = energy[last] - energy[first]
        #expect(drawn <= 400 * (time[last] - time[first]) + limit.capacity + 1e-6)
      }
    }
  }

  /// What is bound by memory cannot be slowed down by the clock: the GPUs wait.
  @Test func withoutArithmeticTheGPUsWait() {
    var limit = PowerLimit(headroomWatts: 100, window: 0.001, clockExponent: 2)
    var cost = product(watts: 200)
    cost.clockedSeconds = 0
    cost.clockedJoules = 0
    limit.run(&cost)
    limit.run(&cost)
    #expect(cost.joules == 2)
    #expect((cost.seconds - 0.02).magnitude < 0.0011)
  }
}
