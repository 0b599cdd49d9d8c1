import Glibc

/// The inverse of a distribution function, tabulated at some probabilities.
struct QuantileTable: Sendable {
  /// A stretch between two tabulated probabilities, on which the quantile or its logarithm is linear.
  private struct Segment {
    var start: Double
    var base: Double
    var slope: Double
  }

  private let segments: [Segment]
  /// The segment that each of equally wide stretches of probability begins in.
  private let guide: [Int32]
  private let isLogarithmic: Bool

  /// Creates the table from probabilities that rise from 0 to 1 and quantiles that never fall; quantiles below
  /// 1 count as 1.
  init(probabilities: [Double], quantiles: [Double], isLogarithmic: Bool) {
    let values = quantiles.map { isLogarithmic ? log(max(1, $0)) : max(1, $0) }
    let segments = zip(probabilities, probabilities.dropFirst()).enumerated().map { index, bounds in
      Segment(
        start: bounds.0, base: values[index],
        slope: (values[index + 1] - values[index]) / (bounds.1 - bounds.0))
    }
    let width = 1 / Double(Self.guideCount)
    var segment = 0
    guide = (0..<Self.guideCount).map { stretch in
      while segment + 1 < segments.count, segments[segment + 1].start <= Double(stretch) * width {
        segment += 1
      }
      return Int32(segment)
    }
    self.segments = segments
    self.isLogarithmic = isLogarithmic
  }

  /// The quantile of a probability in 0..<1, as a real number.
  ///
  /// - Complexity: O(1) for tables that are not much finer than a thousandth.
  @inline(__always)
  func quantile(_ probability: Double) -> Double {
    var index = Int(guide[Int(probability * Double(Self.guideCount))])
    while index + 1 < segments.count, segments[index + 1].start <= probability { index += 1 }
    let segment = segments[index]
    let value = segment.base + segment.slope * (probability - segment.start)
    return isLogarithmic ? exp(value) : value
  }

  private static let guideCount = 1024
}
