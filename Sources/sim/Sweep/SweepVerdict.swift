import Experiments
import Foundation
import ResultStore
import Statistics

/// What a sweep comes to: means over its seeds, and which policy is best.
struct SweepVerdict {
  /// A point that has run.
  struct Point {
    /// Values of the options that vary, in their order.
    var values: [String]
    /// Figures by their names.
    var figures: [String: Double]
  }

  /// The share of requests that must meet the objective for a rate to be held.
  static let share = 0.9
  /// Settings for which a verdict is printed; a sweep of more is for a report.
  private static let mostSettings = 6

  /// The options that vary.
  let varying: [String]
  let points: [Point]

  /// Means over the seeds of points that differ in nothing else.
  ///
  /// - Parameter figures: the columns.
  /// - Returns: the table; `nil` where no seeds vary.
  func means(of figures: [String]) -> ResultTable? {
    guard varying.contains("seed"), !points.isEmpty else { return nil }
    let options = varying.filter { $0 != "seed" }
    var table = ResultTable(columns: options + ["seeds"] + figures, rows: [])
    for (key, group) in groups(by: options) {
      let means = figures.map { figure in RunValue(Self.mean(group, figure)) }
      table.rows.append(key.map { RunValue(word: $0) } + [RunValue(group.count)] + means)
    }
    return table
  }

  /// Which policy is best, a line for each setting of the other options; none where there is nothing to choose.
  var lines: [String] {
    let settings = varying.filter { !["seed", "policy", "request-rate"].contains($0) }
    guard varying.contains("policy") || varying.contains("request-rate") else { return [] }
    let groups = groups(by: settings)
    guard groups.count <= Self.mostSettings else { return [] }
    return groups.compactMap { key, group in
      let text = varying.contains("request-rate") ? heldRates(group) : bestPolicy(group)
      let setting = zip(settings, key).map { "\($0) \($1)" }.joined(separator: ", ")
      return text.map { setting.isEmpty ? $0 : "\(setting): \($0)" }
    }
  }

  /// Up to which rate each policy holds the objective, the best one first.
  private func heldRates(_ group: [Point]) -> String? {
    var held: [(policy: String, rate: Double, text: String)] = []
    for (key, points) in Self.groups(group, by: [position("policy")]) {
      let rates = Self.groups(points, by: [position("request-rate")]).compactMap { key, points in
        Double(key[0]).map { (rate: $0, share: Self.mean(points, RunFigure.attainment.name)) }
      }.sorted { $0.rate < $1.rate }
      let holds = rates.prefix { $0.share >= Self.share }
      let name = key[0].isEmpty ? "" : "\(key[0]) "
      if let last = holds.last {
        let next = holds.count < rates.count ? rates[holds.count] : nil
        let rest =
          next.map { String(format: " (%.4g: %.0f %%)", $0.rate, $0.share * 100) } ?? ", the largest tried"
        held.append((key[0], last.rate, name + String(format: "up to %.4g", last.rate) + rest))
      } else if let first = rates.first {
        held.append(
          (key[0], 0, name + String(format: "not even at %.4g (%.0f %%)", first.rate, first.share * 100)))
      }
    }
    guard !held.isEmpty else { return nil }
    held.sort { $0.rate > $1.rate }
    var text =
      "90 % of requests meet the objective, in requests/s: \(held.map(\.text).joined(separator: "; "))."
    // Where rates do not tell policies apart, latencies may.
    if held.count > 1, held[0].rate > 0, held[0].rate == held[1].rate, let place = position("request-rate"),
      let best = bestPolicy(group.filter { Double($0.values[place]) == held[0].rate })
    {
      text += String(format: " At %.4g requests/s ", held[0].rate) + best
    }
    return text
  }

  /// The policy of which most requests meet the objective, or, where that is the same, the one with the shortest latency.
  private func bestPolicy(_ group: [Point]) -> String? {
    let byPolicy = Self.groups(group, by: [position("policy")])
    guard byPolicy.count > 1 else { return nil }
    let shares = byPolicy.map { Self.mean($0.1, RunFigure.attainment.name) }
    let latencies = byPolicy.map { Self.mean($0.1, RunFigure.meanEndToEnd.name) }
    let order = byPolicy.indices.sorted {
      abs(shares[$0] - shares[$1]) > 0.001 ? shares[$0] > shares[$1] : latencies[$0] < latencies[$1]
    }
    let (best, second) = (order[0], order[1])
    let figure = abs(shares[best] - shares[second]) > 0.001 ? RunFigure.attainment : .meanEndToEnd
    let factor = figure.name == RunFigure.attainment.name ? 100.0 : 1
    let differences = paired(byPolicy[best].1, byPolicy[second].1, figure.name).map { $0 * factor }
    let what =
      factor == 100
      ? String(format: "%.1f %% of requests meet the objective", shares[best] * 100)
      : String(format: "a mean end-to-end latency of %.0f ms", latencies[best])
    let unit = factor == 100 ? "points" : "ms"
    let mean = differences.reduce(0, +) / Double(max(differences.count, 1))
    var text = "\(byPolicy[best].0[0]) is best: \(what), "
    text += String(format: "%+.4g %@ against %@", mean, unit, byPolicy[second].0[0])
    guard differences.count > 1 else { return text + " (one seed; --seed 0:4 tells it from chance)." }
    let half = Self.halfWidth(differences)
    return text
      + String(
        format: " (95 %% interval %+.4g to %+.4g, %d seeds).", mean - half, mean + half, differences.count)
  }

  /// Differences of a figure between points of the same seed.
  private func paired(_ one: [Point], _ other: [Point], _ figure: String) -> [Double] {
    guard let seed = varying.firstIndex(of: "seed") else {
      return [Self.mean(one, figure) - Self.mean(other, figure)]
    }
    return one.compactMap { point in
      other.first { $0.values[seed] == point.values[seed] }.map {
        (point.figures[figure] ?? .nan) - ($0.figures[figure] ?? .nan)
      }
    }
  }

  /// Half of the 95 % interval of a mean, by Student's t.
  private static func halfWidth(_ values: [Double]) -> Double {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
    return StudentT(degreesOfFreedom: values.count - 1).quantile(0.975) * (variance / n).squareRoot()
  }

  private static func mean(_ points: [Point], _ figure: String) -> Double {
    points.reduce(0) { $0 + ($1.figures[figure] ?? .nan) } / Double(points.count)
  }

  private func position(_ option: String) -> Int? { varying.firstIndex(of: option) }

  private func groups(by options: [String]) -> [([String], [Point])] {
    Self.groups(points, by: options.map { position($0) })
  }

  /// Points by their values at some positions, in the order in which these come first.
  private static func groups(_ points: [Point], by positions: [Int?]) -> [([String], [Point])] {
    var places: [[String]: Int] = [:]
    var groups: [([String], [Point])] = []
    for point in points {
      let key = positions.map { $0.map { point.values[$0] } ?? "" }
      if let place = places[key] {
        groups[place].1.append(point)
      } else {
        places[key] = groups.count
        groups.append((key, [point]))
      }
    }
    return groups
  }
}

extension RunValue {
  /// A number where a word of the command line is one, otherwise a text.
  init(word: String) { self = Double(word).map { RunValue($0) } ?? .text(word) }
}
