import CostModels
import Support

/// A table of measurements: a CSV file with `# key: value` lines on top, a header, and rows of plain fields.
///
/// It is taken whole or not at all: a last line without its end, a row with a field too few or too many, or
/// another number of rows than a `# rows:` line promises is an error that names the file and the line.
struct KernelTable: Sendable {
  /// The file, as errors name it.
  let path: String
  /// The SHA-256 digest of the file.
  let digest: String
  /// The `# key: value` lines, in order.
  let metadata: [(key: String, value: String)]
  /// The names of the columns.
  let columns: [String]
  /// The number of rows.
  var count: Int { lines.count }

  private let bytes: [UInt8]
  private var fields: [Range<Int>]
  private var lines: [Int]

  /// Reads a file.
  init(path: String) throws(CalibrationError) {
    let bytes: [UInt8]
    do {
      bytes = try WholeFile.bytes(of: path)
    } catch {
      throw .unreadable(path: path, reason: error.reason)
    }
    try self.init(bytes: bytes, path: path)
  }

  /// Reads the content of a file.
  init(bytes: [UInt8], path: String) throws(CalibrationError) {
    var fields: [Range<Int>] = []
    var lines: [Int] = []
    var metadata: [(key: String, value: String)] = []
    let columns: [String]
    do {
      var reader = try CSVReader(bytes, file: path, options: [.comments, .lastLineEnds])
      columns = reader.header
      while try reader.next() {
        lines.append(reader.line)
        for column in columns.indices { fields.append(reader[column]) }
      }
      for comment in reader.comments {
        guard let colon = comment.firstIndex(of: ":") else { continue }
        metadata.append((trimmed(comment[..<colon]), trimmed(comment[comment.index(after: colon)...])))
      }
    } catch {
      throw .table(error)
    }
    if let promised = metadata.last(where: { $0.key == "rows" })?.value, promised != String(lines.count) {
      throw .malformed(
        path: path, line: 0, problem: "\(lines.count) rows, but its header promises \(promised)")
    }
    self.path = path
    self.digest = SHA256.hexDigest(of: bytes)
    self.metadata = metadata
    self.columns = columns
    self.bytes = bytes
    self.fields = fields
    self.lines = lines
  }

  /// The value of the first `# key: value` line with this key.
  func value(_ key: String) -> String? { metadata.first { $0.key == key }?.value }

  /// The line of the file that a row stands in, from 1.
  func line(ofRow row: Int) -> Int { lines[row] }

  /// The fields of a column, as they stand.
  func texts(_ column: String) throws(CalibrationError) -> [String] {
    let index = try position(of: column)
    return lines.indices.map { String(decoding: bytes[fields[$0 * columns.count + index]], as: UTF8.self) }
  }

  /// The numbers of a column; each must be finite and not negative.
  func numbers(_ column: String) throws(CalibrationError) -> [Double] {
    let texts = try texts(column)
    var numbers: [Double] = []
    numbers.reserveCapacity(texts.count)
    for (row, text) in texts.enumerated() {
      guard let number = Double(text), number.isFinite, number >= 0 else {
        let problem = "\(column) is '\(text)', expected a number that is not negative"
        throw .malformed(path: path, line: lines[row], problem: problem)
      }
      numbers.append(number)
    }
    return numbers
  }

  /// The numbers of a column that may have none in a row; each must be finite and not negative.
  func optionalNumbers(_ column: String) throws(CalibrationError) -> [Double?] {
    try texts(column).enumerated().map { (row, text) throws(CalibrationError) -> Double? in
      guard !text.isEmpty else { return nil }
      guard let number = Double(text), (0...1e12).contains(number) else {
        let problem = "\(column) is '\(text)', expected a number from 0 to 1e12, or nothing"
        throw .malformed(path: path, line: lines[row], problem: problem)
      }
      return number
    }
  }

  /// The whole numbers of a column.
  ///
  /// - Parameters:
  ///   - column: its name.
  ///   - bounds: what is accepted.
  /// - Returns: a number for each row.
  /// - Throws: `CalibrationError.malformed`, which names the line.
  func integers(_ column: String, in bounds: ClosedRange<Int>) throws(CalibrationError) -> [Int] {
    let numbers = try integers(column)
    if let row = numbers.firstIndex(where: { !bounds.contains($0) }) {
      let problem =
        "\(column) is \(numbers[row]), expected a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
      throw .malformed(path: path, line: lines[row], problem: problem)
    }
    return numbers
  }

  /// The whole numbers of a column.
  func integers(_ column: String) throws(CalibrationError) -> [Int] {
    let numbers = try numbers(column)
    for (row, number) in numbers.enumerated() where number != number.rounded() || number > 1e15 {
      let problem = "\(column) is \(number), expected a whole number"
      throw .malformed(path: path, line: lines[row], problem: problem)
    }
    return numbers.map { Int($0) }
  }

  /// The times of a column in microseconds, as seconds; each must be positive.
  func seconds(_ column: String = "latency_us") throws(CalibrationError) -> [Double] {
    let microseconds = try numbers(column)
    if let row = microseconds.firstIndex(of: 0) {
      throw .malformed(path: path, line: lines[row], problem: "\(column) is 0, expected a positive time")
    }
    if let row = microseconds.firstIndex(where: { $0 > 1e9 }) {
      let problem = "\(column) is \(microseconds[row]), expected at most 1e9 us"
      throw .malformed(path: path, line: lines[row], problem: problem)
    }
    return microseconds.map { $0 * 1e-6 }
  }

  /// The table of some of the rows, in their order; errors keep naming their lines.
  ///
  /// - Parameter isKept: Whether a row, counted from 0, is kept.
  /// - Returns: A table that shares this one's bytes.
  func keeping(_ isKept: (Int) -> Bool) -> KernelTable {
    var copy = self
    let rows = lines.indices.filter(isKept)
    copy.lines = rows.map { lines[$0] }
    copy.fields = rows.flatMap { fields[($0 * columns.count)..<(($0 + 1) * columns.count)] }
    return copy
  }

  private func position(of column: String) throws(CalibrationError) -> Int {
    guard let index = columns.firstIndex(of: column) else {
      throw .table(.missingColumn(file: path, column: column, found: columns))
    }
    return index
  }
}

private func trimmed(_ text: Substring) -> String {
  String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
}
