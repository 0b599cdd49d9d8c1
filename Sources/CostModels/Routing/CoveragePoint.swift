import Serving

/// How many distinct experts of a layer a number of tokens use.
public struct CoveragePoint: Sendable, Hashable {
  /// Tokens in the call, of all requests together.
  public var tokens: Tokens
  /// Distinct experts that they are routed to; a mean, so not whole.
  public var experts: Double

  /// Creates a point.
  public init(tokens: Tokens, experts: Double) {
    self.tokens = tokens
    self.experts = experts
  }

  /// The value at some tokens, linear between points that ascend.
  static func experts(at tokens: Tokens, on points: [CoveragePoint]) -> Double {
    var before = CoveragePoint(tokens: 0, experts: 0)
    for point in points {
      if tokens <= point.tokens {
        let share = Double(tokens - before.tokens) / Double(point.tokens - before.tokens)
        return before.experts + (point.experts - before.experts) * share
      }
      before = point
    }
    return before.experts
  }
}
