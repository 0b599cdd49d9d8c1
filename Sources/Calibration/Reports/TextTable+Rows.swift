import Support

extension TextTable {
  /// Creates a table of rows that all have the same number of cells, the first of them being the heading.
  init(rows: [[String]], right: Range<Int> = 0..<0) {
    self.init((rows.first ?? []).indices.map { right.contains($0) ? .right : .left })
    for row in rows { add(row) }
  }
}
