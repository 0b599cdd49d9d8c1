import Serving
import Systems

/// The decode attention of a number of sequences in one layer, as a function of their contexts alone.
///
/// What depends on the number of sequences is worked out once: batches stay the same for many steps.
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
  /// Of an indexer, which reads a key of every token, whatever the attention sees; zeros without.
  private let index: IndexScores.Decode
  /// Whether an indexer picks the keys: then what a launch takes grows with the whole contexts, not with the window alone.
  let hasIndexer: Bool

  /// Creates the law.
  ///
  /// - Parameters:
  ///   - batch: sequences.
  ///   - width: rows of each; they share the reading of its keys and values.
  ///   - kernel: the kernel.
  ///   - secondsPerByte: time of a byte of keys and values, for so many rows.
  ///   - indexer: what picks keys; `nil` where all are seen.
  init(
    batch: Int, width: Int, _ kernel: PricedKernel<DecodeAttention>, secondsPerByte: Double,
    indexer: IndexScores?
  ) {
    index = indexer?.decode(width: width) ?? IndexScores.Decode()
    hasIndexer = indexer != nil
    let rows = Double(batch)
    let fit = kernel.fit
    let heads = fit.shape.heads
    func terms(context: Double) -> SIMD8<Double> {
      fit.coefficients
        * DecodeAttention.features(of: fit.shape, .init(sequences: rows, context: context), on: fit.device)
    }
    limit = heads.window > 0 ? rows * Double(heads.window) : .infinity
    whole = terms(context: 0)
    cut = heads.window > 0 ? terms(context: limit) : whole
    self.secondsPerByte = secondsPerByte
    bytesPerEntry = fit.shape.bytesPerEntry
    scale = kernel.scale
    isBatchMeasured = fit.quality == .measured && fit.measured[0].contains(rows)
    measuredContext = fit.measured[1]
    flopsPerEntry = heads.flopsPerPair * Double(width)
    activationBytes = heads.bytesPerToken * rows * Double(width)
    power = kernel.power
  }

  /// One launch over all sequences, and that of the indexer before it.
  ///
  /// - Parameters:
  ///   - context: KV entries that they see together, the new ones included.
  ///   - indexed: entries that the indexer scores, which are those of the whole contexts; of no matter without one.
  /// - Returns: what it takes on one GPU.
  @inline(__always)
  func launch(context: Tokens, indexed: Tokens) -> Launch {
    let entries = Double(context)
    let keys = Double(indexed)
    let terms = entries >= limit ? cut : whole
    // In the order in which `dot` adds them, so that it is the fit's own time to the last bit.
    var seconds = terms[0] + secondsPerByte * (min(entries, limit) * bytesPerEntry)
    seconds = seconds + terms[2] + terms[3] + terms[4] + terms[5]
    seconds = seconds + index.launchSeconds + index.secondsPerKey * keys
    var launch = Launch(calls: 1)
    launch.extrapolated = isBatchMeasured && measuredContext.contains(entries) ? 0 : 1
    launch.seconds = seconds * scale
    launch.flops = flopsPerEntry * entries + index.flopsPerKey * keys
    launch.kvBytes = bytesPerEntry * entries + index.bytesPerKey * keys
    launch.activationBytes = activationBytes
    power.apply(to: &launch, narrowFLOPs: index.flopsPerKey * keys)
    return launch
  }
}
