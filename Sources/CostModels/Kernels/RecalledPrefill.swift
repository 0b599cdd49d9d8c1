import Serving

/// A prefill, and what follows from its segments alone: computed once for all stages of a cohort.
struct RecalledPrefill: Sendable {
  var segments: [PrefillSegment] = []
  /// The segments' tokens.
  var tokens: [Int32] = []
  /// The segments' tokens in all.
  var rows = 0
  /// How likely each expert is to be left out.
  var misses: ExpertMisses
  /// Attention in one layer.
  var attention = Launch()
  /// Attention in one layer with a sliding window.
  var windowedAttention = Launch()

  /// The experts that were asked for last.
  var experts = ExpertCall()

  init(misses: ExpertMisses) { self.misses = misses }
}
