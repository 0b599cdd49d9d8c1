import Serving

/// What a decode step of a number of sequences costs, but for their contexts, and what depends on these.
struct DecodeTemplate: Sendable {
  /// The number of sequences; -1 before there is one.
  var batch = -1
  /// What does not depend on contexts.
  var common = StepCost()
  /// Layers without their attention, on one GPU.
  var fixed = Charge()
  /// Layers that attend to everything, and to a window.
  var fullLayers = 0.0
  var windowedLayers = 0.0
  let laws: DecodeAttentionLaws
  /// The kernels before and after the layers, on one GPU.
  var before = Launch()
  var after = Launch()
  let gpus: Double

  /// What a step costs apart from the others, and what its attention uses.
  ///
  /// - Parameters:
  ///   - context: KV entries that the sequences attend to.
  ///   - window: the same where each sees a window.
  /// - Returns: both, the attention's on one GPU.
  @inline(__always)
  func step(context: Tokens, window: Tokens) -> (step: DecodeStep, attention: SIMD8<Double>) {
    var step = DecodeStep(common)
    var total = fixed
    var attention = SIMD8<Double>.zero
    if fullLayers > 0 {
      let launch = laws.full.launch(context: context, indexed: context)
      total.add(unclocked: launch, times: fullLayers)
      attention += launch.values * fullLayers
      step.decodeContextJoules += launch.joules * fullLayers * gpus
    }
    if windowedLayers > 0 {
      let launch = laws.windowed.launch(context: window, indexed: context)
      total.add(unclocked: launch, times: windowedLayers)
      attention += launch.values * windowedLayers
      let joules = launch.joules * windowedLayers * gpus
      if laws.windowed.hasIndexer {
        step.decodeContextJoules += joules
      } else {
        step.decodeRowJoules += joules
      }
    }
    step.kernelSeconds = total.seconds + before.seconds + after.seconds
    step.kvBytes = total.kvBytes * gpus + before.kvBytes * gpus + after.kvBytes * gpus
    step.decodeRowJoules += (before.joules + after.joules) * gpus
    return (step, attention)
  }
}
