/// A value of a setting or of a policy's parameter: a number, a word, true or false, or several numbers.
///
/// In JSON it is a number, a string, a boolean or an array.
public enum SettingValue: Sendable, Hashable, CustomStringConvertible {
  /// A finite number.
  case number(Double)
  /// True or false.
  case flag(Bool)
  /// A word.
  case word(String)
  /// Several finite numbers.
  case numbers([Double])

  /// Reads what stands behind the equals sign on a command line; any text is at least a word.
  public init(parsing text: String) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Self.finite($0) }
    if let flag = Bool(text) {
      self = .flag(flag)
    } else if parts.count == 1, let number = parts[0] {
      self = .number(number)
    } else if parts.count > 1, !parts.contains(nil) {
      self = .numbers(parts.compactMap { $0 })
    } else {
      self = .word(text)
    }
  }

  /// The text that ``init(parsing:)`` reads.
  public var description: String {
    switch self {
    case .number(let number): Self.text(number)
    case .flag(let flag): "\(flag)"
    case .word(let word): word
    case .numbers(let numbers): numbers.map(Self.text).joined(separator: ",")
    }
  }

  private static func finite(_ text: Substring) -> Double? {
    Double(text).flatMap { $0.isFinite ? $0 : nil }
  }

  /// Whole numbers have no point.
  private static func text(_ number: Double) -> String {
    Int64(exactly: number).map { "\($0)" } ?? "\(number)"
  }
}

extension SettingValue: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByStringLiteral
{
  /// Wraps a number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// Wraps a whole number.
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
  /// Wraps true or false.
  public init(booleanLiteral value: Bool) { self = .flag(value) }
  /// Wraps a word.
  public init(stringLiteral value: String) { self = .word(value) }
}

extension SettingValue: Codable {
  /// Reads a number, a string, a boolean or an array of numbers.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let word = try? container.decode(String.self) {
      self = .word(word)
    } else if let numbers = try? container.decode([Double].self) {
      self = .numbers(numbers)
    } else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected a number, a word, true, false or a list of numbers")
    }
  }

  /// Writes the value as what it is.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .number(let number): try container.encode(number)
    case .flag(let flag): try container.encode(flag)
    case .word(let word): try container.encode(word)
    case .numbers(let numbers): try container.encode(numbers)
    }
  }
}
