import Support

/// What can be wrong with a descriptor of a model, a GPU, a serving engine or an expert routing.
public enum DescriptionError: UserError, Hashable {
  /// A file is missing or cannot be read.
  case unreadable(file: String, reason: String)
  /// A file is not what its format prescribes.
  case malformed(file: String, reason: String)
  /// A file is not a table with the columns that it should have.
  case table(CSVError)
  /// A field that has no default is absent.
  case missing(file: String, field: String, expected: String)
  /// A field's value is not what it should be.
  case invalid(file: String, field: String, value: String, expected: String)
  /// A field that is not known; a typing mistake, most likely.
  case unknownField(file: String, field: String, nearest: String?)
  /// No descriptor of that name.
  case unknownName(kind: String, name: String, known: [String])
  /// A setting on the command line names a path that does not exist.
  case unknownSetting(kind: String, path: String, nearest: String?)
  /// A setting on the command line has a value that does not fit.
  case invalidSetting(path: String, value: String, expected: String)
  /// A model cannot be split over that many GPUs.
  case indivisible(model: String, field: String, value: Int, gpus: Int, expected: String)
  /// Two descriptors do not go together.
  case mismatch(String)

  /// One line: what is wrong, where, and what would be right.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      "\(file): cannot be read: \(reason)"
    case .malformed(let file, let reason):
      "\(file): \(reason)"
    case .table(let error): error.description
    case .missing(let file, let field, let expected):
      "\(file): field '\(field)' is missing; expected \(expected)"
    case .invalid(let file, let field, let value, let expected):
      "\(file): field '\(field)' is \(value); expected \(expected)"
    case .unknownField(let file, let field, let nearest):
      "\(file): unknown field '\(field)'" + Self.suggestion(nearest)
    case .unknownName(let kind, let name, let known):
      "unknown \(kind) '\(name)'"
        + Self.suggestion(
          nearestName(to: name.split(separator: "/").last.map(String.init) ?? name, among: known))
        + "; known: \(known.joined(separator: ", ")); or give the path of a JSON file"
        + (kind == "model" && name.contains("/")
          ? ", such as that of https://huggingface.co/\(name)/resolve/main/config.json" : "")
    case .unknownSetting(let kind, let path, let nearest):
      "unknown \(kind) setting '\(path)'" + Self.suggestion(nearest)
    case .invalidSetting(let path, let value, let expected):
      "setting '\(path)': '\(value)' is invalid; expected \(expected)"
    case .indivisible(let model, let field, let value, let gpus, let expected):
      "model '\(model)': \(field) \(value) cannot be split over \(gpus) GPUs; expected \(expected)"
    case .mismatch(let what):
      what
    }
  }

  /// The status that the program exits with.
  public var exitStatus: ExitStatus {
    switch self {
    case .unreadable: .noInput
    case .table(let error): error.exitStatus
    case .malformed, .missing, .invalid, .unknownField, .mismatch: .configuration
    case .unknownName, .unknownSetting, .invalidSetting, .indivisible: .usage
    }
  }

  private static func suggestion(_ nearest: String?) -> String {
    nearest.map { "; did you mean '\($0)'?" } ?? ""
  }
}

extension DescriptionError {
  /// What is wrong with the JSON of a descriptor.
  init(_ error: JSONError) {
    self =
      switch error {
      case .unreadable(let file, let reason): .unreadable(file: file, reason: reason)
      case .malformed(let file, let line?, let reason):
        .malformed(file: file, reason: "line \(line): not valid JSON: \(reason)")
      case .malformed(let file, nil, let reason): .malformed(file: file, reason: reason)
      case .missing(let file, let field, let expected): .missing(file: file, field: field, expected: expected)
      case .invalid(let file, let field, let value, let expected):
        .invalid(file: file, field: field, value: value, expected: expected)
      }
  }

  /// Reads JSON, and throws what is wrong with it as a mistake of a descriptor.
  static func reading<Value>(_ body: () throws(JSONError) -> Value) throws(DescriptionError) -> Value {
    do { return try body() } catch { throw DescriptionError(error) }
  }
}
