/// A JSON value of any shape, the members of objects in the order of the file.
public enum JSONValue: Sendable, Hashable {
  /// Nothing.
  case null
  /// True or false.
  case flag(Bool)
  /// A number without a point or an exponent, if it fits.
  case integer(Int)
  /// Any other number.
  case real(Double)
  /// A text.
  case text(String)
  /// A list of values.
  case list([JSONValue])
  /// An object.
  case object([Member])

  /// A member of an object.
  public struct Member: Sendable, Hashable {
    /// Its name.
    public var key: String
    /// Its value.
    public var value: JSONValue

    /// Creates a member.
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// The number, if the value is one.
  public var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .real(let number): number
    case .null, .flag, .text, .list, .object: nil
    }
  }

  /// The whole number, if the value is one; `12.0` is.
  public var wholeNumber: Int? {
    switch self {
    case .integer(let number): number
    case .real(let number): Int(exactly: number)
    case .null, .flag, .text, .list, .object: nil
    }
  }

  /// The text, if the value is one.
  public var text: String? { if case .text(let text) = self { text } else { nil } }

  /// The value of a member, if the value is an object that has it.
  public subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The value as an error message shows it: short, and never more than one line.
  public var brief: String {
    switch self {
    case .null: "null"
    case .flag(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .real(let number): "\(number)"
    case .text(let text): "'\(text.onOneLine(limit: 40))'"
    case .list: "a list"
    case .object: "an object"
    }
  }
}
