import Serving

/// The decode attention of so many sequences in one layer, as a function of their contexts alone.
///
/// Whatever depends on the number of sequences is worked out once: batches stay the same for many steps.
struct DecodeAttentionLaw: Sendable {
  /// The terms of the fit, but for the bytes, of contexts within the window, and of contexts that it cuts.
  private let whole: SIMD8<Double>
  private let cut: SIMD8<Double>
  private let secondsPerByte: Double
  private let bytesPerEntry: Double
  /// Entries that all windows together hold; infinite without a window.
  private let limit: Double
  private let scale: Double
  private let isBatchMeasured: Bool
  private let measuredContext: Range<Double>
  private let flopsPerEntry: Double
  private let activationBytes: Double
  private let power: PowerModel

  init(
    batch: Int, fit: DecodeAttentionFit, heads: Double, headDim: Double, scale: Double, power: PowerModel
  ) {
    let rows = Double(batch)
    func terms(context: Double) -> SIMD8<Double> {
      fit.coefficients
        * DecodeAttentionFit.features(
          batch: rows, contextTokens: context, kvHeads: fit.kvHeads, headDim: fit.headDim, window: fit.window,
          multiprocessors: Double(fit.multiprocessors))
    }
    limit = fit.window > 0 ? rows * Double(fit.window) : .infinity
    whole = terms(context: 0)
    cut = fit.window > 0 ? terms(context: limit) : whole
    secondsPerByte = fit.coefficients[1]
    bytesPerEntry = 4 * Double(fit.kvHeads) * Double(fit.headDim)
    self.scale = scale
    isBatchMeasured = fit.origin == .measured && fit.measuredBatch.contains(rows)
    measuredContext = fit.measuredContext
    flopsPerEntry = 4 * heads * headDim
    activationBytes = 4 * heads * headDim * rows
    self.power = power
  }

  /// One launch over all sequences.
  ///
  /// - Parameter context: KV entries that they see together, the new ones included.
  /// - Returns: what it takes on one GPU.
  @inline(__always)
  func launch(context: Tokens) -> Launch {
    let entries = Double(context)
    let terms = entries >= limit ? cut : whole
    // In the order in which `dot` adds them, so that it is the fit's own time to the last bit.
    var seconds = terms[0] + secondsPerByte * (min(entries, limit) * bytesPerEntry)
    seconds = seconds + terms[2] + terms[3] + terms[4] + terms[5]
    var launch = Launch(calls: 1)
    launch.extrapolated = isBatchMeasured && measuredContext.contains(entries) ? 0 : 1
    launch.seconds = seconds * scale
    launch.flops = flopsPerEntry * entries
    launch.kvBytes = bytesPerEntry * entries
    launch.activationBytes = activationBytes
    power.apply(to: &launch)
    return launch
  }
}
