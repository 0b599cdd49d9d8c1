import Serving
import Support

/// What can be wrong with a trace or with the options that say how it is played.
public enum WorkloadError: UserError, Equatable {
  /// Neither a trace that ships with the project nor a file.
  case unknownTrace(String, directory: String, known: [String])
  /// A file that does not exist, is a folder, or fails to be read.
  case unreadable(file: String, reason: String)
  /// A file that may not be read.
  case denied(file: String)
  /// A file whose header or first record belongs to no known format.
  case unknownFormat(file: String, beginning: String)
  /// A file that is recognised but cannot be used as it is.
  case unsupported(file: String, what: String, instead: String)
  /// A row that does not say what it should; lines count from 1.
  case brokenRow(file: String, line: Int, field: String, value: String, expected: String)
  /// A file without a single request.
  case emptyTrace(file: String)
  /// A length model that breaks its schema.
  case invalidModel(file: String, field: String, expected: String)
  /// An option whose value makes no sense.
  case invalidOption(String, value: String, expected: String)
  /// Options that contradict each other or the trace.
  case contradiction(String)

  /// What is wrong, where, and what would be right, in one line.
  public var description: String {
    switch self {
    case .unknownTrace(let name, let directory, let known):
      let guess = nearestName(to: name, among: known).map { "did you mean '\($0)'? " } ?? ""
      let list = known.isEmpty ? "there is none in \(directory)" : known.joined(separator: ", ")
      return "unknown trace '\(name)': \(guess)no such file; shipped traces: \(list)"
    case .unreadable(let file, let reason):
      return "cannot read trace \(file): \(reason)"
    case .denied(let file):
      return "cannot read trace \(file): permission denied"
    case .unknownFormat(let file, let beginning):
      let formats = TraceFormat.allCases.map { "\($0.title) (\($0.layout))" }.joined(separator: "; ")
      return "\(file): line 1: unknown trace format '\(beginning)'; known formats: \(formats)"
    case .unsupported(let file, let what, let instead):
      return "\(file): \(what); \(instead)"
    case .brokenRow(let file, let line, let field, let value, let expected):
      return "\(file): line \(line): \(field): '\(value)' should be \(expected)"
    case .emptyTrace(let file):
      return "\(file): the trace holds no request; at least one row is needed"
    case .invalidModel(let file, let field, let expected):
      return "\(file): length model: \(field) should be \(expected)"
    case .invalidOption(let option, let value, let expected):
      return "\(option) \(value): should be \(expected)"
    case .contradiction(let reason):
      return reason
    }
  }

  /// The status that the program exits with.
  public var exitStatus: ExitStatus {
    switch self {
    case .unknownTrace, .invalidOption, .contradiction: .usage
    case .unreadable: .noInput
    case .denied: .noPermission
    case .unknownFormat, .unsupported, .brokenRow, .emptyTrace, .invalidModel: .dataError
    }
  }
}

extension WorkloadError {
  /// An error of a file, as one of a trace.
  init(_ error: FileError, file: String) {
    if case .denied = error {
      self = .denied(file: file)
    } else {
      self = .unreadable(file: file, reason: error.reason)
    }
  }

  /// An error of a CSV file, as one of a trace.
  init(_ error: CSVError) {
    switch error {
    case .noHeader(let file):
      self = .emptyTrace(file: file)
    case .brokenHeader(let file, _, let beginning):
      self = .unknownFormat(file: file, beginning: beginning.onOneLine())
    case .missingColumn(let file, _, let found):
      self = .unknownFormat(file: file, beginning: found.joined(separator: ",").onOneLine())
    case .brokenQuotes(let file, let line, let field, let value):
      self = .brokenRow(file: file, line: line, field: field, value: value, expected: CSVError.closed)
    case .fieldCount(let file, let line, let found, let expected):
      self = .brokenRow(
        file: file, line: line, field: "row", value: "\(found) fields",
        expected: "\(expected) fields, as in the header")
    case .cutShort(let file, let line):
      self = .brokenRow(
        file: file, line: line, field: "row", value: "", expected: "a whole line, with its line end")
    case .invalid(let file, let line, let field, let value, let expected):
      self = .brokenRow(file: file, line: line, field: field, value: value, expected: expected)
    }
  }
}
