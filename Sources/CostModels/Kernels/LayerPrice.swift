import SimCore

/// What a layer costs for a number of rows, attention and experts aside.
struct LayerPrice: Sendable {
  var launch = Launch()
  /// Rows that are computed, padding included.
  var computed = 0
  /// Time that the host takes to issue it.
  var issue: Seconds = 0
}

/// What a layer costs that decodes a number of sequences and does nothing else, attention aside.
struct DecodePrice: Sendable {
  var launch = Launch()
  /// Its experts alone, as contained in `launch`.
  var experts = Launch()
  /// Distinct experts that it reads.
  var distinct = 0.0
  /// Time that the host takes to issue it.
  var issue: Seconds = 0
}
