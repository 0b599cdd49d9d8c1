/// Looks for the value of a quantity at which something ceases to hold: by steps away from its present value, and then
/// by bisection of the step that it ceases in.
package struct CrossingSearch: Sendable {
  /// How a step is halved, and when it is short enough.
  package enum Scale: Sendable, Hashable {
    /// By the mean; down to a difference, or 1 % of the larger value.
    case linear(Double)
    /// By the geometric mean; down to a ratio of 1 more than this.
    case geometric(Double)
    /// The same among whole numbers.
    case whole(Double)

    /// A value between two; `nil` if they are close enough.
    func middle(_ a: Double, _ b: Double) -> Double? {
      switch self {
      case .linear(let least): abs(b - a) <= max(least, 0.01 * max(abs(a), abs(b))) ? nil : (a + b) / 2
      case .geometric(let ratio): max(a, b) <= min(a, b) * (1 + ratio) ? nil : (a * b).squareRoot()
      case .whole(let ratio):
        abs(a - b) <= 1 || max(a, b) <= min(a, b) * (1 + ratio) ? nil : (a * b).squareRoot().rounded()
      }
    }
  }

  /// Where something ceases to hold.
  package struct Crossing: Sendable, Hashable {
    /// The last value at which it is known to hold.
    package var holding: Double
    /// The first value at which it is known not to.
    package var failing: Double

    /// The best single figure for it.
    package var value: Double { (holding + failing) / 2 }
  }

  /// The crossing that is nearest by steps, if there is one.
  package private(set) var crossing: Crossing?
  /// The farthest value that was tried without one.
  package private(set) var searched: Double

  /// Searches to one side.
  ///
  /// - Parameters:
  ///   - present: the present value, at which it holds.
  ///   - steps: values ever farther from it.
  ///   - scale: how a step is halved.
  ///   - holds: whether it holds at a value; `nil` where the value is not possible, which ends the search.
  /// - Complexity: a question for each step, and for each halving of one of them.
  package init(
    from present: Double, through steps: [Double], scale: Scale, holds: (Double) throws -> Bool?
  ) rethrows {
    searched = present
    for step in steps {
      guard let answer = try holds(step) else { return }
      guard !answer else {
        searched = step
        continue
      }
      var found = Crossing(holding: searched, failing: step)
      while let middle = scale.middle(found.holding, found.failing), let answer = try holds(middle) {
        if answer { found.holding = middle } else { found.failing = middle }
      }
      crossing = found
      searched = step
      return
    }
  }
}
