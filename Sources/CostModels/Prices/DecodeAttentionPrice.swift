import Serving

/// What decode attention takes in a layer with some load.
struct DecodeAttentionPrice: Sendable {
  var load = DecodeLoad()
  var full = Launch()
  /// In a layer with a sliding window, if the model has one.
  var windowed = Launch()
}
