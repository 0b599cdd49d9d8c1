import Serving
import Systems

/// The decode attention of a number of sequences in one layer, as a function of their contexts alone.
///
/// What depends on the number of sequences is worked out once: batches stay the same for many steps. What is left is
/// linear in the contexts.
struct DecodeAttentionLaw: Sendable {
  /// Joules, operations, seconds, and bytes of keys and values.
  private typealias Figures = SIMD4<Double>

  /// What a launch takes whatever the contexts, and what an entry adds; both as long as all is within the windows, and beyond.
  private let whole: Figures
  private let perEntry: Figures
  private let cut: Figures
  private let perEntryBeyond: Figures
  /// What a key adds that an indexer scores, which reads one of every token, whatever the attention sees; zeros without.
  private let perKey: Figures
  /// Entries that all windows together hold; infinite without a window.
  private let limit: Double
  /// Contexts that were measured with so many sequences.
  private let measuredContext: Range<Double>
  private let activationBytes: Double
  private let power: PowerModel
  /// Whether an indexer picks the keys: then what a launch takes grows with the whole contexts, not with the window alone.
  let hasIndexer: Bool

  /// Creates the law.
  ///
  /// - Parameters:
  ///   - batch: sequences.
  ///   - width: rows of each; they share the reading of its keys and values.
  ///   - kernel: the kernel.
  ///   - secondsPerByte: time of a byte of keys and values, for so many rows.
  ///   - secondsPerKey: time of a key that a wave of blocks walks over, for so many rows.
  ///   - indexer: what picks keys; `nil` where all are seen.
  init(
    batch: Int, width: Int, _ kernel: PricedKernel<DecodeAttention>, secondsPerByte: Double,
    secondsPerKey: Double, indexer: IndexScores?
  ) {
    let index = indexer?.decode(width: width) ?? IndexScores.Decode()
    hasIndexer = indexer != nil
    power = kernel.power
    let power = kernel.power
    let rows = Double(batch)
    let fit = kernel.fit
    let heads = fit.shape.heads
    limit = heads.window > 0 ? rows * Double(heads.window) : .infinity
    let isMeasured = fit.quality == .measured && fit.measured[0].contains(rows)
    measuredContext = isMeasured ? fit.measured[1] : .infinity ..< .infinity
    activationBytes = heads.bytesPerToken * rows * Double(width)
    let activationJoules = power.joulesPerByte * activationBytes

    // The rows of a sequence change what a byte and a key take.
    var coefficients = fit.coefficients
    (coefficients[1], coefficients[7]) = (secondsPerByte, secondsPerKey)
    func features(context: Double) -> SIMD8<Double> {
      DecodeAttention.features(of: fit.shape, .init(sequences: rows, context: context), on: fit.device)
    }
    func constant(context: Double) -> Figures {
      let terms = coefficients * features(context: context)
      let seconds = (terms.sum() + index.launchSeconds) * kernel.scale
      return Figures(activationJoules + power.busyWatts * seconds, 0, seconds, 0)
    }
    whole = constant(context: 0)
    cut = limit < .infinity ? constant(context: limit) : whole
    func slope(seconds: Seconds, flops: Double, narrowFLOPs: Double, bytes: Double) -> Figures {
      let joules =
        power.joulesPerByte * bytes + power.joulesPerFlop * flops + power.busyWatts * seconds
        - power.joulesSavedPerNarrowFlop * narrowFLOPs
      return Figures(joules, flops, seconds, bytes)
    }
    let bytes = fit.shape.bytesPerEntry
    let flops = heads.flopsPerPair * Double(width)
    let ofOne = coefficients * features(context: 1)
    perEntry = slope(
      seconds: (ofOne[1] + ofOne[7]) * kernel.scale, flops: flops, narrowFLOPs: 0, bytes: bytes)
    // The rows of one sequence together see more than its window.
    perEntryBeyond = slope(seconds: 0, flops: flops, narrowFLOPs: 0, bytes: bytes)
    perKey = slope(
      seconds: index.secondsPerKey * kernel.scale, flops: index.flopsPerKey, narrowFLOPs: index.flopsPerKey,
      bytes: index.bytesPerKey)
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
    var figures = entries < limit ? whole + perEntry * entries : cut + perEntryBeyond * entries
    if hasIndexer { figures += perKey * Double(indexed) }
    let joules = min(figures[0], power.mostJoules(seconds: figures[2]))
    let extrapolated = measuredContext.contains(entries) ? 0.0 : 1
    return Launch(SIMD8(1, extrapolated, joules, figures[1], figures[2], 0, figures[3], activationBytes))
  }
}
