import CostModels
import Glibc
import Support

/// Where ``LaunchCorrections`` keep a measurement.
struct CorrectedPlace: Hashable {
  var rows: Double
  var isSkewed: Bool
}

extension LaunchCorrections {
  /// What measurements take over what a fit says of them: the geometric mean of those at the same place.
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
    self.init(even: points(isSkewed: false), skewed: points(isSkewed: true))
  }
}
