import CostModels
import Glibc

/// Fits `t = t₀ + ((bytes · β)³ + (flops · φ · (1 + waste · q) · (1 + sustained · r))³)^⅓` to measurements on relative
/// error.
///
/// Given t₀, q and r the cube of the rest is linear in β³ and φ³: non-negative least squares, whose rows are weighted
/// so that errors of the cube count as relative errors of the time. The other three are searched for one after another for
/// the least absolute error, and all five are improved together. Deterministic, and it needs no starting point.
enum CubicRoofline {
  /// One measurement.
  struct Sample: Sendable {
    var bytes: Double
    var flops: Double
    var seconds: Double
    /// ``MatrixProduct/waste(_:_:multiprocessors:)``.
    var waste = 0.0
    /// ``MatrixProduct/sustained(_:)``.
    var sustained = 0.0

    /// Operations that take as long as this one's do, waste and lower clocks included.
    func operations(_ q: Double, _ r: Double) -> Double { flops * (1 + q * waste) * (1 + r * sustained) }
  }

  /// Fits t₀, β, φ, q and r, in seconds, seconds per byte, seconds per operation and pure numbers.
  ///
  /// - Parameters:
  ///   - samples: The measurements.
  ///   - passes: 1 weights rows by what was measured; 2 once more by what that predicts, which is better where
  ///     the form is far off many rows, as it is over all shapes.
  /// - Returns: The five coefficients in this order.
  /// - Complexity: about a hundred least-squares problems of two columns and up to twenty of five.
  static func fit(_ samples: [Sample], passes: Int = 1) -> RelativeFit {
    let least = samples.map(\.seconds).min() ?? 0
    var best = attempt(samples, [0, 0, 0, 0.2, 0.1], passes)
    let bounds = [0: 0.98 * least, 3: largestWaste, 4: largestSlowing]
    for (index, upper) in bounds.sorted(by: { $0.key < $1.key }) {
      best = search(samples, index, upTo: upper, from: best, passes)
    }
    var values = polished(best.values, samples)
    // Where arithmetic takes no time nothing makes it longer.
    if values[2] == 0 { (values[3], values[4]) = (0, 0) }
    return RelativeFit(
      values: values, jacobian: jacobian(values, samples), residuals: residuals(values, samples))
  }

  /// Improves all coefficients together: Gauss and Newton's method, with weights that let errors beyond a tenth count in
  /// proportion and not by their square, and no coefficient below 0.
  private static func polished(_ start: [Double], _ samples: [Sample]) -> [Double] {
    func size(_ error: Double) -> Double { (1 + 100 * error * error).squareRoot() }
    var best = start
    var errors = residuals(best, samples)
    for _ in 0..<20 {
      let columns = jacobian(best, samples)
      let weights = errors.map { 1 / size($0).squareRoot() }
      // Columns differ in size by many orders.
      let scales = columns.map { column in max(column.map(\.magnitude).max() ?? 0, .leastNormalMagnitude) }
      let target = samples.indices.map { row in
        weights[row]
          * best.indices.reduce(-errors[row]) { $0 + columns[$1][row] * best[$1] }
      }
      let scaled = zip(columns, scales).map { column, scale in zip(column, weights).map { $0 / scale * $1 } }
      let full = zip(nonNegativeLeastSquares(columns: scaled, target: target), scales).map { $0 / $1 }
      let before = errors.reduce(0) { $0 + size($1) }
      var (gain, share) = (0.0, 1.0)
      while gain <= 0, share > 0.05 {
        var tried = zip(best, full).map { $0 + share * ($1 - $0) }
        (tried[3], tried[4]) = (min(tried[3], largestWaste), min(tried[4], largestSlowing))
        let triedErrors = residuals(tried, samples)
        gain = before - triedErrors.reduce(0) { $0 + size($1) }
        if gain > 0 { (best, errors) = (tried, triedErrors) }
        share /= 2
      }
      if gain < 1e-6 * Double(samples.count) { break }
    }
    return best
  }

  /// Predicted over measured, minus one.
  private static func residuals(_ values: [Double], _ samples: [Sample]) -> [Double] {
    samples.map { predict(values, $0) / $0.seconds - 1 }
  }

  /// The derivatives of predicted over measured by each coefficient, a column each.
  private static func jacobian(_ values: [Double], _ samples: [Sample]) -> [[Double]] {
    let (launch, beta, phi, q, r) = (values[0], values[1], values[2], values[3], values[4])
    let operations = samples.map { $0.operations(q, r) }
    /// Of body³ = part³ + ..., where the part grows by `slope` with the coefficient.
    func derivative(_ i: Int, _ part: Double, _ slope: Double) -> Double {
      let body = predict(values, samples[i]) - launch
      return body > 0 ? part * part * slope / (body * body * samples[i].seconds) : 0
    }
    return [
      samples.map { 1 / $0.seconds },
      samples.indices.map { derivative($0, samples[$0].bytes * beta, samples[$0].bytes) },
      samples.indices.map { derivative($0, operations[$0] * phi, operations[$0]) },
      samples.indices.map { i in
        let slope = operations[i] * samples[i].waste / (1 + q * samples[i].waste)
        return derivative(i, operations[i] * phi, slope * phi)
      },
      samples.indices.map { i in
        let slope = operations[i] * samples[i].sustained / (1 + r * samples[i].sustained)
        return derivative(i, operations[i] * phi, slope * phi)
      },
    ]
  }

  /// The predicted time.
  static func predict(_ values: [Double], _ sample: Sample) -> Double {
    let memory = sample.bytes * values[1]
    let arithmetic = sample.operations(values[3], values[4]) * values[2]
    return values[0] + cbrt(memory * memory * memory + arithmetic * arithmetic * arithmetic)
  }

  /// The errors on samples.
  static func errors(_ values: [Double], _ samples: [Sample]) -> [HeldOutError] {
    samples.map { HeldOutError(relative: predict(values, $0) / $0.seconds - 1, seconds: $0.seconds) }
  }

  // A wave that is not full takes no longer than a full one, and no board lowers its clock to less than two thirds.
  private static let largestWaste = 1.0
  private static let largestSlowing = 0.5

  private typealias Attempt = (values: [Double], error: Double)

  /// Moves one of the coefficients to where the error is least, on a grid and then between its points.
  private static func search(
    _ samples: [Sample], _ index: Int, upTo upper: Double, from start: Attempt, _ passes: Int
  ) -> Attempt {
    var best = start
    func visit(_ value: Double) {
      var values = best.values
      values[index] = value
      let attempt = attempt(samples, values, passes)
      if attempt.error < best.error { best = attempt }
    }
    let steps = 16
    for step in 0...steps { visit(upper * Double(step) / Double(steps)) }
    let middle = best.values[index]
    for step in 1..<8 {
      let offset = upper / Double(steps) * Double(step - 4) / 4
      let value = middle + offset
      if value >= 0, value <= upper { visit(value) }
    }
    return best
  }

  /// The best β and φ for given others, and Σ |predicted / measured − 1|.
  private static func attempt(_ samples: [Sample], _ values: [Double], _ passes: Int) -> Attempt {
    var values = values
    let launch = values[0]
    let operations = samples.map { $0.operations(values[3], values[4]) }
    var bodies = samples.map { max($0.seconds - launch, 1e-3 * $0.seconds) }
    for _ in 0..<passes {
      let weights = zip(samples, bodies).map { 1 / (3 * $1 * $1 * $0.seconds) }
      let cubes = nonNegativeLeastSquares(
        columns: [
          zip(samples, weights).map { $0.bytes * $0.bytes * $0.bytes * $1 },
          zip(operations, weights).map { $0 * $0 * $0 * $1 },
        ],
        target: zip(samples, weights).map { sample, weight in
          let body = max(sample.seconds - launch, 0)
          return body * body * body * weight
        })
      values[1] = cbrt(cubes[0])
      values[2] = cbrt(cubes[1])
      bodies = samples.map { max(predict(values, $0) - launch, 1e-3 * $0.seconds) }
    }
    let error = samples.reduce(0) { sum, sample in
      sum + (predict(values, sample) / sample.seconds - 1).magnitude
    }
    return (values, error)
  }
}
