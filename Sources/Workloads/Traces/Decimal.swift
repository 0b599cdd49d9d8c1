/// Reads decimal numbers from text without making a string of them.
enum Decimal {
  /// A number in `field` times 10 to the power `scale`, rounded half up, and whether nothing was rounded away.
  ///
  /// Takes `7564`, `7564.0` and `7.564e3`; nil for anything else, negative numbers and overflow included.
  ///
  /// - Complexity: O(*n*), about 1 ns a byte; slower for numbers with an exponent.
  static func scaled(_ text: Span<UInt8>, _ field: Range<Int>, by scale: Int) -> (value: Int, isExact: Bool)?
  {
    var value = 0
    var digits = 0
    var pending = max(0, scale)
    var hasPoint = false
    var roundsUp = false
    var isExact = true
    var dropped = 0
    for index in field {
      let byte = text[index]
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
        if byte == UInt8(ascii: "."), !hasPoint {
          hasPoint = true
          continue
        }
        if byte | 0x20 == UInt8(ascii: "e"), digits > 0 { return scientific(text, field, by: scale) }
        return nil
      }
      let digit = Int(byte &- UInt8(ascii: "0"))
      digits += 1
      if hasPoint && pending == 0 {
        if dropped == 0 { roundsUp = digit >= 5 }
        if digit != 0 { isExact = false }
        dropped += 1
        continue
      }
      if hasPoint { pending -= 1 }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      guard !overflow, product <= limit else { return nil }
      value = product + digit
    }
    guard digits > 0 else { return nil }
    while pending > 0 {
      guard value <= limit / 10 else { return nil }
      value *= 10
      pending -= 1
    }
    if scale >= 0 { return (roundsUp ? value + 1 : value, isExact) }
    var unit = 1
    for _ in 0 ..< -scale { unit *= 10 }
    return ((value + unit / 2) / unit, isExact && value % unit == 0)
  }

  /// A count of tokens, 0 or more, or nil if it is malformed, not whole, or more than 2³¹ - 1.
  static func tokens(_ text: Span<UInt8>, _ field: Range<Int>) -> Int32? {
    guard let (value, isExact) = scaled(text, field, by: 0), isExact else { return nil }
    return Int32(exactly: value)
  }

  /// What values stay below, so that rounding cannot overflow.
  private static let limit = Int.max / 4

  /// The rare number with an exponent, by way of the standard library.
  private static func scientific(_ text: Span<UInt8>, _ field: Range<Int>, by scale: Int) -> (Int, Bool)? {
    var bytes: [UInt8] = []
    for index in field { bytes.append(text[index]) }
    var factor = 1.0
    for _ in 0..<abs(scale) { factor *= 10 }
    guard let number = Double(String(decoding: bytes, as: UTF8.self)) else { return nil }
    let value = scale < 0 ? number / factor : number * factor
    guard value >= 0, value < Double(limit) else { return nil }
    let whole = Int(value + 0.5)
    return (whole, Double(whole) == value)
  }
}
