/// What launches of a shape take over what the law of its family says of them, at the numbers of rows that were measured.
///
/// A law has a few coefficients, and kernels switch between tiles and ways to split work that it does not know. Between
/// measured numbers of rows the factor is linear in the rows; below the fewest and above the most it is that of the nearest.
public struct LaunchCorrections: Codable, Sendable, Hashable {
  /// A number of rows, and the measured time over the law's.
  public struct Point: Codable, Sendable, Hashable {
    /// Rows of the launch.
    public let rows: Double
    /// The measured time over that of the law, above 0.
    public let factor: Double

    package init(rows: Double, factor: Double) {
      self.rows = rows
      self.factor = factor
    }

    /// Reads `[rows, factor]`.
    public init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      rows = try values.decode(Double.self)
      factor = try values.decode(Double.self)
      guard rows > 0, factor > 0, rows.isFinite, factor.isFinite else {
        throw DecodingError.dataCorruptedError(
          in: values, debugDescription: "expected rows and a factor above 0, found \(rows) and \(factor)")
      }
    }

    /// Writes `[rows, factor]`.
    public func encode(to encoder: any Encoder) throws {
      var values = encoder.unkeyedContainer()
      try values.encode(rows)
      try values.encode(factor)
    }
  }

  /// Where the rows were spread evenly over the experts, in ascending order of rows.
  public let even: [Point]
  /// Where they were spread by a power law, in ascending order of rows.
  public let skewed: [Point]

  package init(even: [Point], skewed: [Point]) {
    self.even = even
    self.skewed = skewed
  }

  /// Reads both lists; their rows must ascend.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func points(_ key: CodingKeys) throws -> [Point] {
      let points = try values.decode([Point].self, forKey: key)
      guard zip(points, points.dropFirst()).allSatisfy({ $0.rows < $1.rows }) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values, debugDescription: "expected points in ascending order of rows")
      }
      return points
    }
    (even, skewed) = (try points(.even), try points(.skewed))
  }

  /// The factor of a launch.
  ///
  /// - Parameters:
  ///   - rows: of the launch.
  ///   - skew: how unevenly they are spread, 0...1; between them the factor is linear.
  /// - Complexity: O(log n) for n points.
  public func factor(rows: Double, skew: Double) -> Double {
    if skewed.isEmpty || even.isEmpty { return Self.factor(even.isEmpty ? skewed : even, rows) }
    if skew <= 0 { return Self.factor(even, rows) }
    if skew >= 1 { return Self.factor(skewed, rows) }
    return (1 - skew) * Self.factor(even, rows) + skew * Self.factor(skewed, rows)
  }

  private static func factor(_ points: [Point], _ rows: Double) -> Double {
    guard let first = points.first, let last = points.last else { return 1 }
    if rows <= first.rows { return first.factor }
    if rows >= last.rows { return last.factor }
    var (low, high) = (0, points.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if points[middle].rows <= rows { low = middle } else { high = middle }
    }
    let (a, b) = (points[low], points[high])
    return a.factor + (b.factor - a.factor) * ((rows - a.rows) / (b.rows - a.rows))
  }
}
