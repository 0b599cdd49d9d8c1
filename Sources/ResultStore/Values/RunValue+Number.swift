extension RunValue {
  /// The value, if it is a whole number.
  package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

  /// The value, if it is a number.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    case .text, .null: nil
    }
  }
}
