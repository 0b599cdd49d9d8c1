import CostModels
import Glibc

/// Fits `t = t₀ + ((bytes · β)³ + (flops · φ)³)^⅓` to measurements on relative error.
///
/// Given t₀ the cube of the rest is linear in β³ and φ³: a search for the t₀ of the least absolute error, with
/// non-negative least squares inside, whose rows are weighted so that errors of the cube count as relative errors
/// of the time. Deterministic, and it needs no starting point.
enum CubicRoofline {
  /// One measurement.
  struct Sample: Sendable {
    var bytes: Double
    var flops: Double
    var seconds: Double
  }

  /// Fits t₀, β and φ, in seconds, seconds per byte and seconds per operation.
  ///
  /// - Parameters:
  ///   - samples: The measurements.
  ///   - passes: 1 weights rows by what was measured; 2 once more by what that predicts, which is better where
  ///     the form is far off many rows, as it is over all shapes.
  /// - Returns: The three coefficients in this order.
  /// - Complexity: about forty least-squares problems of two columns in each pass.
  static func fit(_ samples: [Sample], passes: Int = 1) -> RelativeFit {
    let least = samples.map(\.seconds).min() ?? 0
    let steps = 24
    let grid = (0..<steps).map { attempt(samples, least * 0.98 * Double($0) / Double(steps - 1), passes) }
    let coarse = grid.indices.min { grid[$0].error < grid[$1].error } ?? 0
    let low = grid[max(0, coarse - 1)].values[0]
    let high = grid[min(steps - 1, coarse + 1)].values[0]
    let fine = (1..<16).map { attempt(samples, low + (high - low) * Double($0) / 16, passes) }
    let best = fine.reduce(grid[coarse]) { $1.error < $0.error ? $1 : $0 }.values

    let predicted = samples.map { predict(best, $0) }
    let jacobian = [
      samples.map { 1 / $0.seconds },
      samples.indices.map { derivative(samples[$0], predicted[$0] - best[0], samples[$0].bytes, best[1]) },
      samples.indices.map { derivative(samples[$0], predicted[$0] - best[0], samples[$0].flops, best[2]) },
    ]
    let residuals = zip(predicted, samples).map { $0 / $1.seconds - 1 }
    return RelativeFit(values: best, jacobian: jacobian, residuals: residuals)
  }

  /// The predicted time.
  static func predict(_ values: [Double], _ sample: Sample) -> Double {
    let memory = sample.bytes * values[1]
    let arithmetic = sample.flops * values[2]
    return values[0] + cbrt(memory * memory * memory + arithmetic * arithmetic * arithmetic)
  }

  /// The best β and φ for a given t₀, and Σ |predicted / measured − 1|.
  private static func attempt(
    _ samples: [Sample], _ launch: Double, _ passes: Int
  ) -> (values: [Double], error: Double) {
    var values = [launch, 0, 0]
    var bodies = samples.map { max($0.seconds - launch, 1e-3 * $0.seconds) }
    for _ in 0..<passes {
      let weights = zip(samples, bodies).map { 1 / (3 * $1 * $1 * $0.seconds) }
      let cubes = nonNegativeLeastSquares(
        columns: [
          zip(samples, weights).map { $0.bytes * $0.bytes * $0.bytes * $1 },
          zip(samples, weights).map { $0.flops * $0.flops * $0.flops * $1 },
        ],
        target: zip(samples, weights).map { sample, weight in
          let body = max(sample.seconds - launch, 0)
          return body * body * body * weight
        })
      values = [launch, cbrt(cubes[0]), cbrt(cubes[1])]
      bodies = samples.map { max(predict(values, $0) - launch, 1e-3 * $0.seconds) }
    }
    let error = samples.reduce(0) { sum, sample in
      sum + (predict(values, sample) / sample.seconds - 1).magnitude
    }
    return (values, error)
  }

  /// The derivative of predicted over measured by β or φ.
  private static func derivative(
    _ sample: Sample, _ body: Double, _ amount: Double, _ coefficient: Double
  ) -> Double {
    guard body > 0 else { return 0 }
    let part = amount * coefficient
    return part * part * amount / (body * body * sample.seconds)
  }
}
