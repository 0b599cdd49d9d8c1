import CostModels

/// Coefficients fitted to measurements on relative error: Σ (predicted / measured − 1)² is least.
struct RelativeFit: Sendable {
  /// One row of a linear fit.
  struct Sample: Sendable {
    var features: SIMD8<Double>
    /// The part of the time that other coefficients account for.
    var known = 0.0
    var seconds: Double
    /// Whether the row is kept for judging the fit to the others.
    var isHeldOut: Bool
  }

  /// The coefficients, none negative.
  let values: [Double]
  /// Their standard errors; 0 where the coefficient rests at its bound, 0.
  let standardErrors: [Double]

  /// Fits a sum of non-negative coefficients times features.
  ///
  /// - Parameters:
  ///   - samples: The measurements.
  ///   - count: How many of the eight features there are.
  init(_ samples: [Sample], count: Int) {
    let columns = (0..<count).map { column in samples.map { $0.features[column] / $0.seconds } }
    let target = samples.map { 1 - $0.known / $0.seconds }
    let values = nonNegativeLeastSquares(columns: columns, target: target)
    let residuals = samples.map { sample in
      (0..<count).reduce(sample.known / sample.seconds - 1) {
        $0 + values[$1] * sample.features[$1] / sample.seconds
      }
    }
    self.init(values: values, jacobian: columns, residuals: residuals)
  }

  /// Takes coefficients found otherwise, and finds their standard errors.
  ///
  /// - Parameters:
  ///   - values: The coefficients.
  ///   - jacobian: The derivatives of predicted over measured by each coefficient, a column each.
  ///   - residuals: Predicted over measured, minus one.
  init(values: [Double], jacobian: [[Double]], residuals: [Double]) {
    self.values = values
    var errors = [Double](repeating: 0, count: values.count)
    let active = values.indices.filter { values[$0] > 0 }
    let scales = active.map { column in jacobian[column].map(\.magnitude).max() ?? 1 }
    let scaled = zip(active, scales).map { column, scale in jacobian[column].map { $0 / scale } }
    let normal = NormalEquations(columns: scaled, target: residuals)
    let freedom = Double(max(1, residuals.count - active.count))
    let variance = residuals.reduce(0) { $0 + $1 * $1 } / freedom
    if let diagonal = normal.inverseDiagonal(Array(active.indices)) {
      for (i, column) in active.enumerated() {
        errors[column] = (variance * diagonal[i]).squareRoot() / scales[i]
      }
    }
    standardErrors = errors
  }

  /// The errors on the held-out samples of a fit to the others.
  static func heldOutErrors(_ samples: [Sample], count: Int) -> [HeldOutError] {
    let fit = RelativeFit(samples.filter { !$0.isHeldOut }, count: count)
    return fit.errors(samples.filter(\.isHeldOut))
  }

  /// The errors on each group of a fit to all others; nothing of a lone group.
  static func errors(ofEachOf groups: [[Sample]], count: Int) -> [HeldOutError] {
    groups.indices.flatMap { held in
      let others = groups.indices.filter { $0 != held }.flatMap { groups[$0] }
      return others.isEmpty ? [] : RelativeFit(others, count: count).errors(groups[held])
    }
  }

  /// The errors on samples.
  func errors(_ samples: [Sample]) -> [HeldOutError] {
    samples.map {
      HeldOutError(relative: ($0.known + predict($0.features)) / $0.seconds - 1, seconds: $0.seconds)
    }
  }

  /// The predicted time.
  func predict(_ features: SIMD8<Double>) -> Double {
    values.indices.reduce(0) { $0 + values[$1] * features[$1] }
  }
}
