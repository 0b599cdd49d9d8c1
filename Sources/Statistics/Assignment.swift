/// The cheapest way to give each of some rows a column of its own.
///
/// Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2 (1955),
/// doi:10.1002/nav.3800020109; here with shortest augmenting paths.
public enum Assignment {
  /// The columns of least cost.
  ///
  /// - Parameters:
  ///   - rows: their number.
  ///   - columns: their number; at least as many.
  ///   - cost: what a row costs in a column; finite.
  /// - Returns: the column of each row.
  /// - Complexity: O(rows^2 x columns).
  public static func cheapest(rows: Int, columns: Int, cost: (Int, Int) -> Double) -> [Int] {
    precondition(columns >= rows, "each row needs a column")
    // Rows and columns count from 1; column 0 is where the row to be placed begins.
    var rowPrices = Array(repeating: 0.0, count: rows + 1)
    var columnPrices = Array(repeating: 0.0, count: columns + 1)
    var owner = Array(repeating: 0, count: columns + 1)
    for row in 1..<max(rows + 1, 1) {
      owner[0] = row
      var column = 0
      var distance = Array(repeating: Double.infinity, count: columns + 1)
      var before = Array(repeating: 0, count: columns + 1)
      var isDone = Array(repeating: false, count: columns + 1)
      repeat {
        isDone[column] = true
        var (step, nearest) = (Double.infinity, 0)
        for other in 1...columns where !isDone[other] {
          let over = cost(owner[column] - 1, other - 1) - rowPrices[owner[column]] - columnPrices[other]
          if over < distance[other] { (distance[other], before[other]) = (over, column) }
          if distance[other] < step { (step, nearest) = (distance[other], other) }
        }
        for other in 0...columns {
          if isDone[other] {
            rowPrices[owner[other]] += step
            columnPrices[other] -= step
          } else {
            distance[other] -= step
          }
        }
        column = nearest
      } while owner[column] != 0
      while column != 0 {
        owner[column] = owner[before[column]]
        column = before[column]
      }
    }
    var result = Array(repeating: 0, count: rows)
    for column in 1..<(columns + 1) where owner[column] > 0 { result[owner[column] - 1] = column - 1 }
    return result
  }
}
