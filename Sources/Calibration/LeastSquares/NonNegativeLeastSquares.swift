import COpenBLAS
import CostModels

/// Finds x ≥ 0 that minimises ‖Ax − b‖₂, by Lawson and Hanson's active-set method.
///
/// The columns are scaled to length one first, so that features of very different units (bytes beside launches)
/// do not spoil the normal equations. One thread: the same bits however many cores the machine has.
/// C. L. Lawson and R. J. Hanson, *Solving Least Squares Problems*, 1974, chapter 23.
///
/// - Parameters:
///   - columns: The columns of A, all of the length of `target`. A column of zeros gets the coefficient 0.
///   - target: b.
/// - Returns: One coefficient for each column.
/// - Complexity: O(mn²) for m rows and n columns, once; then O(n³) for each change of the active set.
func nonNegativeLeastSquares(columns: [[Double]], target: [Double]) -> [Double] {
  openblas_set_num_threads(1)
  let n = columns.count
  let lengths = columns.map { column in
    let length = unsafe cblas_dnrm2(Int32(column.count), column, 1)
    return length > 0 ? length : 1
  }
  let normal = NormalEquations(
    columns: zip(columns, lengths).map { column, length in column.map { $0 / length } }, target: target)

  var x = [Double](repeating: 0, count: n)
  var active: [Int] = []
  let tolerance = 1e-12 * (normal.right.map(\.magnitude).max() ?? 0)
  search: for _ in 0..<10 * n {
    var gradient = normal.right
    for j in active { for i in 0..<n { gradient[i] -= normal.gram[j * n + i] * x[j] } }
    let inactive = (0..<n).filter { !active.contains($0) }
    guard let next = inactive.max(by: { gradient[$0] < gradient[$1] }), gradient[next] > tolerance else {
      break
    }
    active.append(next)
    while true {
      guard let z = normal.solve(active) else {
        active.removeLast()  // it depends linearly on the others: what they say stands
        break search
      }
      guard z.contains(where: { $0 <= 0 }) else {
        for (i, value) in zip(active, z) { x[i] = value }
        break
      }
      var step = 1.0
      for (i, value) in zip(active, z) where value <= 0 { step = min(step, x[i] / (x[i] - value)) }
      for (i, value) in zip(active, z) { x[i] += step * (value - x[i]) }
      for i in active where x[i] <= 1e-14 { x[i] = 0 }
      active.removeAll { x[$0] == 0 }
    }
  }
  return zip(x, lengths).map { $0 / $1 }
}
