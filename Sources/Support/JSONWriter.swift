/// Writes JSON piece by piece, members in the order in which they are written: the only writer in use here.
///
///     var json = JSONWriter()
///     json.object { json in
///       json.member("policy", "layered")
///       json.member("mean_ttft_ms", 212.25)
///       json.array("rates") { $0.element(1.5) }
///     }
///     json.text  // {"policy": "layered", "mean_ttft_ms": 212.25, "rates": [1.5]}
///
/// Numbers are written as numbers with all of their digits; what is not finite becomes null, since JSON has nothing
/// else for it. The same values give the same bytes.
public struct JSONWriter: Sendable {
  /// How the entries of an object or an array are laid out.
  public enum Layout: Sendable, Hashable {
    /// Behind each other on one line.
    case line
    /// Each on a line of its own, two spaces deeper.
    case lines
  }

  private struct Container: Sendable {
    var layout: Layout
    var isEmpty = true
  }

  /// What has been written.
  public private(set) var text = ""
  private var containers: [Container] = []

  /// Creates a writer.
  public init() {}

  /// The text of one value.
  public static func text(_ value: some JSONRepresentable) -> String {
    var json = JSONWriter()
    value.write(to: &json)
    return json.text
  }

  /// Takes what has been written so far out of the writer, which goes on; for files that are written in pieces.
  public mutating func take() -> String {
    defer { text = "" }
    return text
  }

  /// Writes an object: as the whole text, or as an element.
  ///
  /// - Parameters:
  ///   - layout: How its members are laid out.
  ///   - members: Writes the members.
  /// - Throws: What `members` throws.
  public mutating func object(
    layout: Layout = .line, _ members: (inout JSONWriter) throws -> Void
  ) rethrows {
    separate()
    try container("{", "}", layout, members)
  }

  /// Writes a member that is an object.
  ///
  /// - Parameters:
  ///   - key: The member's name.
  ///   - layout: How the object's own members are laid out.
  ///   - members: Writes them.
  /// - Throws: What `members` throws.
  public mutating func object(
    _ key: String, layout: Layout = .line, _ members: (inout JSONWriter) throws -> Void
  ) rethrows {
    self.key(key)
    try container("{", "}", layout, members)
  }

  /// Writes an array: as the whole text, or as an element.
  ///
  /// - Parameters:
  ///   - layout: How its elements are laid out.
  ///   - elements: Writes the elements.
  /// - Throws: What `elements` throws.
  public mutating func array(
    layout: Layout = .line, _ elements: (inout JSONWriter) throws -> Void
  ) rethrows {
    separate()
    try container("[", "]", layout, elements)
  }

  /// Writes a member that is an array.
  ///
  /// - Parameters:
  ///   - key: The member's name.
  ///   - layout: How the elements are laid out.
  ///   - elements: Writes the elements.
  /// - Throws: What `elements` throws.
  public mutating func array(
    _ key: String, layout: Layout = .line, _ elements: (inout JSONWriter) throws -> Void
  ) rethrows {
    self.key(key)
    try container("[", "]", layout, elements)
  }

  /// Writes a member of an object.
  public mutating func member(_ key: String, _ value: some JSONRepresentable) {
    self.key(key)
    value.write(to: &self)
  }

  /// Writes a member of an object whose value is JSON already.
  public mutating func member(_ key: String, json: String) {
    self.key(key)
    text += json
  }

  /// Writes an element of an array.
  public mutating func element(_ value: some JSONRepresentable) {
    separate()
    value.write(to: &self)
  }

  /// Writes an element of an array that is JSON already.
  public mutating func element(json: String) {
    separate()
    text += json
  }

  /// Appends a value that is JSON already; for types that are ``JSONRepresentable``.
  public mutating func literal(_ json: String) { text += json }

  /// Appends a text in quotation marks; for types that are ``JSONRepresentable``.
  public mutating func quoted(_ string: String) {
    text += "\""
    if string.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
      for scalar in string.unicodeScalars { escape(scalar) }
    } else {
      text += string
    }
    text += "\""
  }

  private mutating func escape(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    case "\n": text += "\\n"
    case "\r": text += "\\r"
    case "\t": text += "\\t"
    case _ where scalar.value < 0x20:
      text += (scalar.value < 0x10 ? "\\u000" : "\\u00") + String(scalar.value, radix: 16)
    default: text.unicodeScalars.append(scalar)
    }
  }

  private mutating func key(_ key: String) {
    separate()
    quoted(key)
    text += ": "
  }

  /// Ends the entry before and begins the line of the next one.
  private mutating func separate() {
    guard let last = containers.indices.last else { return }
    if !containers[last].isEmpty { text += containers[last].layout == .line ? ", " : "," }
    if containers[last].layout == .lines { breakLine(containers.count) }
    containers[last].isEmpty = false
  }

  private mutating func breakLine(_ depth: Int) {
    text += "\n" + String(repeating: "  ", count: depth)
  }

  private mutating func container(
    _ opening: String, _ closing: String, _ layout: Layout, _ entries: (inout JSONWriter) throws -> Void
  ) rethrows {
    text += opening
    containers.append(Container(layout: layout))
    try entries(&self)
    let container = containers.removeLast()
    if !container.isEmpty, layout == .lines { breakLine(containers.count) }
    text += closing
  }
}

/// A value that can be written as JSON.
public protocol JSONRepresentable {
  /// Appends the value with ``JSONWriter/literal(_:)``, ``JSONWriter/quoted(_:)``, or an object or array.
  func write(to json: inout JSONWriter)
}

extension JSONRepresentable where Self: BinaryInteger {
  /// Writes all digits.
  public func write(to json: inout JSONWriter) { json.literal("\(self)") }
}

extension Int: JSONRepresentable {}
extension Int32: JSONRepresentable {}
extension Int64: JSONRepresentable {}
extension UInt64: JSONRepresentable {}

extension Double: JSONRepresentable {
  /// Writes the shortest text that reads back as the same number; null for what is not finite.
  public func write(to json: inout JSONWriter) { json.literal(isFinite ? "\(self)" : "null") }
}

extension Bool: JSONRepresentable {
  /// Writes true or false.
  public func write(to json: inout JSONWriter) { json.literal(self ? "true" : "false") }
}

extension String: JSONRepresentable {
  /// Writes the text in quotation marks.
  public func write(to json: inout JSONWriter) { json.quoted(self) }
}

extension Optional: JSONRepresentable where Wrapped: JSONRepresentable {
  /// Writes the value, or null.
  public func write(to json: inout JSONWriter) {
    switch self {
    case .some(let value): value.write(to: &json)
    case .none: json.literal("null")
    }
  }
}

extension Array: JSONRepresentable where Element: JSONRepresentable {
  /// Writes the elements on one line.
  public func write(to json: inout JSONWriter) {
    json.literal("[")
    for (index, element) in enumerated() {
      if index > 0 { json.literal(", ") }
      element.write(to: &json)
    }
    json.literal("]")
  }
}

extension JSONValue: JSONRepresentable {
  /// Writes the value on one line.
  public func write(to json: inout JSONWriter) {
    switch self {
    case .null: json.literal("null")
    case .flag(let flag): flag.write(to: &json)
    case .integer(let number): number.write(to: &json)
    case .real(let number): number.write(to: &json)
    case .text(let text): text.write(to: &json)
    case .list(let elements): elements.write(to: &json)
    case .object(let members):
      json.literal("{")
      for (index, member) in members.enumerated() {
        if index > 0 { json.literal(", ") }
        json.quoted(member.key)
        json.literal(": ")
        member.value.write(to: &json)
      }
      json.literal("}")
    }
  }
}
