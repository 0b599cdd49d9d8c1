/// A table of text in columns, for terminals: the only layout in use here.
///
///     var table = TextTable([.left, .right])
///     table.add(["decode", "12.5"])
///     print(table.text, terminator: "")
///
/// Columns are as wide as their widest cell and two spaces apart, unless a column says otherwise. Lines have no spaces at
/// their ends.
public struct TextTable: Sendable {
  /// How the cells of a column are laid out.
  public struct Column: Sendable, Hashable {
    /// The side on which cells stand.
    public enum Side: Sendable, Hashable {
      /// Cells begin where the column does, as texts should.
      case left
      /// Cells end where the column does, as numbers should.
      case right
    }

    /// The side on which cells stand.
    public var side: Side
    /// The least width, in characters.
    public var leastWidth = 0
    /// Whether longer cells make the whole column wider, rather than push the rest of their line along.
    public var isFitted = true

    /// A column of texts, as wide as its widest cell.
    public static let left = Column(side: .left)
    /// A column of numbers, as wide as its widest cell.
    public static let right = Column(side: .right)

    /// A column as wide as its widest cell, but at least some characters wide.
    public static func fitted(_ side: Side, atLeast width: Int) -> Column {
      Column(side: side, leastWidth: width)
    }

    /// A column of some width; longer cells push the rest of their line along.
    public static func fixed(_ side: Side, _ width: Int) -> Column {
      Column(side: side, leastWidth: width, isFitted: false)
    }
  }

  /// The columns.
  public var columns: [Column]
  /// Cells above the first row, and a rule of dashes between; none if `nil`.
  public var heading: [String]?
  /// The rows; a row may have fewer cells than there are columns.
  public private(set) var rows: [[String]] = []
  /// Spaces between columns.
  public var gap = 2
  /// Spaces before each line.
  public var indentation = 0

  /// Creates a table without rows.
  public init(_ columns: [Column], heading: [String]? = nil) {
    self.columns = columns
    self.heading = heading
  }

  /// Adds a row.
  ///
  /// - Parameter cells: At most as many as there are columns.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count <= columns.count, "a row has more cells than the table has columns")
    rows.append(cells)
  }

  /// The lines, each with its end.
  ///
  /// - Complexity: O(n) in the number of characters.
  public var text: String {
    let all = (heading.map { [$0] } ?? []) + rows
    let widths = columns.enumerated().map { index, column in
      guard column.isFitted else { return column.leastWidth }
      return all.reduce(column.leastWidth) { max($0, index < $1.count ? $1[index].count : 0) }
    }
    var text = ""
    for (index, row) in all.enumerated() {
      text += line(row, widths)
      if index == 0, heading != nil { text += line(widths.map { String(repeating: "-", count: $0) }, widths) }
    }
    return text
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var line = String(repeating: " ", count: indentation)
    for (index, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: max(0, widths[index] - cell.count))
      if index > 0 { line += String(repeating: " ", count: gap) }
      line += columns[index].side == .right ? padding + cell : cell + padding
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }
}
