import Support

/// What can be wrong with a limit on a latency.
package enum ObjectiveError: UserError, Hashable {
  /// It is not of the form of a limit.
  case malformed(String)
  /// Its time is 0 or below.
  case notPositive(String)
  /// There is no such latency.
  case unknownLatency(String, nearest: String?)
  /// There is no such statistic.
  case unknownStatistic(String)
  /// The longest gap is a figure of single requests.
  case longestGapHasNoStatistic(String)
  /// A list of limits where one is due.
  case list(String)
  /// A statistic where limits of single requests are due.
  case statistic(String, command: String)
  /// The same latency limited twice; `by` is the limit before it.
  case twice(String, by: String)

  /// One line: the limit, and what would be right.
  package var description: String {
    switch self {
    case .malformed(let text):
      "--slo \(text): expected name:milliseconds or name:time with its unit, such as ttft:10000 or ttft:10s, and at most 1e9 s"
    case .notPositive(let text): "--slo \(text): expected a limit above 0"
    case .unknownLatency(let text, let nearest):
      "--slo \(text): " + (nearest.map { "did you mean '\($0)'? " } ?? "")
        + "expected one of ttft, tbt, tpot, e2el, itl"
    case .unknownStatistic(let text):
      "--slo \(text): expected a statistic such as p99_ttft, median_ttft or mean_tpot, or a share as in ttft:1s@99%"
    case .longestGapHasNoStatistic(let text):
      "--slo \(text): tbt is a request's longest gap, limited for each request as tbt:50ms; gaps of all tokens are "
        + "itl, as in p99_itl:50ms"
    case .list(let text): "--slo \(text): expected a single time; lists are for sim tune"
    case .statistic(let text, let command):
      "--slo \(text): \(command) holds single requests against their limits, as in ttft:1s; percentiles are for "
        + "capacity, tune and plan"
    case .twice(let text, let before): "--slo \(text): \(before) limits the same latency already"
    }
  }

  /// Always a mistake on the command line.
  package var exitStatus: ExitStatus { .usage }
}
