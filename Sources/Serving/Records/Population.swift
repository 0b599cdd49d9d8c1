/// How many requests are in the system as others arrive.
public struct Population: Sendable {
  /// Arrivals so far.
  private(set) var arrivals = 0
  private var sum = 0
  /// Most requests in the system at any time.
  public private(set) var peak = 0

  /// Creates a count without arrivals.
  public init() {}

  /// Mean number in the system, the newcomer included, as each arrives.
  public var mean: Double { arrivals > 0 ? Double(sum) / Double(arrivals) : 0 }

  /// Takes note of an arrival: how many are in the system, the newcomer included.
  public mutating func note(_ inSystem: Int) {
    arrivals += 1
    sum += inSystem
    peak = max(peak, inSystem)
  }
}
