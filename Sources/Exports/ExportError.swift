import Serving
import Support

/// What can go wrong as a result is written to a file.
package enum ExportError: UserError, Hashable {
  /// The file cannot be created.
  case cannotCreate(path: String, reason: String)
  /// Writing failed half-way; what the file was before is untouched.
  case cannotWrite(path: String, reason: String)
  /// No table or view of that name.
  case unknownTable(String, known: [String])

  package var description: String {
    switch self {
    case .cannotCreate(let path, let reason): "cannot create '\(path)': \(reason)"
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason); nothing was exported"
    case .unknownTable(let name, let known):
      "unknown table '\(name)'; "
        + (nearestName(to: name, among: known).map { "did you mean '\($0)'? " } ?? "")
        + "there are \(known.joined(separator: ", "))"
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .cannotCreate: .cannotCreate
    case .cannotWrite: .ioError
    case .unknownTable: .usage
    }
  }
}
