import GRDB

extension RunValue {
  /// The value as GRDB has it.
  var databaseValue: DatabaseValue {
    switch self {
    case .integer(let value): value.databaseValue
    case .real(let value): value.isNaN ? .null : value.databaseValue
    case .text(let value): value.databaseValue
    case .null: .null
    }
  }

  /// The value of a column of a result; a blob becomes a text like `x'00ff'`.
  init(_ value: DatabaseValue) {
    self =
      switch value.storage {
      case .null: .null
      case .int64(let value): .integer(value)
      case .double(let value): .real(value)
      case .string(let value): .text(value)
      case .blob(let bytes):
        .text("x'" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "'")
      }
  }
}
