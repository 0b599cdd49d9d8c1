/// Reads dates and times of day as Azure writes them.
enum CalendarTime {
  /// Microseconds since 1970 UTC, or nil if the field is no time.
  ///
  /// The form is `YYYY-MM-DD hh:mm:ss`, with a blank or a `T` in the middle, any number of fractional digits
  /// or none, and `Z`, `+hh:mm`, `+hhmm`, `+hh` or nothing, which means UTC.
  static func microseconds(_ text: Span<UInt8>, _ field: Range<Int>) -> Int? {
    let start = field.lowerBound
    guard field.count >= 19,
      text[start + 4] == UInt8(ascii: "-"), text[start + 7] == UInt8(ascii: "-"),
      text[start + 10] == UInt8(ascii: " ") || text[start + 10] | 0x20 == UInt8(ascii: "t"),
      text[start + 13] == UInt8(ascii: ":"), text[start + 16] == UInt8(ascii: ":"),
      let century = twoDigits(text, start), let yearOfCentury = twoDigits(text, start + 2),
      let month = twoDigits(text, start + 5), let day = twoDigits(text, start + 8),
      let hour = twoDigits(text, start + 11), let minute = twoDigits(text, start + 14),
      let second = twoDigits(text, start + 17),
      let days = days(year: century * 100 + yearOfCentury, month: month, day: day),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    var index = start + 19
    var fraction = 0
    if index < field.upperBound, text[index] == UInt8(ascii: ".") {
      var end = index + 1
      while end < field.upperBound, text[end] &- UInt8(ascii: "0") < 10 { end += 1 }
      guard let (value, _) = Decimal.scaled(text, index..<end, by: 6) else { return nil }
      fraction = value
      index = end
    }
    guard let offset = offset(text, index..<field.upperBound) else { return nil }
    return (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1_000_000 + fraction
  }

  /// Minutes ahead of UTC.
  private static func offset(_ text: Span<UInt8>, _ field: Range<Int>) -> Int? {
    guard let first = field.first else { return 0 }
    if text[first] | 0x20 == UInt8(ascii: "z") { return field.count == 1 ? 0 : nil }
    let isAhead = text[first] == UInt8(ascii: "+")
    guard isAhead || text[first] == UInt8(ascii: "-"), field.count >= 3,
      let hours = twoDigits(text, first + 1), hours < 24
    else { return nil }
    var minutes = 0
    if field.count > 3 {
      let hasColon = text[first + 3] == UInt8(ascii: ":")
      guard field.count == (hasColon ? 6 : 5), let value = twoDigits(text, field.upperBound - 2), value < 60
      else {
        return nil
      }
      minutes = value
    }
    return (isAhead ? 1 : -1) * (hours * 60 + minutes)
  }

  private static func twoDigits(_ text: Span<UInt8>, _ index: Int) -> Int? {
    let tens = text[index] &- UInt8(ascii: "0")
    let ones = text[index + 1] &- UInt8(ascii: "0")
    return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
  }

  /// Days since 1970 in the Gregorian calendar, counted in years that begin in March.
  private static func days(year: Int, month: Int, day: Int) -> Int? {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths =
      month == 2 ? (isLeap ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31)
    guard 1...12 ~= month, 1...lengths ~= day else { return nil }
    let shiftedYear = month > 2 ? year : year - 1
    let shiftedMonth = (month + 9) % 12
    return shiftedYear * 365 + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400
      + (shiftedMonth * 153 + 2) / 5 + day - 1 - 719_468
  }
}
