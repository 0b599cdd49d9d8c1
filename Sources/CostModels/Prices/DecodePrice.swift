import Serving

/// What a layer costs that decodes a number of rows and does nothing else, attention aside.
struct DecodePrice: Sendable {
  /// The number of rows.
  var batch = 0
  var launch = Launch()
  /// Its experts alone, as contained in `launch`.
  var experts = Launch()
  /// Its ``SideKernels`` alone, as contained in `launch`.
  var side = Launch()
  /// Distinct experts that it reads.
  var distinct = 0.0
  /// Time that the host takes to issue it.
  var issue: Seconds = 0
}
