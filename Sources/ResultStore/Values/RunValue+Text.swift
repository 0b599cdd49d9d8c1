import Foundation
import Support

extension RunValue {
  /// The value as JSON; what is not finite becomes null.
  public var json: String { JSONWriter.text(self) }

  /// The value as a field of CSV, RFC 4180; numbers keep all of their digits.
  public var csv: String {
    guard case .text(let text) = self else { return plain }
    let needsQuotes = text.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13].contains($0) }
    return needsQuotes ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
  }

  /// The value for the eye: some significant digits, no line breaks.
  func brief(digits: Int) -> String {
    switch self {
    case .real(let value):
      // Whole digits are kept rather than an exponent.
      String(format: (pow(10, Double(digits))..<1e15).contains(abs(value)) ? "%.0f" : "%.\(digits)g", value)
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
}

extension RunValue: JSONRepresentable {
  /// Writes the value as what it is.
  public func write(to json: inout JSONWriter) {
    switch self {
    case .integer(let value): value.write(to: &json)
    case .real(let value): value.write(to: &json)
    case .text(let value): value.write(to: &json)
    case .null: json.literal("null")
    }
  }
}
