/// How likely each expert is to be left out by the prefill of an iteration: computed once for a cohort, then
/// combined with any decode batch.
///
/// Make one with ``ExpertRouting/makeMisses()`` and reuse it: filling it allocates nothing.
public struct ExpertMisses: Sendable {
  /// Prefill tokens in all.
  var tokens = 0
  /// The probability that no prefill token uses the expert, eight experts to a vector, padded with 0; empty
  /// where the routing needs only the number of tokens.
  var shares: [SIMD8<Float>]
}
