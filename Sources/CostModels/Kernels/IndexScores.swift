import Serving
import Systems

/// The scores of an indexer over all tokens before: an estimate, in FP8 at the rates of the data sheet.
///
/// What a key more adds to vLLM's whole sparse attention of a layer (`dsa_decode.csv` under `Profiles/kernels`, batches of 16)
/// is 1.0 to 1.2 times as much on an H100 and an H200, and 1.35 to 1.45 times on Blackwell: choosing the best keys is in there,
/// and not here.
///
/// The engine's factor is that of attention, in prefill and in decode alike.
struct IndexScores: Sendable {
  let indexer: Indexer
  let power: PowerModel
  private let scale: Double
  private let launchSeconds: Seconds
  private let secondsPerFLOP: Double
  /// Time to read a token's key.
  private let secondsPerKey: Double
  /// Operations of a query with a key: those of all heads.
  private var flopsPerPair: Double { 2 * Double(indexer.heads * indexer.headDim) }

  init(_ indexer: Indexer, engine: EngineDescription, power: PowerModel, calibration: Calibration) {
    self.indexer = indexer
    self.power = power
    scale = DecodeAttention.scale(in: engine.kernelScale)
    let figures = calibration.figures
    launchSeconds = calibration.launch()
    secondsPerFLOP = figures.secondsPerFLOP(.fp8)
    secondsPerKey = figures.secondsPerByte * Double(indexer.entryBytes)
  }

  /// What decoding takes, before the engine's factor.
  struct Decode: Sendable {
    var launchSeconds: Seconds = 0
    var secondsPerKey: Seconds = 0
    var flopsPerKey = 0.0
    var bytesPerKey = 0.0
  }

  /// The scores of decoding sequences: each key is read once, and multiplied with the queries of all rows of its sequence.
  ///
  /// - Parameter width: rows of each sequence.
  /// - Returns: what it takes for each key.
  func decode(width: Int) -> Decode {
    let flops = flopsPerPair * Double(width)
    return Decode(
      launchSeconds: launchSeconds, secondsPerKey: max(secondsPerKey, flops * secondsPerFLOP),
      flopsPerKey: flops, bytesPerKey: Double(indexer.entryBytes))
  }

  /// The scores of prompts' segments in a layer.
  func prefill(_ segments: Span<PrefillSegment>) -> Launch {
    var pairs = 0.0
    var keys = 0.0
    for i in segments.indices {
      let (new, before) = (Double(segments[i].tokens), Double(segments[i].prefix))
      pairs += new * (before + (new + 1) / 2)
      keys += new + before
    }
    var launch = Launch(calls: 1)
    launch.extrapolated = 1
    launch.flops = flopsPerPair * pairs
    launch.kvBytes = keys * Double(indexer.entryBytes)
    launch.seconds = scale * (launchSeconds + max(launch.flops * secondsPerFLOP, keys * secondsPerKey))
    power.apply(to: &launch, narrowFLOPs: launch.flops)
    return launch
  }
}
