import Foundation

extension RunValue {
  /// The value as JSON; JSON has no infinity, which becomes null.
  public var json: String {
    switch self {
    case .integer(let value): "\(value)"
    case .real(let value): value.isFinite ? "\(value)" : "null"
    case .text(let value): Self.quotedJSON(value)
    case .null: "null"
    }
  }

  /// The value as a field of CSV, RFC 4180; numbers keep all of their digits.
  public var csv: String {
    guard case .text(let text) = self else { return plain }
    let needsQuotes = text.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13].contains($0) }
    return needsQuotes ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
  }

  /// The value for the eye: six significant digits, no line breaks.
  var brief: String {
    switch self {
    case .real(let value): String(format: "%.6g", value)
    case .text(let text):
      text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: " ")
    case .integer, .null: plain
    }
  }

  /// Whether the value is a number, to be set flush right.
  var isNumber: Bool {
    switch self {
    case .integer, .real: true
    case .text, .null: false
    }
  }

  private var plain: String {
    switch self {
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .text(let value): value
    case .null: ""
    }
  }

  private static func quotedJSON(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
