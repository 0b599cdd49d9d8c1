import COpenBLAS
import CostModels

/// AᵀA and Aᵀb of a least-squares problem.
struct NormalEquations {
  /// The number of columns of A.
  let count: Int
  /// AᵀA, all of it, column by column.
  let gram: [Double]
  /// Aᵀb.
  let right: [Double]

  /// Forms the equations; zeros without rows.
  ///
  /// - Complexity: O(mn²) for m rows and n columns.
  init(columns: [[Double]], target: [Double]) {
    count = columns.count
    let rows = Int32(target.count)
    let n = Int32(count)
    let a = columns.flatMap { $0 }
    var gram = [Double](repeating: 0, count: count * count)
    var right = [Double](repeating: 0, count: count)
    if count > 0, rows > 0 {
      unsafe cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, n, rows, 1, a, rows, 0, &gram, n)
      unsafe cblas_dgemv(CblasColMajor, CblasTrans, rows, n, 1, a, rows, target, 1, 0, &right, 1)
    }
    for j in 0..<count { for i in 0..<j { gram[i * count + j] = gram[j * count + i] } }
    self.gram = gram
    self.right = right
  }

  /// Solves the equations over some of the columns, the others' coefficients being 0.
  ///
  /// - Returns: A coefficient for each column of `set`, or nil if they depend linearly on each other.
  func solve(_ set: [Int]) -> [Double]? { solve(set, right: set.map { right[$0] }) }

  /// The diagonal of the inverse of AᵀA over some of the columns, or nil if they depend linearly on each other.
  func inverseDiagonal(_ set: [Int]) -> [Double]? {
    let identity = set.indices.flatMap { j in set.indices.map { $0 == j ? 1.0 : 0 } }
    guard let inverse = solve(set, right: identity) else { return nil }
    return set.indices.map { inverse[$0 * set.count + $0] }
  }

  /// Solves for one or several right-hand sides, column by column.
  private func solve(_ set: [Int], right: [Double]) -> [Double]? {
    guard !set.isEmpty else { return [] }
    var matrix = set.flatMap { j in set.map { gram[j * count + $0] } }
    var solution = right
    var size = Int32(set.count)
    var sides = Int32(right.count / set.count)
    var info: Int32 = 0
    var upper = CChar(UInt8(ascii: "U"))
    var stride = size
    unsafe dposv_(&upper, &size, &sides, &matrix, &stride, &solution, &size, &info, 1)
    return info == 0 ? solution : nil
  }
}
