/// A range of decimal numbers as sweeps write it, `first:last:step`, its end included.
///
/// It is counted in whole units of its last decimal, so that 1.0:1.9:0.1 is ten numbers and the fourth is 1.3, not
/// 1.3000000000000003.
struct SweepRange {
  /// Most values that a range may have.
  static let mostValues = 100_000

  /// The numbers, as text.
  let values: [String]

  /// Reads a range, a value of an option; `nil` if the text is no range at all, since its first part is no number.
  init?(_ text: Substring, option: String) throws(CommandLineError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count > 1, Double(parts[0]) != nil else { return nil }
    func wrong(_ expected: String) -> CommandLineError {
      .badValue(option: option, value: String(text), expected: expected)
    }
    let numbers = parts.compactMap { Decimal($0) }
    guard numbers.count == parts.count, numbers.count <= 3 else {
      throw wrong("a range first:last:step of decimal numbers, such as 0.5:4:0.5")
    }
    let places = numbers.map(\.places).max() ?? 0
    let scaled = numbers.compactMap { $0.units(places: places) }
    guard scaled.count == numbers.count else { throw wrong("numbers of 18 digits at most") }
    guard scaled.count == 3 || places == 0 else {
      throw wrong("a step after the range, such as \(text):0.1, since its ends are not whole")
    }
    let (first, last, step) = (scaled[0], scaled[1], scaled.count == 3 ? scaled[2] : 1)
    guard step > 0 else { throw wrong("a step above 0") }
    guard first <= last else { throw wrong("a range that goes up; this one is empty") }
    let (span, overflow) = last.subtractingReportingOverflow(first)
    guard !overflow, span / step < Self.mostValues else {
      throw wrong("at most \(Self.mostValues) values in a range")
    }
    values = (0...span / step).map { Decimal.text(units: first + $0 * step, places: places) }
  }

  /// A number by its digits.
  private struct Decimal {
    var isNegative: Bool
    var digits: Substring
    var places: Int

    /// Reads an optional sign, digits, and optionally a point and more digits.
    init?(_ text: Substring) {
      isNegative = text.first == "-"
      let sides = text.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
      guard (1...2).contains(sides.count), text.filter({ $0 == "-" }).count == (isNegative ? 1 : 0),
        sides.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } })
      else { return nil }
      digits = Substring(sides.joined())
      places = sides.count == 2 ? sides[1].utf8.count : 0
    }

    /// The number in units of 10^-places; `nil` if it has too many digits.
    func units(places: Int) -> Int? {
      guard digits.utf8.count + places - self.places <= 18 else { return nil }
      let whole = Int(digits + String(repeating: "0", count: places - self.places))
      return whole.map { isNegative ? -$0 : $0 }
    }

    /// Writes a number of units of 10^-places.
    static func text(units: Int, places: Int) -> String {
      let digits = String(units.magnitude)
      let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
      let point = places > 0 ? "." + padded.suffix(places) : ""
      return (units < 0 ? "-" : "") + padded.dropLast(places) + point
    }
  }
}
