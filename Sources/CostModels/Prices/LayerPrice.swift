import Serving

/// What a layer costs for a number of rows, attention and experts aside.
struct LayerPrice: Sendable {
  var launch = Launch()
  /// Rows that are computed, padding included.
  var computed = 0
  /// Time that the host takes to issue it.
  var issue: Seconds = 0
}
