/// Time that the host needs beside the GPU: scheduling, preparing inputs, launching kernels.
///
/// Stored in the units of the descriptor file, so that a value survives being written and read.
public struct HostOverhead: Sendable, Hashable {
  /// Scheduling and preparation of any iteration, in milliseconds.
  public var perIterationMilliseconds = 0.0
  /// Further preparation of an iteration whose prefill does not pass through all layers, in milliseconds.
  public var partialDepthMilliseconds = 0.0
  /// Preparation for each prefill token of such an iteration, in microseconds.
  public var partialDepthTokenMicroseconds = 0.0
  /// Preparation for each decoding sequence, in microseconds.
  public var perDecodeSequenceMicroseconds = 0.0
  /// Time of any iteration that no overlap of host and GPU hides, in microseconds.
  public var exposedPerIterationMicroseconds = 0.0
  /// Time for each sequence of an iteration that no overlap of host and GPU hides, in microseconds.
  public var exposedPerSequenceMicroseconds = 0.0
  /// Preparation for each prompt with prefill in the iteration, in microseconds.
  public var perPrefillSequenceMicroseconds = 0.0
  /// Preparation for each prefill token, once, as it enters the first layer, in microseconds.
  public var perPrefillTokenMicroseconds = 0.0
  /// Time to issue one layer's kernels one by one, whatever they are, in microseconds.
  public var eagerLayerMicroseconds = 0.0
  /// Time to issue one kernel of a layer, in microseconds; adds to ``eagerLayerMicroseconds``.
  public var eagerLaunchMicroseconds = 0.0
  /// Time to issue one layer's kernels from a CUDA graph, in microseconds.
  public var graphLayerMicroseconds = 0.0

  /// Time to issue a layer's kernels, from a graph or one by one, in seconds.
  ///
  /// The GPU runs what was issued meanwhile: an iteration's launches bound its time from below, they do not add to it.
  ///
  /// - Parameters:
  ///   - inGraph: whether they are replayed from a CUDA graph.
  ///   - launches: how many kernels the layer has.
  /// - Returns: the time.
  public func launch(inGraph: Bool, launches: Int) -> Double {
    let eager = eagerLayerMicroseconds + eagerLaunchMicroseconds * Double(launches)
    return (inGraph ? graphLayerMicroseconds : eager) * 1e-6
  }

  /// Time before the first kernel of an iteration, during which the GPU waits.
  public func preparation(
    decodes: Int, prefills: Int, enteringTokens: Int, partialDepthTokens: Int? = nil
  ) -> Double {
    let milliseconds = perIterationMilliseconds + (partialDepthTokens != nil ? partialDepthMilliseconds : 0)
    let microseconds =
      perDecodeSequenceMicroseconds * Double(decodes) + perPrefillSequenceMicroseconds * Double(prefills)
      + perPrefillTokenMicroseconds * Double(enteringTokens)
      + partialDepthTokenMicroseconds * Double(partialDepthTokens ?? 0)
    return milliseconds * 1e-3 + microseconds * 1e-6
  }

  /// Time that the GPU waits for the host within an iteration, whatever is prepared ahead.
  public func exposed(sequences: Int) -> Double {
    (exposedPerIterationMicroseconds + exposedPerSequenceMicroseconds * Double(sequences)) * 1e-6
  }

  /// Creates the overhead of a host that takes no time.
  public init() {}
}
