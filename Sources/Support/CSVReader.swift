/// Reads the rows of a CSV file, as RFC 4180 describes them, from its bytes.
///
/// Fields may stand in quotation marks, then with commas and line breaks inside; lines end in LF or CRLF; a byte order
/// mark, blank lines and blanks around fields are passed over. Rows are found by byte and no string is made of a field
/// until it is asked for: some 10 ns a field.
///
///     var table = try CSVReader(bytes, file: "gemm.csv", options: .comments)
///     let latency = try table.column("latency_us")
///     while try table.next() { seconds.append(try table.number(latency) * 1e-6) }
public struct CSVReader: Sendable {
  /// What a kind of file allows or demands beyond RFC 4180.
  public struct Options: OptionSet, Sendable {
    /// The options as bits.
    public let rawValue: Int

    /// Creates options from bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Lines that begin with `#` are comments, wherever they stand; ``CSVReader/comments`` has their texts.
    public static let comments = Options(rawValue: 1)
    /// A last line without its end is an error: the file was cut short.
    public static let lastLineEnds = Options(rawValue: 2)
  }

  /// The file, as errors name it.
  public let file: String
  /// The names of the columns.
  public let header: [String]
  /// The line that the row begins on, from 1.
  public private(set) var line: Int
  /// The texts of the comments up to this row, without the `#`.
  public private(set) var comments: [String] = []

  private let bytes: [UInt8]
  private let options: Options
  private var position: Int
  private var nextLine: Int
  /// Where the fields of the row are in the file, without quotation marks.
  @usableFromInline var fields: [Range<Int>]

  /// Reads the header of a file.
  ///
  /// - Parameters:
  ///   - bytes: The content of the file.
  ///   - file: The file, as errors name it.
  ///   - options: What its kind allows or demands.
  /// - Throws: ``CSVError/noHeader(file:)``, ``CSVError/brokenHeader(file:line:beginning:)`` or
  ///   ``CSVError/cutShort(file:line:)``.
  public init(_ bytes: [UInt8], file: String, options: Options = []) throws(CSVError) {
    self.bytes = bytes
    self.file = file
    self.options = options
    let text = bytes.span
    var position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var line = 1
    guard try Self.skip(text, &position, &line, options, &comments, file) else { throw .noHeader(file: file) }
    let headerLine = line
    var header: [String] = []
    var end = CSVField.End.comma
    while end == .comma {
      let field = CSVField(text, at: &position, line: &line)
      header.append(String(onOneLine: text, field.range))
      end = field.end
    }
    guard end == .line else {
      throw .brokenHeader(file: file, line: headerLine, beginning: header.joined(separator: ","))
    }
    if options.contains(.lastLineEnds), position > text.count {
      throw .cutShort(file: file, line: headerLine)
    }
    self.header = header
    self.line = headerLine
    self.position = position
    nextLine = line
    fields = Array(repeating: 0..<0, count: header.count)
  }

  /// Moves on to the next row, and says whether there is one.
  ///
  /// - Returns: Whether there is a row.
  /// - Throws: ``CSVError``, if the row has another number of fields than the header, or its quotation marks are not
  ///   closed, or the file must not end as it does.
  /// - Complexity: O(n) in the bytes of the row.
  public mutating func next() throws(CSVError) -> Bool {
    let bytes = bytes
    let text = bytes.span
    guard try Self.skip(text, &position, &nextLine, options, &comments, file) else { return false }
    line = nextLine
    let columns = fields.count
    var count = 0
    var end = CSVField.End.comma
    repeat {
      let field = CSVField(text, at: &position, line: &nextLine)
      end = field.end
      if count < columns { fields[count] = field.range }
      if end == .brokenQuotes {
        throw .brokenQuotes(
          file: file, line: line, field: count < columns ? header[count] : "row",
          value: String(onOneLine: text, field.range))
      }
      count += 1
    } while end == .comma
    guard count == columns else { throw .fieldCount(file: file, line: line, found: count, expected: columns) }
    // The end of the last line is passed as if there were a line break.
    if position > text.count, options.contains(.lastLineEnds) { throw .cutShort(file: file, line: line) }
    return true
  }

  /// Where a field of the row is in the file, without quotation marks and without blanks around.
  @inlinable
  public subscript(_ column: Int) -> Range<Int> { fields[column] }

  /// The place of a column, letter case aside; `nil` if there is none.
  public func firstColumn(_ name: String) -> Int? {
    header.firstIndex { $0.lowercased() == name.lowercased() }
  }

  /// The place of a column, letter case aside.
  ///
  /// - Returns: The place, from 0.
  /// - Throws: ``CSVError/missingColumn(file:column:found:)``.
  public func column(_ name: String) throws(CSVError) -> Int {
    guard let column = firstColumn(name) else {
      throw .missingColumn(file: file, column: name, found: header)
    }
    return column
  }

  /// The text of a field of the row; doubled quotation marks in a quoted field are one.
  public func text(_ column: Int) -> String {
    let range = fields[column]
    let isQuoted = range.lowerBound > 0 && bytes[range.lowerBound - 1] == UInt8(ascii: "\"")
    guard isQuoted else { return String(decoding: bytes[range], as: UTF8.self) }
    var unquoted: [UInt8] = []
    var isSecond = false
    for byte in bytes[range] {
      isSecond = byte == UInt8(ascii: "\"") && !isSecond
      if !isSecond { unquoted.append(byte) }
    }
    return String(decoding: unquoted, as: UTF8.self)
  }

  /// A number of the row.
  ///
  /// - Parameters:
  ///   - column: Which column.
  ///   - range: What it must lie in; all finite numbers by default.
  ///   - expected: What it should be, in words, for the error.
  /// - Returns: The number.
  /// - Throws: ``CSVError/invalid(file:line:field:value:expected:)``.
  public func number(
    _ column: Int, in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude,
    expected: String = "a number"
  ) throws(CSVError) -> Double {
    guard let number = Double(text(column)), range.contains(number) else {
      throw invalid(column, expected: expected)
    }
    return number
  }

  /// A whole number of the row; `12.0` is one.
  ///
  /// - Parameters:
  ///   - column: Which column.
  ///   - range: What it must lie in; up to 10¹⁵ by default, not negative.
  ///   - expected: What it should be, in words, for the error; `nil` for a whole number in the range.
  /// - Returns: The number.
  /// - Throws: ``CSVError/invalid(file:line:field:value:expected:)``.
  public func integer(
    _ column: Int, in range: ClosedRange<Int> = 0...1_000_000_000_000_000,
    expected: String? = nil
  ) throws(CSVError) -> Int {
    guard let number = Double(text(column)).flatMap({ Int(exactly: $0) }), range.contains(number) else {
      throw invalid(
        column, expected: expected ?? "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// The error of a field of the row that is not what it should be.
  ///
  /// - Parameters:
  ///   - column: Which column.
  ///   - expected: What it should be, in words.
  /// - Returns: The error, which names file, line, column and value.
  public func invalid(_ column: Int, expected: String) -> CSVError {
    .invalid(
      file: file, line: line, field: header[column], value: String(onOneLine: bytes.span, fields[column]),
      expected: expected)
  }

  /// Moves past blank lines and comments; says whether anything follows.
  @inline(__always)
  private static func skip(
    _ text: Span<UInt8>, _ position: inout Int, _ line: inout Int, _ options: Options,
    _ comments: inout [String], _ file: String
  ) throws(CSVError) -> Bool {
    while position < text.count {
      if text[position] > UInt8(ascii: " ") {
        guard options.contains(.comments), text[position] == UInt8(ascii: "#") else { return true }
        try comment(text, &position, line, options, &comments, file)
      } else {
        var end = position
        while end < text.count, text[end] <= UInt8(ascii: " "), text[end] != UInt8(ascii: "\n") { end += 1 }
        if end < text.count, text[end] != UInt8(ascii: "\n") { return true }
        position = end + 1
      }
      line += 1
    }
    return false
  }

  /// Takes the comment at `position`.
  private static func comment(
    _ text: Span<UInt8>, _ position: inout Int, _ line: Int, _ options: Options, _ comments: inout [String],
    _ file: String
  ) throws(CSVError) {
    var bytes: [UInt8] = []
    position += 1
    while position < text.count, text[position] != UInt8(ascii: "\n") {
      bytes.append(text[position])
      position += 1
    }
    if position == text.count, options.contains(.lastLineEnds) { throw .cutShort(file: file, line: line) }
    position += 1
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    comments.append(String(decoding: bytes, as: UTF8.self))
  }
}
