import Serving
import Support

/// Why a policy could not be made from its name.
public enum PolicyError: UserError, Hashable {
  /// No policy has that name.
  case unknown(String, nearest: String?)
  /// The text is neither `name` nor `name[key=value,...]`.
  case malformed(String)
  /// The policy has no such parameter.
  case unknownParameter(String, policy: String, known: [String])
  /// A parameter is given twice.
  case twice(String, policy: String)
  /// The parameter does not take that value.
  case badValue(String, parameter: String, expected: String)

  /// One line: what is wrong, and what would be right.
  public var description: String {
    switch self {
    case .unknown(let name, let nearest):
      "unknown policy '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        + " (see 'sim list policies')"
    case .malformed(let text): "policy '\(text)' is not of the form name or name[key=value,key=value]"
    case .unknownParameter(let name, let policy, let known):
      "policy '\(policy)' has no parameter '\(name)'; it has: \(known.joined(separator: ", "))"
    case .twice(let name, let policy): "policy '\(policy)' gives the parameter '\(name)' twice"
    case .badValue(let value, let parameter, let expected):
      "policy parameter \(parameter)=\(value): expected \(expected)"
    }
  }

  /// The command line is wrong.
  public var exitStatus: ExitStatus { .usage }
}
