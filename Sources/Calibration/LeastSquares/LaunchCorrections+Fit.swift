import CostModels
import Glibc
import Support

/// Where ``LaunchCorrections`` keep a measurement.
struct CorrectedPlace: Hashable {
  var rows: Double
  var isSkewed: Bool
}

extension LaunchCorrections {
  /// How many times above or below both its neighbours a point may lie: a judgement.
  ///
  /// Where kernels switch between ways to work, points stay near one neighbour; beyond both, a single launch was disturbed.
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

  /// Points without those far beyond both neighbours; the first and the last have one, and stay.
  ///
  /// - Complexity: O(n) for each that is left out.
  static func withoutOutliers(_ points: [Point]) -> [Point] {
    var points = points
    while true {
      let distances = zip(points, zip(points.dropFirst(), points.dropFirst(2))).map { before, others in
        let ratios = [log(others.0.factor / before.factor), log(others.0.factor / others.1.factor)]
        return ratios[0] * ratios[1] > 0 ? min(abs(ratios[0]), abs(ratios[1])) : 0
      }
      guard let furthest = distances.indices.max(by: { distances[$0] < distances[$1] }),
        distances[furthest] > log(mostBeyondNeighbours)
      else { return points }
      points.remove(at: furthest + 1)
    }
  }
}
