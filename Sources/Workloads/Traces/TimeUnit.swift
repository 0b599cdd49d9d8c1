/// How a trace writes the moment of an arrival.
enum TimeUnit {
  case seconds
  case milliseconds
  case nanoseconds
  /// A date and a time of day, `2023-11-16 18:15:46.6805900`, with or without an offset from UTC.
  case calendar

  /// What a well-formed value is, in words.
  var expectation: String {
    switch self {
    case .seconds: "a number of seconds, 0 or more"
    case .milliseconds: "a number of milliseconds, 0 or more"
    case .nanoseconds: "a number of nanoseconds, 0 or more"
    case .calendar: "a time such as 2023-11-16 18:15:46.6805900 or 2024-05-12 00:00:00+00:00"
    }
  }

  /// The moment that a field tells, rounded to whole microseconds, or nil if it is malformed.
  func microseconds(_ text: Span<UInt8>, _ field: Range<Int>) -> Int? {
    switch self {
    case .seconds: Decimal.scaled(text, field, by: 6)?.value
    case .milliseconds: Decimal.scaled(text, field, by: 3)?.value
    case .nanoseconds: Decimal.scaled(text, field, by: -3)?.value
    case .calendar: CalendarTime.microseconds(text, field)
    }
  }
}
