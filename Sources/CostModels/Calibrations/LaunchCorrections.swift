/// What launches of a shape take over what the law of its family says of them, at the numbers of rows that were measured.
///
/// A law has a few coefficients, and kernels switch between tiles and ways to split work that it does not know. Between
/// measured numbers of rows the factor is linear in the rows; below the fewest and above the most it is that of the nearest.
public struct LaunchCorrections: Codable, Sendable, Hashable {
  /// A number of rows, and the measured time over the law's.
  public struct Point: Sendable, Hashable {
    /// Rows of the launch.
    public let rows: Double
    /// The measured time over that of the law, above 0.
    public let factor: Double

    package init(rows: Double, factor: Double) {
      self.rows = rows
      self.factor = factor
    }
  }

  /// Where the rows were spread evenly over the experts, in ascending order of rows.
  public let even: [Point]
  /// Where they were spread by a power law, in ascending order of rows.
  public let skewed: [Point]
  /// Points that were left out since they lay far beyond both neighbours.
  public let leftOut: Int

  package init(even: [Point], skewed: [Point], leftOut: Int = 0) {
    self.even = even
    self.skewed = skewed
    self.leftOut = leftOut
  }

  private enum CodingKeys: String, CodingKey {
    case even, skewed
    case leftOut = "left_out"
  }

  /// Reads both lists, in each of which rows and factors take turns.
  public init(from decoder: any Decoder) throws {
    let lists = try decoder.container(keyedBy: CodingKeys.self)
    func points(_ key: CodingKeys) throws -> [Point] {
      let values = try lists.decode([Double].self, forKey: key)
      let points = stride(from: 0, to: values.count - 1, by: 2).map {
        Point(rows: values[$0], factor: values[$0 + 1])
      }
      guard values.count.isMultiple(of: 2), values.allSatisfy({ $0 > 0 && $0.isFinite }),
        zip(points, points.dropFirst()).allSatisfy({ $0.rows < $1.rows })
      else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: lists,
          debugDescription: "expected rows in ascending order, each followed by a factor above 0")
      }
      return points
    }
    (even, skewed) = (try points(.even), try points(.skewed))
    leftOut = try lists.decodeIfPresent(Int.self, forKey: .leftOut) ?? 0
  }

  /// Writes both lists.
  public func encode(to encoder: any Encoder) throws {
    var lists = encoder.container(keyedBy: CodingKeys.self)
    try lists.encode(Self.numbers(even), forKey: .even)
    try lists.encode(Self.numbers(skewed), forKey: .skewed)
    if leftOut > 0 { try lists.encode(leftOut, forKey: .leftOut) }
  }

  /// Points as a list in which rows and factors take turns.
  package static func numbers(_ points: [Point]) -> [Double] { points.flatMap { [$0.rows, $0.factor] } }

  /// The factor of a launch.
  ///
  /// - Parameters:
  ///   - rows: of the launch.
  ///   - skew: how unevenly they are spread, 0...1; between them the factor is linear.
  /// - Returns: the measured time over that of the law; 1 where nothing was measured.
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
