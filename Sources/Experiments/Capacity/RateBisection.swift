/// Looks for the largest rate at which something holds, one question at a time.
///
/// From a guess the rate is doubled as long as it holds, or halved until it does, or changed by another factor; then the
/// gap is bisected. What holds
/// at a rate should hold at every lower one; where chance makes it otherwise, one of the edges is found.
package struct RateBisection {
  /// The rates that are tried, in requests a second.
  package static let limits = 1e-3...1e5

  /// How far the rates that hold and fail may be apart in the end, as a share of the lower.
  package let tolerance: Double
  /// The factor from rate to rate until one is known that holds and one that fails.
  package let growth: Double
  /// The rate to be tried next; `nil` once the search is over.
  package private(set) var next: Double?
  /// The largest rate known to hold; `nil` as long as none is.
  package private(set) var holding: Double?
  /// The least rate known to fail; `nil` as long as none is.
  package private(set) var failing: Double?

  package init(guess: Double, tolerance: Double, growth: Double = 2) {
    self.tolerance = tolerance
    self.growth = growth
    next = guess
  }

  /// Takes the answer for the rate that was to be tried next.
  package mutating func answer(_ holds: Bool) {
    guard let rate = next else { return }
    if holds { holding = rate } else { failing = rate }
    let candidate =
      switch (holding, failing) {
      case (let low?, let high?): high > low * (1 + tolerance) ? (low + high) / 2 : nil
      case (let low?, nil): low * growth
      case (nil, let high?): high / growth
      case (nil, nil): nil as Double?
      }
    next = candidate.flatMap { Self.limits.contains($0) ? $0 : nil }
  }
}
