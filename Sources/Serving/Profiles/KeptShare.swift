/// The share of a prompt's rows that a drop keeps, as data: one number, or a function of the rows that pass together.
///
/// Between two given lengths it is interpolated linearly; beyond them it stays.
public struct KeptShare: Sendable, Hashable {
  /// A share at a length.
  public struct Point: Sendable, Hashable {
    /// Rows of the prompt that enter the model in one pass.
    public var tokens: Tokens
    /// What is kept of the rows that reach the drop: from 0 to 1.
    public var share: Double

    /// Creates a point.
    public init(tokens: Tokens, share: Double) {
      self.tokens = tokens
      self.share = share
    }
  }

  /// The points, by length.
  public let points: [Point]

  /// Creates a share that is the same for all lengths.
  public init(_ share: Double) { self.init([Point(tokens: 1, share: share)]) }

  /// Creates a share by length.
  ///
  /// - Precondition: there is a point, lengths increase, and shares are from 0 to 1.
  public init(_ points: [Point]) {
    precondition(Self.areSound(points), "shares from 0 to 1 at lengths that increase")
    self.points = points
  }

  /// Whether points describe a share.
  public static func areSound(_ points: [Point]) -> Bool {
    !points.isEmpty && points.allSatisfy { (0...1).contains($0.share) && $0.tokens > 0 }
      && zip(points, points.dropFirst()).allSatisfy { $0.tokens < $1.tokens }
  }

  /// Whether nothing is ever dropped.
  var isWhole: Bool { points.allSatisfy { $0.share == 1 } }

  /// The share for so many rows.
  ///
  /// - Complexity: O(points).
  public func callAsFunction(_ tokens: Tokens) -> Double {
    guard let after = points.firstIndex(where: { $0.tokens >= tokens }) else {
      return points[points.count - 1].share
    }
    guard after > 0, points[after].tokens > tokens else { return points[after].share }
    let (low, high) = (points[after - 1], points[after])
    let weight = Double(tokens - low.tokens) / Double(high.tokens - low.tokens)
    return low.share + (high.share - low.share) * weight
  }
}
