import Glibc
import Statistics

/// Tables of ``RoutingModel/correlated(groupSigma:requestSigma:)`` for one model.
///
/// With φ_e(T) the mean over requests of (1 − p_er)^T, the probability that T tokens of one request all leave
/// expert e out, a batch leaves it out with probability φ_e(1)^B · Π_r φ_e(T_r): B decoding requests, and T_r
/// prefill tokens of request r. Rows hold φ of all experts side by side, eight to a vector, padded with 0 (an
/// expert that is never left out adds nothing to a sum of misses).
final class CorrelatedRouting: Sendable {
  /// Decode batches up to this size are one look-up.
  static let largestDecode = 1024

  let experts: Int
  /// The probability that a token of any request uses each expert.
  let loads: [Double]
  /// Vectors in a row.
  private let blocks: Int
  /// φ_e(T) at ``TokenGrid``'s token counts.
  private let prefillRows: [SIMD8<Float>]
  /// φ_e(1)^B for B in 0...1024.
  private let decodeRows: [SIMD8<Float>]
  /// The distinct experts of B decoding requests, for B in 0...1024.
  private let decodeCounts: [ExpertCount]

  /// Builds the tables.
  ///
  /// - Complexity: O(experts); about 2 ms for 128 experts.
  init(experts: Int, topK: Int, groupSigma: Double, requestSigma: Double) {
    self.experts = experts
    blocks = (experts + 7) / 8
    let nodes = Self.normalNodes
    let groups = (0..<experts).map {
      exp(groupSigma * NormalDistribution.quantile((Double($0) + 0.5) / Double(experts)))
    }
    let requests = nodes.map { exp(requestSigma * $0.value) }
    let rate = Self.rate(topK: topK, groups: groups, requests: requests, weights: nodes.map(\.weight))

    loads = groups.map { group in
      zip(requests, nodes).reduce(0) { $0 - $1.1.weight * expm1(-rate * group * $1.0) }
    }

    // powers[node · blocks + block] runs through (1 − p)^T, T = (1 + step/32) · 2^octave, by repeated squaring.
    var onPower = [SIMD8<Double>](repeating: .zero, count: nodes.count * blocks)
    var stepPower = onPower
    for node in nodes.indices {
      for expert in 0..<experts {
        let exponent = rate * groups[expert] * requests[node]
        onPower[node * blocks + expert / 8][expert % 8] = exp(-exponent)
        stepPower[node * blocks + expert / 8][expert % 8] = exp(-exponent / Double(TokenGrid.steps))
      }
    }
    var rows = [SIMD8<Float>](repeating: .zero, count: TokenGrid.rows * blocks)
    for expert in 0..<experts { rows[expert / 8][expert % 8] = 1 }
    for step in 0..<TokenGrid.steps {
      var base = onPower
      var powers = base.mutableSpan
      var filled = rows.mutableSpan
      for octave in 0...TokenGrid.octaves where octave < TokenGrid.octaves || step == 0 {
        let row = 1 + octave * TokenGrid.steps + step
        for block in 0..<blocks {
          var mean = SIMD8<Double>.zero
          for node in nodes.indices {
            let power = powers[node * blocks + block]
            mean += power * nodes[node].weight
            powers[node * blocks + block] = power * power
          }
          filled[row * blocks + block] = Self.flushed(SIMD8<Float>(mean))
        }
      }
      for index in onPower.indices { onPower[index] *= stepPower[index] }
    }
    prefillRows = rows

    var decodeRows = [SIMD8<Float>](repeating: .zero, count: (Self.largestDecode + 1) * blocks)
    for block in 0..<blocks { decodeRows[block] = rows[block] }
    var filled = decodeRows.mutableSpan
    for place in blocks..<filled.count {
      filled[place] = Self.flushed(filled[place - blocks] * rows[blocks + place % blocks])
    }
    self.decodeRows = decodeRows
    let misses = decodeRows.span
    decodeCounts = (0...Self.largestDecode).map { [blocks] batch in
      var sums = MissSums()
      for block in 0..<blocks { sums.add(misses[batch * blocks + block]) }
      return sums.count(experts: experts)
    }
  }

  /// The distinct experts of a number of decoding requests.
  func count(decodes: Int) -> ExpertCount {
    if decodes <= Self.largestDecode { return decodeCounts[max(0, decodes)] }
    var sums = MissSums()
    let decodeRows = decodeRows
    for block in 0..<blocks { sums.add(decodeMiss(decodes, block, decodeRows.span)) }
    return sums.count(experts: experts)
  }

  /// The expected distinct experts of decoding requests and prefill segments together.
  func mean(decodes: Int, prefill: Span<Int32>) -> Double {
    let (decodeRows, prefillRows) = (decodeRows, prefillRows)
    var sum = SIMD8<Float>.zero
    for block in 0..<blocks {
      sum += decodeMiss(decodes, block, decodeRows.span) * prefillMiss(prefill, block, prefillRows.span)
    }
    return Double(experts) - Double(sum.sum())
  }

  /// The distinct experts of decoding requests and prefill segments together.
  func count(decodes: Int, prefill: Span<Int32>) -> ExpertCount {
    let (decodeRows, prefillRows) = (decodeRows, prefillRows)
    var sums = MissSums()
    for block in 0..<blocks {
      sums.add(decodeMiss(decodes, block, decodeRows.span) * prefillMiss(prefill, block, prefillRows.span))
    }
    return sums.count(experts: experts)
  }

  /// An ``ExpertMisses`` of the right size.
  func makeMisses() -> ExpertMisses { ExpertMisses(shares: Array(prefillRows[0..<blocks])) }

  /// Fills in the probability that a prefill leaves each expert out.
  func gather(_ prefill: Span<Int32>, into misses: inout ExpertMisses) {
    let prefillRows = prefillRows
    let rows = prefillRows.span
    var shares = misses.shares.mutableSpan
    for block in 0..<blocks { shares[block] = rows[block] }
    for segment in prefill.indices {
      let (row, fraction) = TokenGrid.position(Int(prefill[segment]))
      let (below, above) = (row &* blocks, (row &+ 1) &* blocks)
      for block in 0..<blocks {
        let miss = rows[below &+ block]
        shares[block] *= miss + (rows[above &+ block] - miss) * fraction
      }
    }
  }

  /// The expected distinct experts of decoding requests and a prefill together.
  func mean(decodes: Int, misses: borrowing ExpertMisses) -> Double {
    let decodeRows = decodeRows
    var sum = SIMD8<Float>.zero
    for block in 0..<blocks { sum += misses.shares[block] * decodeMiss(decodes, block, decodeRows.span) }
    return Double(experts) - Double(sum.sum())
  }

  /// The distinct experts of decoding requests and a prefill together.
  func count(decodes: Int, misses: borrowing ExpertMisses) -> ExpertCount {
    let decodeRows = decodeRows
    var sums = MissSums()
    for block in 0..<blocks { sums.add(misses.shares[block] * decodeMiss(decodes, block, decodeRows.span)) }
    return sums.count(experts: experts)
  }

  /// The probabilities that a number of decoding requests leave a block's experts out.
  @inline(__always)
  private func decodeMiss(_ decodes: Int, _ block: Int, _ rows: Span<SIMD8<Float>>) -> SIMD8<Float> {
    if decodes <= Self.largestDecode { return rows[max(0, decodes) &* blocks &+ block] }
    var miss = rows[(decodes % Self.largestDecode) * blocks + block]
    for _ in 0..<min(decodes / Self.largestDecode, 64) { miss *= rows[Self.largestDecode * blocks + block] }
    return miss
  }

  /// The probabilities that prefill segments leave a block's experts out.
  @inline(__always)
  private func prefillMiss(
    _ prefill: Span<Int32>, _ block: Int, _ rows: Span<SIMD8<Float>>
  ) -> SIMD8<Float> {
    var miss = rows[block]
    for segment in prefill.indices {
      let (row, fraction) = TokenGrid.position(Int(prefill[segment]))
      let below = rows[row &* blocks &+ block]
      let above = rows[(row &+ 1) &* blocks &+ block]
      miss *= below + (above - below) * fraction
    }
    return miss
  }

  /// The standard normal distribution as 37 points 0.3 apart.
  ///
  /// The trapezium rule converges exponentially on such integrands: its error for exp(−exp(a + σ z)) is of the
  /// order exp(−π² / (0.3 σ)), 1e-9 for the standard σ and 3e-4 for σ = 4, better than Gauss–Hermite with as
  /// many points.
  private static let normalNodes: [(value: Double, weight: Double)] = {
    let values = (-18...18).map { Double($0) * 0.3 }
    let densities = values.map { exp(-$0 * $0 / 2) }
    let total = densities.reduce(0, +)
    return zip(values, densities).map { ($0, $1 / total) }
  }()

  /// λ such that Σ_e mean_r (1 − exp(−λ w_er)) = k: Newton's method in ln λ, bracketed.
  private static func rate(topK: Int, groups: [Double], requests: [Double], weights: [Double]) -> Double {
    guard topK < groups.count else { return .greatestFiniteMagnitude.squareRoot() }
    let meanRequest = zip(requests, weights).reduce(0) { $0 + $1.0 * $1.1 }
    // 1 − exp(−x) ≤ x: this λ is too small, or just right.
    var low = log(Double(topK) / (groups.reduce(0, +) * meanRequest))
    var high = low + 200
    var logRate = low
    for _ in 0..<100 {
      let rate = exp(logRate)
      var (value, slope) = (-Double(topK), 0.0)
      for group in groups {
        for (request, weight) in zip(requests, weights) {
          let x = rate * group * request
          let miss = exp(-x)
          value += weight * (1 - miss)
          slope += weight * x * miss
        }
      }
      if value < 0 { low = logRate } else { high = logRate }
      let newton = logRate - value / slope
      let next = newton > low && newton < high ? newton : (low + min(high, low + 4)) / 2
      if abs(next - logRate) < 1e-12 { break }
      logRate = next
    }
    return exp(logRate)
  }

  /// Tiny probabilities become 0, lest products of them run into slow subnormal numbers.
  private static func flushed(_ vector: SIMD8<Float>) -> SIMD8<Float> {
    vector.replacing(with: 0, where: vector .< 1e-18)
  }
}
