import CostModels
import Glibc
import Support

/// Where ``LaunchCorrections`` keep a measurement.
struct CorrectedPlace: Hashable {
  var rows: Double
  var isSkewed: Bool
}

extension LaunchCorrections {
  /// How far a point may lie above or below the line between its neighbours, as a ratio: a judgement.
  ///
  /// Where kernels switch between tiles the tables have ratios up to 1.9; beyond them single launches were disturbed.
  static let mostBeyondNeighbours = 2.0

  /// What measurements take over what a fit says of them: the geometric mean of those at the same place.
  ///
  /// Points beyond ``mostBeyondNeighbours`` are left out, the furthest first.
  ///
  /// - Parameters:
  ///   - samples: The measurements.
  ///   - fit: The coefficients.
  ///   - places: Where each is kept; nil of one that is left out.
  ///   - isSeen: Whether one may be used.
  init(
    of samples: [RelativeFit.Sample], under fit: RelativeFit, at places: [CorrectedPlace?],
    where isSeen: (RelativeFit.Sample) -> Bool
  ) {
    var logs: [CorrectedPlace: [Double]] = [:]
    for (sample, place) in zip(samples, places) {
      guard let place, isSeen(sample) else { continue }
      let predicted = fit.predict(sample.features)
      if predicted > 0 { logs[place, default: []].append(log(sample.seconds / predicted)) }
    }
    func points(isSkewed: Bool) -> [Point] {
      logs.filter { $0.key.isSkewed == isSkewed }.sorted { $0.key.rows < $1.key.rows }.map { place, logs in
        Point(
          rows: place.rows, factor: rounded(exp(logs.reduce(0, +) / Double(logs.count)), digits: 4))
      }
    }
    let (even, skewed) = (points(isSkewed: false), points(isSkewed: true))
    let kept = (even: Self.withoutOutliers(even), skewed: Self.withoutOutliers(skewed))
    self.init(
      even: kept.even, skewed: kept.skewed,
      leftOut: even.count + skewed.count - kept.even.count - kept.skewed.count)
  }

  /// Points without those far beyond both neighbours.
  ///
  /// - Complexity: O(n) for each that is left out.
  static func withoutOutliers(_ points: [Point]) -> [Point] {
    var points = points
    while true {
      let distances = zip(points, zip(points.dropFirst(), points.dropFirst(2))).map { before, others in
        let (point, after) = others
        let share = (point.rows - before.rows) / (after.rows - before.rows)
        return abs(log(point.factor / (before.factor + share * (after.factor - before.factor))))
      }
      guard let furthest = distances.indices.max(by: { distances[$0] < distances[$1] }),
        distances[furthest] > log(mostBeyondNeighbours)
      else { return points }
      points.remove(at: furthest + 1)
    }
  }
}
