import Serving
import Support

/// What can be wrong with a benchmark's result.
package enum ServerBenchmarkError: UserError, Hashable {
  /// The file cannot be read.
  case unreadable(file: String, reason: String)
  /// The file is not JSON.
  case malformed(file: String, reason: String)
  /// The file is JSON of another kind, or lacks what is needed.
  case notDetailed(file: String, missing: String, advice: String)
  /// An entry is not what it should be.
  case badEntry(file: String, field: String, value: String, expected: String)
  /// A field of a record is not what it should be, or the file is not JSON.
  case json(JSONError)
  /// A field of a table is not what it should be.
  case csv(CSVError)
  /// No request can be compared.
  case nothingLeft(file: String, reason: String)

  package var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .malformed(let file, let reason): "\(file): not valid JSON: \(reason)"
    case .notDetailed(let file, let missing, let advice): "\(file): no '\(missing)'; \(advice)"
    case .badEntry(let file, let field, let value, let expected):
      "\(file): \(field) is \(value); expected \(expected)"
    case .json(let error): error.description
    case .csv(let error): error.description
    case .nothingLeft(let file, let reason): "\(file): no request to compare: \(reason)"
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .unreadable: .noInput
    case .malformed, .notDetailed, .badEntry, .json, .csv, .nothingLeft: .dataError
    }
  }
}
