/// Makes readable strings of pieces of a file, for messages and headers.
enum FieldText {
  /// The text of a field.
  static func string(_ text: Span<UInt8>, _ field: Range<Int>) -> String {
    var bytes: [UInt8] = []
    for index in field { bytes.append(text[index]) }
    return quotable(String(decoding: bytes, as: UTF8.self))
  }

  /// A foreign text that fits into a line: not long, and without control characters.
  static func quotable(_ text: String) -> String {
    let scalars = text.prefix(80).unicodeScalars
    let clean = scalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) }
    return String(clean) + (text.count > 80 ? "…" : "")
  }
}
