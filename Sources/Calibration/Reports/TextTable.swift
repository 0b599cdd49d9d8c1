import CostModels

/// Lays rows of cells out in columns as wide as their widest cell, two spaces apart, without spaces at line ends.
///
/// - Parameters:
///   - rows: The rows, all of the same number of cells.
///   - right: The columns whose cells stand to the right.
/// - Returns: The lines, each with its end.
/// - Complexity: O(n) in the number of characters.
func textTable(_ rows: [[String]], right: Range<Int> = 0..<0) -> String {
  guard let first = rows.first else { return "" }
  let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let cells = row.enumerated().map { column, cell in
      let space = String(repeating: " ", count: widths[column] - cell.count)
      return right.contains(column) ? space + cell : cell + space
    }
    return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
  }.joined()
}
