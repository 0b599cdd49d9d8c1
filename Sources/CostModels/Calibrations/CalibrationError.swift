import Support

/// What can be wrong with kernel tables, and with calibrations made from them.
public enum CalibrationError: UserError, Hashable {
  /// A file cannot be read.
  case unreadable(path: String, reason: String)
  /// A line of a file is not what it should be. Lines count from 1; line 0 stands for the file as a whole.
  case malformed(path: String, line: Int, problem: String)
  /// A table is not a CSV file with the columns that it should have.
  case table(CSVError)
  /// Tables that belong together were measured on different GPUs.
  case mixedGPUs(path: String, found: String, expected: String)
  /// A kernel has fewer measurements than a fit needs.
  case tooFewRows(path: String, kernel: String, rows: Int, needed: Int)
  /// A calibration file cannot be written.
  case unwritable(path: String, reason: String)

  /// One line: the file, the line, what is wrong, and what would be right.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .malformed(let path, 0, let problem): "\(path): \(problem)"
    case .malformed(let path, let line, let problem): "\(path):\(line): \(problem)"
    case .table(let error): error.description
    case .mixedGPUs(let path, let found, let expected):
      "\(path): measured on '\(found)', but the profile is of '\(expected)'; keep each GPU's tables apart"
    case .tooFewRows(let path, let kernel, let rows, let needed):
      "\(path): \(kernel): \(rows) rows, but a fit with held-out rows needs at least \(needed)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    }
  }

  /// The status that the program exits with.
  public var exitStatus: ExitStatus {
    switch self {
    case .unreadable: .noInput
    case .malformed, .table, .tooFewRows: .dataError
    case .mixedGPUs: .configuration
    case .unwritable: .cannotCreate
    }
  }
}
