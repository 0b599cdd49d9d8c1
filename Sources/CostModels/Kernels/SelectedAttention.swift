import Serving
import Systems

/// Attention of prompts over keys that an indexer picks, in layers that see everything: an estimate.
///
/// An indexer of one head projects queries and keys, multiplies each query with every key before it, and writes the scores of
/// a block of queries once, in four bytes; a choice of the best reads them. The attention is the measured kernel's: a tile of
/// its rows, all of one block, walks over the keys of its block, and takes as long as a full one if the block does not fill it.
/// It takes no less than the keys of all blocks take to be read from memory: blocks next to each other choose keys of their own.
struct SelectedAttention: Sendable {
  let keys: KeySelection
  private let attention: PricedKernel<PrefillAttention>
  private let projection: PricedKernel<MatrixProduct>
  private let launchSeconds: Seconds
  private let secondsPerFLOP: Double
  private let secondsPerByte: Double

  init(
    _ keys: KeySelection, _ attention: AttentionKernels, shard: ModelShard, engine: EngineDescription,
    power: PowerModel, calibration: Calibration
  ) {
    self.keys = keys
    self.attention = attention.prefill
    projection = PricedKernel(
      .init(n: 2 * keys.indexWidth, k: shard.model.hidden), engine: engine, power: power,
      calibration: calibration)
    launchSeconds = calibration.launch()
    secondsPerFLOP = calibration.figures.secondsPerFLOP(.bf16)
    secondsPerByte = calibration.figures.secondsPerByte
  }

  /// The indexer of one layer: nothing where no segment has more tokens than are chosen.
  func index(_ segments: Span<PrefillSegment>) -> Launch {
    var (pairs, read, rows) = (0.0, 0.0, 0)
    for i in segments.indices where keys.cuts(segments[i]) {
      let (new, before) = (Double(segments[i].tokens), Double(segments[i].prefix))
      pairs += new * (before + (new + 1) / 2)
      read += new + before
      rows += segments[i].tokens
    }
    guard rows > 0 else { return Launch() }
    let width = Double(keys.indexWidth)
    var launch = Launch(calls: 1)
    launch.extrapolated = 1
    launch.flops = 2 * width * pairs
    launch.kvBytes = 2 * width * read
    let scores = 4 * pairs / Double(keys.block)
    launch.activationBytes = 2 * scores
    let multiplying = max(launch.flops * secondsPerFLOP, (launch.kvBytes + scores) * secondsPerByte)
    launch.seconds = (2 * launchSeconds + multiplying + scores * secondsPerByte) * attention.scale
    attention.power.apply(to: &launch)
    return launch + projection.launch(Double(rows))
  }

  /// The attention of one layer: one launch for the segments that see everything, one for those that do not.
  ///
  /// - Complexity: O(segments x keys / block).
  func launch(_ segments: Span<PrefillSegment>, whole: AttentionKernels) -> Launch {
    var (dense, work) = ([PrefillSegment](), attention.fit.shape.nothing)
    var gathered = 0.0
    for i in segments.indices {
      if keys.cuts(segments[i]) {
        gathered += work.add(segments[i], keys)
      } else {
        dense.append(segments[i])
      }
    }
    let seen = dense.isEmpty ? Launch() : whole.prefill(dense.span)
    guard gathered > 0 else { return seen }
    var launch = attention.launch(work)
    launch.extrapolated = 1
    launch.kvBytes = gathered * attention.fit.shape.bytesPerEntry
    let reading = launch.kvBytes * secondsPerByte * attention.scale
    let clocked = launch.clocked[0] / launch.seconds
    launch.seconds = max(launch.seconds, reading)
    attention.power.apply(to: &launch, clocked: reading < launch.seconds ? clocked : 0)
    return seen + launch
  }
}

extension PrefillAttention.Work {
  /// Adds a segment whose queries see chosen keys.
  ///
  /// - Returns: keys that are read, each block's own.
  /// - Complexity: O(keys / block): blocks behind so many tokens are alike.
  mutating func add(_ segment: PrefillSegment, _ selection: KeySelection) -> Double {
    let height = max(1, Int(Self.tile / headsPerKVHead))
    var gathered = 0.0
    func add(tokens: Int, seen: Int, blocks: Int, to work: inout Self) {
      let keys = min(seen, selection.keys)
      let tiles = Double(blocks * ((tokens + height - 1) / height))
      work.queryTiles += tiles
      let walked = Self.tile * (Double(keys) / Self.tile).rounded(.up)
      work.tileKeys += tiles * walked
      work.longestTileKeys = max(work.longestTileKeys, walked)
      work.tilePrefix += tiles * Double(segment.prefix)
      gathered += Double(blocks * keys)
    }
    var done = 0
    while done < segment.tokens {
      let tokens = min(selection.block, segment.tokens - done)
      let seen = segment.prefix + done + tokens
      let alike = seen >= selection.keys ? max(1, (segment.tokens - done) / selection.block) : 1
      add(tokens: tokens, seen: seen, blocks: alike, to: &self)
      done += alike * tokens
    }
    queryTokens += Double(segment.tokens)
    keyTokens += Double(segment.tokens + segment.prefix)
    visiblePairs += selection.pairs(segment)
    return gathered
  }
}
