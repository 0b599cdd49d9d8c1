/// What a query returned.
public struct ResultTable: Sendable, Hashable {
  /// How to write a table down.
  public enum Format: String, Sendable, CaseIterable {
    /// Aligned columns for the eye, numbers to six digits.
    case table
    /// Comma-separated values with a header, as in RFC 4180, lines ending in a line feed.
    case csv
    /// An array of objects, one a line.
    case json
  }

  /// The names of the columns.
  public var columns: [String]
  /// The rows; each has a value for each column.
  public var rows: [[RunValue]]
  /// Whether there were more rows than were asked for.
  public var isTruncated: Bool

  /// Creates a table.
  public init(columns: [String], rows: [[RunValue]], isTruncated: Bool = false) {
    self.columns = columns
    self.rows = rows
    self.isTruncated = isTruncated
  }

  /// Writes the table down; every line ends in a line feed.
  ///
  /// - Parameters:
  ///   - format: How.
  ///   - width: Characters of a line that aligned columns may take: the last columns are left out where all do not fit, and a
  ///     line says which. `nil`: any number.
  ///   - digits: Significant digits of numbers in aligned columns.
  /// - Returns: the text.
  /// - Complexity: O(n) for n values.
  public func formatted(as format: Format, width: Int? = nil, digits: Int = 6) -> String {
    switch format {
    case .table: aligned(width: width, digits: digits)
    case .csv: csv()
    case .json: json()
    }
  }

  private func aligned(width limit: Int?, digits: Int) -> String {
    let cells = rows.map { $0.map { $0.brief(digits: digits) } }
    var widths = columns.map(\.count)
    for row in cells {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    var (shown, used) = (0, 0)
    while shown < columns.count, shown == 0 || used + 2 + widths[shown] <= limit ?? .max {
      used += (shown == 0 ? 0 : 2) + widths[shown]
      shown += 1
    }
    func line(_ cells: [String], flushRight: (Int) -> Bool) -> String {
      var line = ""
      for (column, cell) in cells.prefix(shown).enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += (column == 0 ? "" : "  ") + (flushRight(column) ? padding + cell : cell + padding)
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }
    // A heading stands over its numbers.
    let numeric = columns.indices.map { column in
      rows.contains { $0[column].isNumber } && rows.allSatisfy { $0[column].isNumber || $0[column] == .null }
    }
    var text = line(columns) { numeric[$0] }
    text += widths.prefix(shown).map { String(repeating: "-", count: $0) }.joined(separator: "  ") + "\n"
    for row in cells { text += line(row) { numeric[$0] } }
    if shown < columns.count {
      text += "(no room for \(columns[shown...].joined(separator: ", ")))\n"
    }
    return text
  }

  private func csv() -> String {
    var text = columns.map { RunValue.text($0).csv }.joined(separator: ",") + "\n"
    for row in rows { text += row.map(\.csv).joined(separator: ",") + "\n" }
    return text
  }

  private func json() -> String {
    let keys = columns.map { RunValue.text($0).json }
    let objects = rows.map { row in
      "{" + zip(keys, row).map { "\($0): \($1.json)" }.joined(separator: ", ") + "}"
    }
    return objects.isEmpty ? "[]\n" : "[\n" + objects.joined(separator: ",\n") + "\n]\n"
  }
}
