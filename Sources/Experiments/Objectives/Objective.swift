import Serving

/// What is asked of a system: limits that each of most requests must meet, and limits on statistics of a run.
package struct Objective: Sendable, Hashable, CustomStringConvertible {
  /// The limits, in the order in which they were given.
  package let limits: [LatencyLimit]

  /// Creates an objective.
  package init(_ limits: [LatencyLimit]) { self.limits = limits }

  /// Limits of single requests, as runs record them.
  package var requests: ServiceObjective {
    var objective = ServiceObjective()
    for limit in limits where limit.scope == .eachRequest {
      switch limit.latency {
      case .ttft: objective.timeToFirstToken = limit.seconds
      case .tbt, .itl: objective.timeBetweenTokens = limit.seconds
      case .tpot: objective.timePerOutputToken = limit.seconds
      case .e2el: objective.endToEnd = limit.seconds
      }
    }
    return objective
  }

  /// Limits on statistics of a run.
  package var statistics: [LatencyLimit] { limits.filter { $0.scope != .eachRequest } }

  /// The limits as text.
  package var description: String { limits.map(\.description).joined(separator: " ") }

  /// Reads limits, each of which may have several values, `tbt:20ms,30ms`.
  ///
  /// - Returns: an objective for each choice of values, the last list varying fastest.
  /// - Throws: ``ObjectiveError``.
  package static func alternatives(_ words: [String]) throws(ObjectiveError) -> [Objective] {
    var product: [[LatencyLimit]] = [[]]
    for word in words {
      var choices: [LatencyLimit] = []
      var head = ""
      for part in word.split(separator: ",", omittingEmptySubsequences: false) {
        // The name goes with each value.
        if let sign = part.firstIndex(where: { ":=<".contains($0) }) { head = String(part[...sign]) }
        let text = part.hasPrefix(head) ? String(part) : head + part
        choices.append(try LatencyLimit(parsing: text))
      }
      if let before = product[0].first(where: { $0.limitsTheSame(as: choices[0]) }) {
        throw .twice(word, by: before.description)
      }
      product = product.flatMap { limits in choices.map { limits + [$0] } }
    }
    return product.map { Objective($0) }
  }
}

extension ServiceObjective {
  /// The limits of single requests as an objective.
  package var asObjective: Objective {
    let limits: [(LatencyLimit.Latency, Seconds?)] = [
      (.ttft, timeToFirstToken), (.tbt, timeBetweenTokens), (.tpot, timePerOutputToken), (.e2el, endToEnd),
    ]
    return Objective(limits.compactMap { name, limit in limit.map { LatencyLimit(name, seconds: $0) } })
  }
}
