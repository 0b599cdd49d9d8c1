import Serving

/// What the layers of a group used, all GPUs together but for the time, which is one's.
package struct LayerGroupUse: Sendable, Hashable {
  /// Passes of an iteration through a layer.
  package var passes = 0
  /// Time in kernels.
  package var seconds: Seconds = 0
  /// Energy above idle.
  package var joules: Joules = 0
  /// Expert weights read.
  package var expertBytes = 0.0
  /// Everything else that was moved.
  package var otherBytes = 0.0

  /// Adds what a cost has grown by.
  package mutating func add(_ cost: Cost, since before: Cost, layers: Int) {
    passes += layers
    seconds += cost.kernelSeconds - before.kernelSeconds
    joules += cost.joules - before.joules
    expertBytes += cost.expertBytes - before.expertBytes
    otherBytes += Self.otherBytes(cost) - Self.otherBytes(before)
  }

  private static func otherBytes(_ cost: Cost) -> Double {
    cost.weightBytes + cost.kvBytes + cost.activationBytes
  }
}
