import Support

/// What can be wrong with a recorded schedule.
package enum ScheduleError: UserError, Hashable {
  /// There is no such folder, or it cannot be read.
  case unreadable(path: String)
  /// No scenario lies in the folder.
  case empty(folder: String)
  /// A setting is not what it should be.
  case invalid(file: String, field: String, value: String, expected: String)

  package var description: String {
    switch self {
    case .unreadable(let path): "\(path): cannot be read: no such file or folder"
    case .empty(let folder):
      "\(folder): no scenario: expected NAME.json, NAME.requests.csv and NAME.steps.csv"
    case .invalid(let file, let field, let value, let expected):
      "\(file): \(field): '\(value)' should be \(expected)"
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .unreadable: .noInput
    case .empty, .invalid: .dataError
    }
  }
}
