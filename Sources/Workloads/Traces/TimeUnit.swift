/// How a trace writes the moment of an arrival.
public enum TimeUnit: String, Sendable, Hashable, CaseIterable {
  /// Seconds.
  case seconds = "s"
  /// Milliseconds.
  case milliseconds = "ms"
  /// Microseconds.
  case microseconds = "us"
  /// Nanoseconds.
  case nanoseconds = "ns"
  /// A date and a time of day, `2023-11-16 18:15:46.6805900`, with or without an offset from UTC.
  case calendar = "iso"

  /// What a well-formed value is, in words.
  var expectation: String {
    switch self {
    case .seconds: "a number of seconds, 0 or more"
    case .milliseconds: "a number of milliseconds, 0 or more"
    case .microseconds: "a number of microseconds, 0 or more"
    case .nanoseconds: "a number of nanoseconds, 0 or more"
    case .calendar: "a time such as 2023-11-16 18:15:46.6805900 or 2024-05-12 00:00:00+00:00"
    }
  }

  /// The moment that a field tells, rounded to whole microseconds, or nil if it is malformed.
  func microseconds(_ text: Span<UInt8>, _ field: Range<Int>) -> Int? {
    switch self {
    case .seconds: Decimal.scaled(text, field, by: 6)?.value
    case .milliseconds: Decimal.scaled(text, field, by: 3)?.value
    case .microseconds: Decimal.scaled(text, field, by: 0)?.value
    case .nanoseconds: Decimal.scaled(text, field, by: -3)?.value
    case .calendar: CalendarTime.microseconds(text, field)
    }
  }

  /// The unit that a moment in "seconds" really has: numbers that would lie beyond the year 5000 count from 1970 in a
  /// smaller unit.
  static func ofEpoch(_ text: Span<UInt8>, _ field: Range<Int>) -> TimeUnit {
    guard let (value, _) = Decimal.scaled(text, field, by: 0) else {
      return CalendarTime.microseconds(text, field) == nil ? .seconds : .calendar
    }
    return switch value {
    case ..<100_000_000_000: .seconds
    case ..<100_000_000_000_000: .milliseconds
    case ..<100_000_000_000_000_000: .microseconds
    default: .nanoseconds
    }
  }
}
