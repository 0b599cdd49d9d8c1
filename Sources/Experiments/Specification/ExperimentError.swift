import Foundation
import Support

/// What can be wrong with an experiment beyond its files.
public enum ExperimentError: UserError, Hashable {
  /// A value is out of bounds; it is named by its option, whose words a member of the JSON has with underscores.
  case invalidValue(option: String, value: String, expected: String)
  /// A JSON text that cannot be read.
  case unreadable(source: String, reason: String)
  /// A member of a JSON text is not what it should be.
  case invalidMember(source: String, member: String, reason: String)

  /// One line: what is wrong, where, and what would be right.
  public var description: String {
    switch self {
    case .invalidValue(let option, let value, let expected): "\(option) \(value): expected \(expected)"
    case .unreadable(let source, let reason): "\(source): cannot be read: \(reason)"
    case .invalidMember(let source, let member, let reason): "\(source): \(member): \(reason)"
    }
  }

  /// The status that the program ends with.
  public var exitStatus: ExitStatus {
    switch self {
    case .invalidValue: .usage
    case .unreadable: .noInput
    case .invalidMember: .dataError
    }
  }

  /// Translates what a decoder threw.
  init(_ error: any Error, source: String) {
    func place(_ path: [any CodingKey]) -> String {
      let parts = path.map { key in key.intValue.map { "[\($0)]" } ?? "." + key.stringValue }
      return parts.isEmpty ? "the experiment" : String(parts.joined().drop { $0 == "." })
    }
    switch error {
    case DecodingError.typeMismatch(let type, let context):
      let expected =
        switch type {
        case is String.Type: "a text"
        case is Bool.Type: "true or false"
        case is Int.Type, is UInt64.Type: "a whole number"
        case is Double.Type: "a number"
        default: "an object"
        }
      self = .invalidMember(
        source: source, member: place(context.codingPath), reason: "expected \(expected)")
    case DecodingError.valueNotFound(_, let context):
      self = .invalidMember(source: source, member: place(context.codingPath), reason: "expected a value")
    case DecodingError.keyNotFound(let key, let context):
      self = .invalidMember(
        source: source, member: place(context.codingPath + [key]), reason: "is missing")
    case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty:
      self = .invalidMember(source: source, member: "the experiment", reason: "not valid JSON")
    case DecodingError.dataCorrupted(let context):
      self = .invalidMember(
        source: source, member: place(context.codingPath), reason: context.debugDescription)
    default:
      self = .unreadable(source: source, reason: "\(error)")
    }
  }
}
