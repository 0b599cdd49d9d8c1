import CostModels
import Serving
import Systems

/// A burst of one matrix product after a pause, launch after launch: how long it took until the power limit acted.
struct PowerBurst: Sendable {
  /// Rows, columns and depth of the product, in 16 bits.
  let m, n, k: Int
  /// How long the burst was to last.
  let milliseconds: Double
  /// Launches of the burst.
  let launches: Int
  /// Mean time of a launch.
  let meanSeconds: Seconds
  /// Time of a launch before the limit acts.
  let fullClockSeconds: Seconds

  /// Bytes of a launch, each operand once.
  var bytes: Int { 2 * (m * k + n * k + m * n) }
  /// Operations of a launch.
  var flops: Int { 2 * m * n * k }

  /// The bursts of a table `bursts.csv` that followed a rest or copies, which leave the limit room.
  ///
  /// The first 3 ms are left out, in which clocks and caches come up. A launch at full clock takes the mean of those
  /// that began within 3 to 20 ms, over all bursts of the product.
  ///
  /// - Throws: `CalibrationError`, which names the file and the line.
  static func bursts(of table: KernelTable) throws(CalibrationError) -> [PowerBurst] {
    let size = 1...1_000_000
    let sizes = [
      try table.integers("m", in: size), try table.integers("n", in: size), try table.integers("k", in: size),
    ]
    let lengths = try table.numbers("burst_ms")
    let before = try table.texts("before")
    let counts = try table.integers("launches", in: 1...100_000)
    if let row = before.firstIndex(where: { !["idle", "copy", "duty"].contains($0) }) {
      let problem = "before is '\(before[row])', expected idle, copy or duty"
      throw .malformed(path: table.path, line: table.line(ofRow: row), problem: problem)
    }
    let most = 1_000_000
    guard counts.reduce(0, +) <= most else {
      throw .malformed(path: table.path, line: 0, problem: "more than \(most) launches in all")
    }
    let times = try table.numbers("t_ms")
    let seconds = try table.seconds("us")
    struct Key: Hashable {
      var sizes: [Int]
      var length: Double
      var before: String
    }
    var sums: [Key: (launches: Int, seconds: Seconds)] = [:]
    var early: [[Int]: (launches: Int, seconds: Seconds)] = [:]
    for i in 0..<table.count where before[i] != "duty" && times[i] >= 3 {
      let key = Key(sizes: sizes.map { $0[i] }, length: lengths[i], before: before[i])
      let (launches, time) = (counts[i], Double(counts[i]) * seconds[i])
      sums[key, default: (0, 0)].launches += launches
      sums[key, default: (0, 0)].seconds += time
      guard times[i] < 20 else { continue }
      early[key.sizes, default: (0, 0)].launches += launches
      early[key.sizes, default: (0, 0)].seconds += time
    }
    let order = sums.sorted {
      ($0.key.sizes[0], $0.key.before, $0.key.length) < ($1.key.sizes[0], $1.key.before, $1.key.length)
    }
    return order.compactMap { key, sum in
      guard let first = early[key.sizes], first.launches > 0, sum.launches > 0 else { return nil }
      return PowerBurst(
        m: key.sizes[0], n: key.sizes[1], k: key.sizes[2], milliseconds: key.length, launches: sum.launches,
        meanSeconds: sum.seconds / Double(sum.launches),
        fullClockSeconds: first.seconds / Double(first.launches))
    }
  }

  /// The mean time of a launch that a power limit makes of the burst.
  ///
  /// - Parameters:
  ///   - limit: with an empty bucket.
  ///   - joules: of a launch at full clock, above idle.
  /// - Returns: the sum of all launches' times over their number.
  /// - Complexity: O(launches).
  func meanLaunch(under limit: PowerLimit, joules: Joules) -> Seconds {
    var (limit, sum) = (limit, 0.0)
    for _ in 0..<launches {
      var cost = StepCost()
      (cost.kernelSeconds, cost.clockedSeconds) = (fullClockSeconds, fullClockSeconds)
      (cost.prefillRowJoules, cost.clockedJoules) = (joules, joules)
      limit.run(&cost)
      sum += cost.seconds
    }
    return sum / Double(launches)
  }
}
