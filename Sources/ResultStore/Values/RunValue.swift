/// A value of a column, as SQLite has them.
public enum RunValue: Sendable, Hashable {
  /// A whole number.
  case integer(Int64)
  /// A floating-point number; not-a-number is stored as null.
  case real(Double)
  /// A text.
  case text(String)
  /// Nothing, or not known.
  case null

  /// Wraps a whole number.
  public init(_ value: Int) { self = .integer(Int64(value)) }
  /// Wraps a floating-point number.
  public init(_ value: Double) { self = value.isNaN ? .null : .real(value) }
  /// Wraps a text.
  public init(_ value: String) { self = .text(value) }
}

extension RunValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByNilLiteral
{
  /// Wraps a whole number.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// Wraps a floating-point number.
  public init(floatLiteral value: Double) { self = .real(value) }
  /// Wraps a text.
  public init(stringLiteral value: String) { self = .text(value) }
  /// Makes a null.
  public init(nilLiteral: ()) { self = .null }
}
