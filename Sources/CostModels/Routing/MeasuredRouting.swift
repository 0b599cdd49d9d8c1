import Glibc
import Support
import Systems

/// Tables of ``RoutingModel/measured(file:)`` for one model.
///
/// Tokens choose on their own: N tokens leave expert e of layer l out with probability (1 − p_le)^N, where
/// p_le = min(1, k · count_le / Σ_e count_le). Sums over layers 0..<l are kept for every l, so that a range of
/// layers is one subtraction.
final class MeasuredRouting: Sendable {
  /// How often each expert of each layer was chosen.
  let counts: [[Double]]
  private let layers: Int
  /// Σ over layers 0..<l of expectation and variance, at [row · (layers + 1) + l] of ``TokenGrid``'s rows.
  private let sums: [ExpertCount]

  /// Builds the tables from counts, one list of experts for each layer.
  ///
  /// - Complexity: O(layers · experts); with the reading of the file about 80 ms for 48 layers of 128.
  init(counts: [[Double]], topK: Int) {
    self.counts = counts
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

  /// The distinct experts that a number of tokens touch, summed over layers.
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
    let bytes: [UInt8]
    do {
      bytes = try WholeFile.bytes(of: file)
    } catch {
      throw .unreadable(file: file, reason: error.reason)
    }
    var counts = [[Double]](repeating: [Double](repeating: -1, count: experts), count: layers)
    var twice: (layer: Int, expert: Int, line: Int)?
    do {
      var table = try CSVReader(bytes, file: file, options: .comments)
      let columns = (
        layer: try table.column("layer"), expert: try table.column("expert"), count: try table.column("count")
      )
      while try table.next() {
        let layer = try table.integer(columns.layer, in: 0...layers - 1, expected: "0...\(layers - 1)")
        let expert = try table.integer(columns.expert, in: 0...experts - 1, expected: "0...\(experts - 1)")
        let count = try table.number(
          columns.count, in: 0 ... .greatestFiniteMagnitude, expected: "a number, at least 0")
        if counts[layer][expert] >= 0 { twice = twice ?? (layer, expert, table.line) }
        counts[layer][expert] = count
      }
    } catch {
      throw .table(error)
    }
    if let twice {
      throw .malformed(
        file: file,
        reason:
          "line \(twice.line): a second row for layer \(twice.layer), expert \(twice.expert); expected one")
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
