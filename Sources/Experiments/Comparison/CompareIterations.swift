import Serving

/// The totals of the iterations of one kind.
package struct CompareIterations: Sendable {
  /// Iterations by what they carry.
  package enum Kind: String, CaseIterable, Sendable {
    case decodeOnly = "decode alone"
    case fullDepth = "prefill in all layers"
    case partialDepth = "prefill in some layers"

    init(_ iteration: IterationRecord, layers: Int) {
      if iteration.prefillTokens == 0 {
        self = .decodeOnly
      } else {
        self = Int(iteration.layerEnd - iteration.layerBegin) == layers ? .fullDepth : .partialDepth
      }
    }
  }

  package init() {}

  package private(set) var count = 0
  package private(set) var seconds: Seconds = 0
  package private(set) var joules: Joules = 0
  package private(set) var expertBytes = 0.0
  package private(set) var decodeTokens = 0

  /// Adds an iteration.
  package mutating func add(_ iteration: IterationRecord) {
    count += 1
    seconds += iteration.seconds
    joules += iteration.joules
    expertBytes += iteration.expertBytes
    decodeTokens += Int(iteration.decodeTokens)
  }
}
