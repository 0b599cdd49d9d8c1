import Serving
import Support

/// Mistakes on the command line that its parser does not see.
enum CommandLineError: UserError {
  /// An option has a value that it does not take.
  case badValue(option: String, value: String, expected: String)
  /// Options that contradict each other.
  case contradiction(String)
  /// The options of a point of a sweep that are no run's.
  case badPoint(arguments: [String], reason: String)
  /// Points of a sweep that broke down; each has been reported.
  case failedPoints(Int)
  /// Systems of a search on which the model does not fit; each has been named.
  case impossibleSystems(Int)
  /// Iterations take longer than any GPU would, in seconds on average.
  case unbelievable(Double)
  /// The folder of profiles or traces is not where it should be.
  case missingFolder(name: String, option: String)
  /// A word that is neither a query's name nor SQL.
  case unknownQuery(String, nearest: String?)

  var description: String {
    switch self {
    case .badValue(let option, let value, let expected): "\(option) \(value): expected \(expected)"
    case .contradiction(let text): text
    case .badPoint(let arguments, let reason):
      "the point '\(arguments.joined(separator: " "))': "
        + reason.split(whereSeparator: \.isNewline).joined(separator: " ")
    case .failedPoints(let count): "\(count) points broke down; the others ran"
    case .impossibleSystems(let count):
      "the model does not fit in \(count) cases, limited_by memory; the others were searched"
    case .unbelievable(let seconds):
      "an iteration takes \(seconds) s on average; a figure of the GPU, the engine, the model or the calibration is wrong"
    case .missingFolder(let name, let option):
      "no folder '\(name)' here or above the program; run it from the project's folder, or give \(option)"
    case .unknownQuery(let name, let nearest):
      "unknown query '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        + "; 'sim query list' lists them, and a SELECT statement in quotes works as well"
    }
  }

  /// What a whole number should be that the program cannot take as one.
  static func wholeNumber(_ text: String) -> String {
    let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    guard !digits.isEmpty, digits.allSatisfy(\.isNumber) else { return "a whole number" }
    return text.hasPrefix("-") ? "a number that is not negative" : "a smaller number, at most \(Int.max)"
  }

  var exitStatus: ExitStatus {
    switch self {
    case .badValue, .contradiction, .badPoint, .unknownQuery: .usage
    case .failedPoints: .software
    case .impossibleSystems, .unbelievable: .configuration
    case .missingFolder: .noInput
    }
  }
}
