extension String {
  /// A text that fits into a message: not long, and without control characters.
  ///
  /// - Parameter limit: The number of characters after which it ends in an ellipsis.
  /// - Returns: The text on one line.
  public func onOneLine(limit: Int = 80) -> String {
    let scalars = prefix(limit).unicodeScalars
    let clean = scalars.map { Self.isVisible($0) ? Character($0) : " " }
    return String(clean) + (count > limit ? "…" : "")
  }

  /// Whether a character neither controls a terminal nor turns the order of others around.
  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
    default: true
    }
  }

  /// A piece of a file that fits into a message: not long, and without control characters.
  ///
  /// - Complexity: O(1).
  public init(onOneLine text: Span<UInt8>, _ range: Range<Int>) {
    var bytes: [UInt8] = []
    for index in range.prefix(400) { bytes.append(text[index]) }
    self = String(decoding: bytes, as: UTF8.self).onOneLine()
  }
}
