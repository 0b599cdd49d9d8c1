import CostModels
import Foundation
import Serving
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
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      let exists = FileManager.default.fileExists(atPath: path)
      throw .unreadable(path: path, reason: exists ? error.localizedDescription : "there is no such file")
    }
    try self.init(bytes: [UInt8](data), path: path)
  }

  /// Reads the content of a file.
  init(bytes: [UInt8], path: String) throws(CalibrationError) {
    var metadata: [(key: String, value: String)] = []
    var columns: [String] = []
    var fields: [Range<Int>] = []
    var lines: [Int] = []
    var position = 0
    var line = 0
    while position < bytes.count {
      line += 1
      guard var end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
        throw .malformed(path: path, line: line, problem: "the last line is cut short: it has no line end")
      }
      let next = end + 1
      if end > position, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
      defer { position = next }
      if end == position { continue }
      if bytes[position] == UInt8(ascii: "#") {
        let text = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
        if let colon = text.firstIndex(of: ":") {
          let value = text[text.index(after: colon)...]
          metadata.append((trimmed(text[..<colon]), trimmed(value)))
        }
        continue
      }
      let first = fields.count
      var start = position
      for i in position..<end where bytes[i] == UInt8(ascii: ",") {
        fields.append(start..<i)
        start = i + 1
      }
      fields.append(start..<end)
      if columns.isEmpty {
        columns = fields.map { trimmed(String(decoding: bytes[$0], as: UTF8.self)[...]) }
        fields.removeAll()
      } else if fields.count - first != columns.count {
        let problem = "\(fields.count - first) fields, but the header names \(columns.count) columns"
        throw .malformed(path: path, line: line, problem: problem)
      } else {
        lines.append(line)
      }
    }
    guard !columns.isEmpty else {
      throw .malformed(path: path, line: 0, problem: "no header: a line with the names of the columns")
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
      throw .missingColumn(path: path, column: column, found: columns)
    }
    return index
  }
}

private func trimmed(_ text: Substring) -> String {
  String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
}
