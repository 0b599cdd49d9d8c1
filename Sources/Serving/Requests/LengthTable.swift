/// A quantity by the length of a prompt: straight lines between given lengths, and on beyond the first and last two.
public struct LengthTable: Sendable, Hashable {
  /// A value at a length.
  public struct Point: Sendable, Hashable {
    /// The length.
    public var tokens: Double
    /// The value there.
    public var value: Double

    /// Creates a point.
    public init(tokens: Double, value: Double) {
      self.tokens = tokens
      self.value = value
    }
  }

  /// The points, by length.
  public let points: [Point]

  /// Creates a table of two points at least.
  ///
  /// - Precondition: lengths increase.
  public init(_ points: [Point]) {
    precondition(
      points.count >= 2 && zip(points, points.dropFirst()).allSatisfy { $0.tokens < $1.tokens },
      "a table has two lengths at least, which increase")
    self.points = points
  }

  /// The value at a length; 0 at least.
  ///
  /// - Complexity: O(points).
  public func callAsFunction(_ tokens: Double) -> Double {
    let above = points.firstIndex { $0.tokens >= tokens } ?? points.count - 1
    let place = max(1, above)
    let (low, high) = (points[place - 1], points[place])
    let slope = (high.value - low.value) / (high.tokens - low.tokens)
    return max(0, low.value + slope * (tokens - low.tokens))
  }
}
