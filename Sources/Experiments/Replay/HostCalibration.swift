import Serving
import Systems

/// Host time fitted to benchmarks of one server at several loads.
package struct HostCalibration: Sendable {
  /// The settings that are fitted, and what one unit of them is worth: a time an iteration and a time a sequence.
  package static let paths = ["host.per_iteration_ms", "host.exposed_per_sequence_us"]

  /// What was found, in the settings' units.
  package private(set) var values = [0.0, 0.0]
  /// Mean time per output token of each benchmark: measured, and simulated with these values, in seconds.
  package private(set) var times: [(measured: Seconds, simulated: Seconds)] = []

  /// Fits both values, so that the mean times per output token are met best in relative terms.
  ///
  /// Newton's steps on differences; neither value becomes negative. Two loads at least tell them apart.
  ///
  /// - Parameters:
  ///   - measured: of each benchmark, in seconds.
  ///   - simulate: the same times under some values.
  /// - Throws: what `simulate` throws.
  package init(_ measured: [Seconds], simulate: ([Double]) throws -> [Seconds]) throws {
    let steps = [0.2, 8.0]
    var base = try simulate(values)
    for _ in 0..<8 {
      var slopes: [[Double]] = []
      for place in values.indices {
        var moved = values
        moved[place] += steps[place]
        slopes.append(zip(try simulate(moved), base).map { ($0 - $1) / steps[place] })
      }
      let next = Self.step(values, measured: measured, base: base, slopes: slopes)
      let change = zip(next, values).map { abs($0 - $1) }
      values = next
      base = try simulate(values)
      if change[0] < 1e-3, change[1] < 0.05 { break }
    }
    times = zip(measured, base).map { (measured: $0, simulated: $1) }
  }

  /// The values that least squares of relative errors asks for, if times were linear in them.
  private static func step(
    _ values: [Double], measured: [Seconds], base: [Seconds], slopes: [[Double]]
  ) -> [Double] {
    var (aa, ab, bb, ar, br) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for i in measured.indices {
      let (a, b) = (slopes[0][i] / measured[i], slopes[1][i] / measured[i])
      // What is missing from zero on, so that a value that becomes negative can be left out.
      let missing = (measured[i] - base[i]) / measured[i] + a * values[0] + b * values[1]
      aa += a * a
      ab += a * b
      bb += b * b
      ar += a * missing
      br += b * missing
    }
    let determinant = aa * bb - ab * ab
    if determinant > 1e-9 * aa * bb {
      let both = [(ar * bb - br * ab) / determinant, (br * aa - ar * ab) / determinant]
      if both[0] >= 0, both[1] >= 0 { return both }
    }
    let alone = [aa > 0 ? max(0, ar / aa) : 0, bb > 0 ? max(0, br / bb) : 0]
    // Of either value alone the one that leaves the smaller rest.
    return ar * alone[0] >= br * alone[1] ? [alone[0], 0] : [0, alone[1]]
  }
}
