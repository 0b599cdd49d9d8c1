import SimCore

/// What is wrong with the command line beyond what its parser sees.
enum CommandLineError: UserError {
  /// An option has a value that it does not take.
  case badValue(option: String, value: String, expected: String)
  /// Options that contradict each other.
  case contradiction(String)
  /// The folder of profiles or traces is not where it should be.
  case missingFolder(name: String, option: String)

  var description: String {
    switch self {
    case .badValue(let option, let value, let expected): "\(option) \(value): expected \(expected)"
    case .contradiction(let text): text
    case .missingFolder(let name, let option):
      "no folder '\(name)' here or above the program; run it from the project's folder, or give \(option)"
    }
  }

  var exitStatus: ExitStatus {
    switch self {
    case .badValue, .contradiction: .usage
    case .missingFolder: .noInput
    }
  }
}
