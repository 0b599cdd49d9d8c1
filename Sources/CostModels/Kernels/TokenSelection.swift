import Serving
import Systems

/// What it takes to score a prompt's rows before a drop and to gather those that stay: an estimate, at the rates of the data
/// sheet.
///
/// The last queries are multiplied with the keys of the pass; their scores are written and read once in 16 bits by a softmax
/// that has one block for each head, so that heads that are fewer than multiprocessors have a share of the bandwidth alone
/// (UniPrefill, arXiv 2605.06221). Where a layer writes all probabilities out (AdaptInfer, arXiv 2508.06084), its scores are
/// those of every query, and are written, normalised in place and read again. Where values are held against stored ones
/// (CacheBlend, EuroSys 2025), queries, keys and values of all rows are computed once more. Sums and a sort follow, and the gathers of hidden
/// states, residuals and positions. Several GPUs add up their sums of blocks and agree on what stays.
struct TokenSelection: Sendable {
  /// Kernels: product, softmax, sums, sort, and three gathers.
  static let launches = 7.0

  private let scoring: TokenProfile.Scoring
  private let block: Tokens
  private let heads: AttentionHeads
  private let keyBytes: Double
  /// Columns of the product that makes queries, keys and values of hidden states.
  private let columns: Double
  private let hidden: Double
  private let launchSeconds: Seconds
  private let secondsPerFLOP: Double
  private let secondsPerByte: Double
  /// The share of the bandwidth that one block for each head has.
  private let share: Double
  private let sum: PricedKernel<AllReduce>?
  private let scale: Double
  private let power: PowerModel

  init?(
    _ profile: TokenProfile, _ kinds: [LayerKind], shard: ModelShard, engine: EngineDescription,
    power: PowerModel, calibration: Calibration
  ) {
    guard !profile.drops.isEmpty else { return nil }
    let shapes = kinds.compactMap {
      LayerProgram($0, of: shard, engine.kernelChoice).shape(of: PrefillAttention.self)
    }
    guard let shape = shapes.first(where: { $0.heads.window == 0 }) ?? shapes.first else { return nil }
    scoring = profile.scoring
    block = profile.block
    heads = shape.heads
    keyBytes = shape.format.bytesPerWeight * Double(heads.keyValueHeads * heads.headDim)
    hidden = Double(shard.model.hidden)
    columns = Double((heads.heads + 2 * heads.keyValueHeads) * heads.headDim)
    launchSeconds = calibration.launch()
    let figures = calibration.figures
    secondsPerFLOP = figures.secondsPerFLOP(.bf16)
    secondsPerByte = figures.secondsPerByte
    share = min(1, Double(heads.heads) / Double(figures.multiprocessors))
    let choice = engine.kernelChoice
    sum =
      shard.gpus > 1
      ? PricedKernel(
        AllReduce.Shape(
          choice.allReduce, gpus: shard.gpus, floor: choice.eagerAllReduceFloor, skew: choice.allReduceSkew),
        engine: engine, power: power, calibration: calibration) : nil
    scale = engine.kernelScale.other
    self.power = power
  }

  /// One prompt at a time, as the scores are of its own keys.
  ///
  /// - Parameters:
  ///   - scored: the prompts, with the rows that reach the drop.
  ///   - kept: rows that all prompts of the step keep.
  /// - Returns: all launches of a drop together.
  func launch(scored: Span<PrefillSegment>, kept: Int) -> Launch {
    var launch = Launch(calls: Double(scored.count))
    launch.extrapolated = Double(scored.count)
    var (seconds, bytes) = (0.0, 0.0)
    for i in scored.indices {
      let rows = Double(scored[i].tokens)
      if case .values = scoring {
        let flops = 2 * rows * hidden * columns
        // Weights are read; rows are read and written; two sets of values are read.
        let moved = 2 * (hidden * columns + rows * (hidden + columns)) + 2 * rows * keyBytes
        launch.flops += flops
        bytes += moved
        seconds += Self.launches * launchSeconds + max(flops * secondsPerFLOP, moved * secondsPerByte)
        continue
      }
      let (queries, passes): (Double, Double) =
        switch scoring {
        case .lastQueries(let count): (min(rows, Double(count)), 1)
        case .probabilities: (rows, 2)
        case .values: (0, 0)
        }
      let scores = 2 * queries * rows * Double(heads.heads)
      let flops = 2 * queries * rows * Double(heads.heads * heads.headDim)
      let keys = rows * keyBytes
      launch.flops += flops
      bytes += keys + 2 * passes * scores
      seconds += Self.launches * launchSeconds
      seconds += max(flops * secondsPerFLOP, (keys + scores) * secondsPerByte)
      // Explicit probabilities go through the softmax of the whole GPU.
      seconds += (2 * passes - 1) * scores * secondsPerByte / (passes == 1 ? share : 1)
      if let sum {
        let message = sum.launch(4 * (rows / Double(block)).rounded(.up))
        seconds += 2 * message.seconds / scale
        bytes += 2 * message.activationBytes
      }
    }
    // Hidden states and residuals are read and written, two bytes a number.
    let gathered = 8 * Double(kept) * hidden
    launch.activationBytes = bytes + gathered
    launch.seconds = (seconds + gathered * secondsPerByte) * scale
    power.apply(to: &launch)
    return launch
  }
}
