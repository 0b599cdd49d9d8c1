/// Sums over experts of the probability m of being left out, and of its square.
struct MissSums {
  private var first = SIMD8<Float>.zero
  private var second = SIMD8<Float>.zero

  /// Adds eight experts.
  @inline(__always)
  mutating func add(_ misses: SIMD8<Float>) {
    first += misses
    second += misses * misses
  }

  /// Expectation Σ (1 − m) and variance Σ m (1 − m) of the number of experts that are not left out.
  func count(experts: Int) -> ExpertCount {
    let sum = Double(first.sum())
    return ExpertCount(mean: Double(experts) - sum, variance: max(0, sum - Double(second.sum())))
  }
}
