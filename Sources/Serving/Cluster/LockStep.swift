/// How the instances of a simulation are put together to servers.
///
/// A server has one instance, or several: ranks, each with sequences and KV memory of its own. Where they share experts they
/// step together. A router chooses a server; within it a request goes to the rank that has fewest.
public struct Servers: Sendable {
  /// The instances of each server, one after the other.
  public let ranks: [Range<Int>]
  /// Which of the servers have ranks that step together.
  public let stepTogether: [Bool]

  /// Creates servers, in the order of their instances.
  ///
  /// - Parameter sizes: how many ranks each has, and whether they step together.
  public init(_ sizes: [(ranks: Int, stepTogether: Bool)]) {
    precondition(sizes.allSatisfy { $0.ranks > 0 }, "a server has a rank")
    var first = 0
    ranks = sizes.map { size in
      defer { first += size.ranks }
      return first..<first + size.ranks
    }
    stepTogether = sizes.map { $0.ranks > 1 && $0.stepTogether }
  }
}

/// The ranks of a server that step together, and the steps that they have under way.
///
/// A step begins for all ranks at once, and ends for all: one that has nothing to do waits.
struct LockStep {
  let ranks: Range<Int>
  let stepsInFlight: Int
  var clock: StepClock
  var step: SharedStep
  /// When each step under way ends.
  var ends: [Seconds] = []
  /// When the last step ended.
  var idleSince: Seconds = 0
  /// Ranks that have planned something.
  var working: [Int] = []

  init(_ ranks: Range<Int>, of instances: borrowing [Instance], power: PowerLimit?) {
    self.ranks = ranks
    stepsInFlight = instances[ranks.lowerBound].flights.count
    // Each rank adds what its own GPUs draw idle.
    let limit = power.map { one in
      PowerLimit(
        headroomWatts: one.headroomWatts * Double(ranks.count), window: one.capacity / one.headroomWatts,
        clockExponent: one.clockExponent)
    }
    clock = StepClock(overlapsHost: stepsInFlight > 1, idleWatts: 0, power: limit)
    let costModel = instances[ranks.lowerBound].costModel
    step = SharedStep(ranks: ranks.count, changes: costModel.changes)
  }
}
