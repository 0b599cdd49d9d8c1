import Glibc

extension MatrixProduct {
  /// Interpolates the coefficients of a shape between its neighbours, bilinearly in the logarithms.
  ///
  /// - Parameters:
  ///   - shapes: Fits with the dimensions n and k. Those of the shape itself are not used.
  ///   - n: Output features.
  ///   - k: Input features.
  /// - Returns: nil if there are none, or if the shape is more than a factor of four outside.
  package static func interpolate(_ shapes: [FittedShape], n: Int, k: Int) -> [Double]? {
    let others = shapes.filter { $0.dimensions != [n, k] }
    let rows = neighbours(of: n, in: Set(others.map { $0.dimensions[0] }))
    let columns = neighbours(of: k, in: Set(others.map { $0.dimensions[1] }))
    guard !rows.isEmpty, !columns.isEmpty else { return nil }
    var sum: [Double]?
    for row in rows {
      for column in columns {
        guard let corner = others.first(where: { $0.dimensions == [row.at, column.at] }) else {
          return nearest(others, n: n, k: k)
        }
        let weighted = corner.values.map { $0 * row.weight * column.weight }
        sum = sum.map { zip($0, weighted).map(+) } ?? weighted
      }
    }
    return sum
  }

  /// The values on either side of a value, weighted by their distance in the logarithm; one if it is there or
  /// beyond the edge, none if it is beyond a factor of four.
  private static func neighbours(of value: Int, in values: Set<Int>) -> [(at: Int, weight: Double)] {
    let below = values.filter { $0 <= value }.max()
    let above = values.filter { $0 >= value }.min()
    guard let low = below ?? above, let high = above ?? below else { return [] }
    guard low != high else { return low > 4 * value || value > 4 * low ? [] : [(low, 1)] }
    let share = log(Double(value) / Double(low)) / log(Double(high) / Double(low))
    return [(low, 1 - share), (high, share)]
  }

  private static func nearest(_ shapes: [FittedShape], n: Int, k: Int) -> [Double]? {
    func distance(_ shape: FittedShape) -> Double {
      hypot(log(Double(shape.dimensions[0]) / Double(n)), log(Double(shape.dimensions[1]) / Double(k)))
    }
    return shapes.min { distance($0) < distance($1) }?.values
  }
}
