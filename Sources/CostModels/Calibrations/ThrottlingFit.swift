/// How a board's power limit slows kernels down, fitted to what was measured.
public struct ThrottlingFit: Codable, Sendable, Hashable {
  /// How steeply power falls with the clock.
  public let clockExponent: Double
  /// The errors of the time of a launch, in windows at the limit.
  public let errors: ErrorSummary
  /// The time constant of the limit, in milliseconds; nil where no bursts were measured.
  public let windowMilliseconds: Double?
  /// The errors of the mean time of a launch in bursts; nil where none were measured.
  public let burstErrors: ErrorSummary?

  package init(
    clockExponent: Double, errors: ErrorSummary, windowMilliseconds: Double?, burstErrors: ErrorSummary?
  ) {
    self.clockExponent = clockExponent
    self.errors = errors
    self.windowMilliseconds = windowMilliseconds
    self.burstErrors = burstErrors
  }

  enum CodingKeys: String, CodingKey {
    case errors
    case clockExponent = "clock_exponent"
    case windowMilliseconds = "window_ms"
    case burstErrors = "burst_errors"
  }
}
