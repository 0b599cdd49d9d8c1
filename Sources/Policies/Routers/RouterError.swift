import Support

/// Why a router could not be made from its name.
public enum RouterError: UserError, Hashable {
  /// No router has that name.
  case unknown(String, nearest: String?)
  /// The text is neither `name` nor `name[key=value,...]`.
  case malformed(String)
  /// The router has no such parameter.
  case unknownParameter(String, router: String, known: [String])
  /// A parameter is given twice.
  case twice(String, router: String)
  /// The parameter does not take that value.
  case badValue(String, parameter: String, expected: String)

  /// One line: what is wrong, and what would be right.
  public var description: String {
    switch self {
    case .unknown(let name, let nearest):
      "unknown router '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        + " (see 'sim list routers')"
    case .malformed(let text): "router '\(text)' is not of the form name or name[key=value,key=value]"
    case .unknownParameter(let name, let router, let known):
      "router '\(router)' has no parameter '\(name)'"
        + (known.isEmpty ? "" : "; it has: \(known.joined(separator: ", "))")
    case .twice(let name, let router): "router '\(router)' gives the parameter '\(name)' twice"
    case .badValue(let value, let parameter, let expected):
      "router parameter \(parameter)=\(value): expected \(expected)"
    }
  }

  /// The command line is wrong.
  public var exitStatus: ExitStatus { .usage }
}
