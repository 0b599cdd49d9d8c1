/// An array of objects as JSON lines.
enum JSONArray {
  /// The elements of the array that text begins with, one a line; what follows the array is kept on a line of its own,
  /// which no reader takes for an element.
  ///
  /// - Complexity: O(n).
  static func asLines(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var lines: [UInt8] = []
    lines.reserveCapacity(text.count)
    var depth = 0
    var isString = false
    var isEscaped = false
    for byte in text {
      if isString {
        isString = isEscaped || byte != UInt8(ascii: "\"")
        isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        lines.append(byte)
        continue
      }
      switch byte {
      case UInt8(ascii: "\""):
        isString = true
        lines.append(byte)
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        if depth > 1 { lines.append(byte) }
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        lines.append(depth > 0 ? byte : UInt8(ascii: "\n"))
      case UInt8(ascii: ","): lines.append(depth > 1 ? byte : UInt8(ascii: "\n"))
      case ...UInt8(ascii: " "):
        if !lines.isEmpty, lines.last != UInt8(ascii: "\n") { lines.append(UInt8(ascii: " ")) }
      default: lines.append(byte)
      }
    }
    return lines
  }
}
