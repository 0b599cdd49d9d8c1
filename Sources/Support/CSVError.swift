/// What can be wrong with a CSV file.
public enum CSVError: UserError, Hashable {
  /// The file has no line at all.
  case noHeader(file: String)
  /// The quotation marks of the header are not closed.
  case brokenHeader(file: String, line: Int, beginning: String)
  /// The quotation marks of a field are not closed, or something follows them.
  case brokenQuotes(file: String, line: Int, field: String, value: String)
  /// A row has more or fewer fields than the header.
  case fieldCount(file: String, line: Int, found: Int, expected: Int)
  /// The last line has no end, so that more of it may be missing.
  case cutShort(file: String, line: Int)
  /// The header lacks a column.
  case missingColumn(file: String, column: String, found: [String])
  /// A field is not what it should be.
  case invalid(file: String, line: Int, field: String, value: String, expected: String)

  /// What is wrong, where, and what would be right, in one line.
  public var description: String {
    switch self {
    case .noHeader(let file):
      "\(file): the file is empty; expected a header, a line with the names of the columns"
    case .brokenHeader(let file, let line, let beginning):
      "\(file): line \(line): header: '\(beginning)' should be closed by a quotation mark"
    case .brokenQuotes(let file, let line, let field, let value):
      "\(file): line \(line): \(field): '\(value)' should be \(Self.closed)"
    case .fieldCount(let file, let line, let found, let expected):
      "\(file): line \(line): row: '\(found) fields' should be \(expected) fields, as in the header"
    case .cutShort(let file, let line):
      "\(file): line \(line): the last line is cut short: it has no line end"
    case .missingColumn(let file, let column, let found):
      "\(file): no column '\(column)'; its header has \(found.joined(separator: ", "))"
    case .invalid(let file, let line, let field, let value, let expected):
      "\(file): line \(line): \(field): '\(value)' should be \(expected)"
    }
  }

  /// What a field in quotation marks should be.
  public static let closed = "closed by a quotation mark and followed by a comma"

  /// The status that the program exits with.
  public var exitStatus: ExitStatus { .dataError }
}
