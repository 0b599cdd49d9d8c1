import Foundation
import Systems

/// Tables of ``RoutingModel/measured(file:)`` for one model.
///
/// Tokens choose on their own: N tokens leave expert e of layer l out with probability (1 − p_le)^N, where
/// p_le = min(1, k · count_le / Σ_e count_le). Sums over layers 0..<l are kept for every l, so that a range of
/// layers is one subtraction.
final class MeasuredRouting: Sendable {
  private let layers: Int
  /// Σ over layers 0..<l of expectation and variance, at [row · (layers + 1) + l] of ``TokenGrid``'s rows.
  private let sums: [ExpertCount]

  /// Builds the tables from counts, one list of experts for each layer.
  ///
  /// - Complexity: O(layers · experts); with the reading of the file about 80 ms for 48 layers of 128.
  init(counts: [[Double]], topK: Int) {
    layers = counts.count
    let width = layers + 1
    var sums = [ExpertCount](repeating: ExpertCount(mean: 0, variance: 0), count: TokenGrid.rows * width)
    for (layer, counts) in counts.enumerated() {
      let total = counts.reduce(0, +)
      var (means, variances) = ([Double](repeating: 0, count: TokenGrid.rows), [Double]())
      variances = means
      for count in counts {
        let miss = 1 - min(1, Double(topK) * count / total)
        let root = pow(miss, 1 / Double(TokenGrid.steps))
        var start = miss
        for step in 0..<TokenGrid.steps {
          var power = start
          for octave in 0...TokenGrid.octaves where octave < TokenGrid.octaves || step == 0 {
            let row = 1 + octave * TokenGrid.steps + step
            means[row] += 1 - power
            variances[row] += power * (1 - power)
            power *= power
          }
          start *= root
        }
      }
      for row in 0..<TokenGrid.rows {
        let before = sums[row * width + layer]
        sums[row * width + layer + 1] = ExpertCount(
          mean: before.mean + means[row], variance: before.variance + variances[row])
      }
    }
    self.sums = sums
  }

  /// The distinct experts that so many tokens touch, summed over layers.
  func count(layers range: Range<Int>, tokens: Int) -> ExpertCount {
    let (row, fraction) = TokenGrid.position(tokens)
    func difference(_ row: Int) -> ExpertCount {
      let upper = sums[row * (layers + 1) + range.upperBound]
      let lower = sums[row * (layers + 1) + range.lowerBound]
      return ExpertCount(mean: upper.mean - lower.mean, variance: upper.variance - lower.variance)
    }
    let below = difference(row)
    let above = difference(row + 1)
    let share = Double(fraction)
    return ExpertCount(
      mean: below.mean + (above.mean - below.mean) * share,
      variance: below.variance + (above.variance - below.variance) * share)
  }

  /// Reads a file of counts.
  static func counts(file: String, layers: Int, experts: Int) throws(DescriptionError) -> [[Double]] {
    let text: String
    do {
      text = try String(contentsOf: URL(filePath: file), encoding: .utf8)
    } catch {
      let isThere = FileManager.default.fileExists(atPath: file)
      throw .unreadable(file: file, reason: isThere ? "not a readable UTF-8 text" : "no such file")
    }
    var counts = [[Double]](repeating: [Double](repeating: -1, count: experts), count: layers)
    var hasHeader = false
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      if line.isEmpty || line.hasPrefix("#") { continue }
      let place = "\(file):\(index + 1)"
      if !hasHeader {
        guard line.filter({ $0 != " " }) == "layer,expert,count" else {
          throw .malformed(
            file: place, reason: "the header is '\(line.prefix(60))'; expected 'layer,expert,count'")
        }
        hasHeader = true
        continue
      }
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      guard fields.count == 3, let layer = Int(fields[0]), let expert = Int(fields[1]),
        let count = Double(fields[2])
      else {
        throw .malformed(
          file: place, reason: "'\(line.prefix(60))' is not layer,expert,count; expected 3 numbers")
      }
      guard (0..<layers).contains(layer) else {
        throw .invalid(file: place, field: "layer", value: "\(layer)", expected: "0...\(layers - 1)")
      }
      guard (0..<experts).contains(expert) else {
        throw .invalid(file: place, field: "expert", value: "\(expert)", expected: "0...\(experts - 1)")
      }
      guard count >= 0, count.isFinite else {
        throw .invalid(file: place, field: "count", value: fields[2], expected: "a number, at least 0")
      }
      guard counts[layer][expert] < 0 else {
        throw .malformed(
          file: place, reason: "a second row for layer \(layer), expert \(expert); expected one")
      }
      counts[layer][expert] = count
    }
    for (layer, counts) in counts.enumerated() {
      let present = counts.count { $0 >= 0 }
      guard present == experts else {
        throw .malformed(
          file: file, reason: "layer \(layer) has \(present) experts; expected a row for each of \(experts)")
      }
      let total = counts.reduce(0, +)
      guard total > 0, total.isFinite else {
        throw .malformed(
          file: file, reason: "layer \(layer) has counts that sum to \(total); expected more than 0")
      }
    }
    return counts
  }
}
