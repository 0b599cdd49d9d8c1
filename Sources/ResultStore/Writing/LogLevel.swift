/// How much of a run is kept; each level includes the ones before it.
public enum LogLevel: String, Sendable, CaseIterable, Comparable {
  /// The summary of the run, its kernels' totals, and a row for each request.
  case requests
  /// Also a row for each iteration, and each request's spans of iterations: enough for the time of every
  /// token.
  case iterations
  /// Also a row for each kernel of each iteration.
  case kernels

  /// Whether one level keeps less than another.
  public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rank < b.rank }

  private var rank: Int {
    switch self {
    case .requests: 0
    case .iterations: 1
    case .kernels: 2
    }
  }
}
