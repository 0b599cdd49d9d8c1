/// Reads JSON, as RFC 8259 describes it; experiments and calibrations are decoded by Foundation's `JSONDecoder`.
///
///     let result = try JSONReader.object(path: "result.json")
///     let rate = try result.number("request_rate", in: 0...1e6)
///
/// A mistake in the text is an error that names the file, the line and what was expected.
public struct JSONReader {
  private let bytes: [UInt8]
  private let file: String
  private var position = 0
  private var depth = 0
  private var allowsInfinity = false

  /// The deepest nesting that is read; beyond it a text is malicious rather than data.
  public static let deepestNesting = 256

  /// Reads a text that is one value.
  ///
  /// - Parameters:
  ///   - bytes: The text in UTF-8.
  ///   - file: The file, as errors name it.
  ///   - allowsInfinity: Whether `Infinity`, `-Infinity` and `NaN` are numbers.
  /// - Returns: The value.
  /// - Throws: ``JSONError/malformed(file:line:reason:)``.
  /// - Complexity: O(n), about 10 ns a byte.
  public static func value(
    _ bytes: [UInt8], file: String, allowsInfinity: Bool = false
  ) throws(JSONError) -> JSONValue {
    var reader = JSONReader(bytes: bytes, file: file)
    reader.allowsInfinity = allowsInfinity
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { reader.position = 3 }
    let value = try reader.value()
    reader.skipBlanks()
    guard reader.position == bytes.count else { throw reader.error("the end of the file") }
    return value
  }

  /// Reads a text that is one object.
  ///
  /// - Parameters:
  ///   - bytes: The text in UTF-8.
  ///   - file: The file, as errors name it.
  ///   - allowsInfinity: Whether `Infinity`, `-Infinity` and `NaN` are numbers.
  /// - Returns: The object.
  /// - Throws: ``JSONError/malformed(file:line:reason:)``.
  public static func object(
    _ bytes: [UInt8], file: String, allowsInfinity: Bool = false
  ) throws(JSONError) -> JSONObject {
    guard case .object(let members) = try value(bytes, file: file, allowsInfinity: allowsInfinity) else {
      throw .malformed(file: file, line: nil, reason: "the top level is not a JSON object {…}")
    }
    return JSONObject(members, file: file)
  }

  /// Reads a file that is one object.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - allowsInfinity: Whether `Infinity`, `-Infinity` and `NaN` are numbers, as Python writes them.
  /// - Returns: The object.
  /// - Throws: ``JSONError/unreadable(file:reason:)`` or ``JSONError/malformed(file:line:reason:)``.
  public static func object(path: String, allowsInfinity: Bool = false) throws(JSONError) -> JSONObject {
    let bytes: [UInt8]
    do {
      bytes = try WholeFile.bytes(of: path)
    } catch {
      throw .unreadable(file: path, reason: error.reason)
    }
    return try object(bytes, file: path, allowsInfinity: allowsInfinity)
  }

  private init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  /// The byte that is next; 0 at the end.
  private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private mutating func skipBlanks() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
      default: return
      }
    }
  }

  private func error(_ expected: String) -> JSONError {
    let line = 1 + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") }
    guard position < bytes.count else {
      return .malformed(file: file, line: line, reason: "the file ends where \(expected) is expected")
    }
    let found = String(onOneLine: bytes.span, position..<min(position + 20, bytes.count))
    return .malformed(file: file, line: line, reason: "expected \(expected), not '\(found)'")
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return try nested { (reader) throws(JSONError) in try reader.members() }
    case UInt8(ascii: "["): return try nested { (reader) throws(JSONError) in try reader.elements() }
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "t") where take("true"): return .flag(true)
    case UInt8(ascii: "f") where take("false"): return .flag(false)
    case UInt8(ascii: "n") where take("null"): return .null
    case UInt8(ascii: "I") where allowsInfinity && take("Infinity"): return .real(.infinity)
    case UInt8(ascii: "N") where allowsInfinity && take("NaN"): return .real(.nan)
    case UInt8(ascii: "-") where allowsInfinity && take("-Infinity"): return .real(-.infinity)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error("a value")
    }
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let word = Array(word.description.utf8)
    guard bytes[position...].starts(with: word) else { return false }
    position += word.count
    return true
  }

  private mutating func nested(
    _ read: (inout JSONReader) throws(JSONError) -> JSONValue
  ) throws(JSONError) -> JSONValue {
    guard depth < Self.deepestNesting else { throw error("nesting at most \(Self.deepestNesting) deep") }
    depth += 1
    position += 1
    let value = try read(&self)
    depth -= 1
    return value
  }

  private mutating func members() throws(JSONError) -> JSONValue {
    var members: [JSONValue.Member] = []
    skipBlanks()
    if next == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw error("a key in quotation marks") }
      let key = try string()
      skipBlanks()
      guard next == UInt8(ascii: ":") else { throw error("':' after the key '\(key.onOneLine(limit: 40))'") }
      position += 1
      members.append(JSONValue.Member(key, try value()))
      skipBlanks()
      if next == UInt8(ascii: "}") { break }
      guard next == UInt8(ascii: ",") else { throw error("',' or '}'") }
      position += 1
    }
    position += 1
    return .object(members)
  }

  private mutating func elements() throws(JSONError) -> JSONValue {
    var elements: [JSONValue] = []
    skipBlanks()
    if next == UInt8(ascii: "]") {
      position += 1
      return .list(elements)
    }
    while true {
      elements.append(try value())
      skipBlanks()
      if next == UInt8(ascii: "]") { break }
      guard next == UInt8(ascii: ",") else { throw error("',' or ']'") }
      position += 1
    }
    position += 1
    return .list(elements)
  }

  private mutating func string() throws(JSONError) -> String {
    position += 1
    var text: [UInt8] = []
    while true {
      let start = position
      while position < bytes.count, bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\""),
        bytes[position] != UInt8(ascii: "\\")
      {
        position += 1
      }
      guard next >= 0x20 else { throw error("a quotation mark at the end of a text") }
      let piece = bytes[start..<position]
      if next == UInt8(ascii: "\"") {
        position += 1
        return text.isEmpty
          ? String(decoding: piece, as: UTF8.self) : String(decoding: text + piece, as: UTF8.self)
      }
      text.append(contentsOf: piece)
      text.append(contentsOf: String(try escape()).utf8)
    }
  }

  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    position += 1
    let escapes: [UInt8: Unicode.Scalar] = [
      UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
      UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]
    if let scalar = escapes[next] {
      position += 1
      return scalar
    }
    guard next == UInt8(ascii: "u") else { throw error("one of \" \\ / b f n r t u after '\\'") }
    let first = try unit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    // A character beyond the first 65,536 is written as two surrogates; half of one is a mistake that is let pass.
    guard first < 0xdc00, next == UInt8(ascii: "\\"), position + 1 < bytes.count,
      bytes[position + 1] == UInt8(ascii: "u")
    else { return "\u{fffd}" }
    position += 1
    let second = try unit()
    guard 0xdc00..<0xe000 ~= second else { return "\u{fffd}" }
    return Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + UInt32(second) - 0xdc00) ?? "\u{fffd}"
  }

  /// Four hexadecimal digits behind a `u`.
  private mutating func unit() throws(JSONError) -> UInt16 {
    position += 1
    let digits = bytes[min(position, bytes.count)..<min(position + 4, bytes.count)]
    guard digits.count == 4, !digits.contains(UInt8(ascii: "+")),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw error("four hexadecimal digits") }
    position += 4
    return unit
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    var mantissa = 0
    let firstDigit = position
    let digits = takeDigits(&mantissa)
    guard digits > 0, digits == 1 || bytes[firstDigit] != UInt8(ascii: "0") else {
      position = start
      throw error("a number without leading zeros")
    }
    let isNegative = firstDigit > start
    guard next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e") else {
      guard digits <= 18 else { return try longNumber(from: start) }
      return isNegative && mantissa == 0 ? .real(-0.0) : .integer(isNegative ? -mantissa : mantissa)
    }
    var decimals = 0
    if next == UInt8(ascii: ".") {
      position += 1
      decimals = takeDigits(&mantissa)
      guard decimals > 0 else { throw error("a digit after the point") }
    }
    if next | 0x20 == UInt8(ascii: "e") {
      position += 1
      if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { position += 1 }
      var exponent = 0
      guard takeDigits(&exponent) > 0 else { throw error("an exponent") }
      return try longNumber(from: start)
    }
    // Both are exact, so that their quotient is rounded once: W. D. Clinger, "How to read floating point numbers
    // accurately", PLDI 1990, doi:10.1145/93542.93557.
    guard digits + decimals <= 15 else { return try longNumber(from: start) }
    let magnitude = Double(mantissa) / Self.powers[decimals]
    return .real(isNegative ? -magnitude : magnitude)
  }

  /// Takes digits, and says how many there are; beyond 18 of them `value` is of no use.
  private mutating func takeDigits(_ value: inout Int) -> Int {
    let start = position
    while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 {
      value = value &* 10 &+ Int(bytes[position] &- UInt8(ascii: "0"))
      position += 1
    }
    return position - start
  }

  private func longNumber(from start: Int) throws(JSONError) -> JSONValue {
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if let integer = Int(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else {
      throw .malformed(
        file: file, line: 1 + bytes[..<start].count { $0 == UInt8(ascii: "\n") },
        reason: "the number \(text.onOneLine(limit: 30)) is out of range")
    }
    return .real(number)
  }

  private static let powers = [
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
  ]
}
