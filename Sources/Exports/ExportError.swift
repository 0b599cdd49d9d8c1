import Support

/// What can go wrong with an export beyond its file.
package enum ExportError: UserError, Hashable {
  /// No table or view of that name.
  case unknownTable(String, known: [String])

  package var description: String {
    switch self {
    case .unknownTable(let name, let known):
      "unknown table '\(name)'; "
        + (nearestName(to: name, among: known).map { "did you mean '\($0)'? " } ?? "")
        + "there are \(known.joined(separator: ", "))"
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .unknownTable: .usage
    }
  }
}
