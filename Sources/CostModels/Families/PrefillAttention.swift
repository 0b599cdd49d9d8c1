import Serving
import Systems

/// Prefill attention on one GPU, over one or several segments.
///
/// A GPU runs as many thread blocks at once as it has multiprocessors, a wave; a block works on one tile of one
/// KV head, walking over the keys that it sees. One law holds for prompts and for chunks with a prefix; its
/// coefficients are of
///
///     [1, waves · flops of a tile, bytes, ⌈blocks / SMs⌉, flops of the longest tile beyond the mean]
///
/// in seconds, seconds per FLOP of one multiprocessor, seconds per byte, seconds, and seconds per FLOP. The last tile of a
/// prompt sees twice the mean, and machines that share out a list of jobs wait for the longest (Graham, "Bounds on
/// multiprocessing timing anomalies", SIAM J. Appl. Math. 17, 1969). What differs from kernel to
/// kernel is `waves`. Where a block walks over all keys of its tile (FlashInfer) they are ⌈blocks / SMs⌉: with fewer
/// blocks than multiprocessors the launch takes as long as one block, which makes small chunks of a long prompt
/// dear. A kernel that may split the keys among s blocks (FlashAttention 3) takes the least of ⌈s · blocks / SMs⌉ / s
/// for s from 1 to 32.
public enum PrefillAttention: LinearKernelFamily {
  /// The heads on one GPU.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = PrefillAttention
    /// The heads.
    public var heads: AttentionHeads
    /// Whether the kernel may split the keys of a tile among several blocks.
    public var splitsKeys: Bool
    /// How keys and values are stored.
    public var format: WeightFormat

    /// Creates a shape.
    public init(_ heads: AttentionHeads, splitsKeys: Bool = true, format: WeightFormat = .bf16) {
      self.heads = heads
      self.format = format
      self.splitsKeys = splitsKeys
    }

    /// The name in a calibration.
    public var kernel: String {
      if heads.isLatent { return PrefillAttention.latent }
      return heads.window > 0 ? "windowed_prefill_attention" : "prefill_attention"
    }
    /// The type in a calibration.
    public var type: String {
      guard !splitsKeys else { return format.rawValue }
      return PrefillAttention.unsplit + (format == .bf16 ? "" : "_\(format.rawValue)")
    }
    /// The sizes in a calibration.
    public var dimensions: [Int] { heads.dimensions }
    /// The sizes, for tables.
    public var description: String {
      heads.description + (format == .bf16 ? "" : ", KV in \(format.rawValue)")
    }
    /// Bytes of the key and the value of a token.
    var bytesPerEntry: Double { heads.bytesPerEntry(format) }
    /// A launch without segments.
    public var nothing: Work {
      Work(heads: heads.heads, keyValueHeads: heads.keyValueHeads, window: heads.window)
    }
  }

  /// The name of latent attention in a calibration.
  package static let latent = "latent_prefill_attention"

  /// The type, in a calibration, of kernels that do not split the keys.
  package static let unsplit = "unsplit"

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "w", unit: "s/FLOP"),
    .init(name: "b", unit: "s/B"), .init(name: "s", unit: "s"), .init(name: "u", unit: "s/FLOP"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["blocks", "keys of a tile", "prefix"]

  /// What the coefficients are multiplied by.
  public static func features(of shape: Shape, _ work: Work, on device: DeviceFigures) -> SIMD8<Double> {
    guard work.queryTiles > 0 else { return .zero }
    let heads = shape.heads
    let blocks = work.queryTiles * Double(heads.keyValueHeads)
    let whole = (blocks / Double(device.multiprocessors)).rounded(.up)
    let waves =
      shape.splitsKeys
      ? work.splitWaves ?? splitWaves(blocks: Int(blocks), multiprocessors: device.multiprocessors) : whole
    let width = 2 * Double(heads.headDim + heads.valueDim)
    let meanKeys = work.tileKeys / work.queryTiles
    let keyFLOPs = Work.tile * width
    let uneven = max(0, work.longestTileKeys - meanKeys)
    let bytes =
      width
      * (work.queryTokens * Double(heads.heads)
        + work.keyTokens * Double(heads.keyValueHeads) * (shape.format.bytesPerWeight / 2))
    return SIMD8(1, waves * meanKeys * keyFLOPs, bytes, whole, uneven * keyFLOPs, 0, 0, 0)
  }

  /// How long the blocks take, in units of one that walks over all keys, if they may be split among up to 32.
  ///
  /// - Complexity: O(1); 32 divisions.
  package static func splitWaves(blocks: Int, multiprocessors: Int) -> Double {
    var least = Double.infinity
    for s in 1...32 {
      let waves = (blocks * s + multiprocessors - 1) / multiprocessors
      least = min(least, Double(waves) / Double(s))
    }
    return least
  }

  /// What tiles compute.
  public static func clockedShare(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Double {
    guard work.queryTiles > 0 else { return 0 }
    let terms = coefficients * features(of: shape, work, on: device)
    return (terms[1] + terms[4]) / terms.sum()
  }

  /// What a launch moves and computes.
  public static func traffic(_ shape: Shape, _ work: Work) -> KernelTraffic {
    KernelTraffic(
      kvBytes: shape.bytesPerEntry * work.keyTokens,
      activationBytes: shape.heads.bytesPerToken * work.queryTokens,
      flops: shape.heads.flopsPerPair * work.visiblePairs)
  }

  /// Thread blocks, and the means over tiles of keys and prefix.
  public static func coordinates(of shape: Shape, _ work: Work) -> SIMD4<Double> {
    SIMD4(
      work.queryTiles * Double(shape.heads.keyValueHeads), work.tileKeys / work.queryTiles,
      work.tilePrefix / work.queryTiles, 0)
  }

  /// A launch without any prefix needs none to have been measured; a table may also have no launch without one.
  public static func isInside(_ ranges: MeasuredRanges, _ shape: Shape, _ work: Work) -> Bool {
    var point = coordinates(of: shape, work)
    if work.tilePrefix == 0 {
      point[2] = ranges[2].lowerBound
    } else if ranges[2].upperBound <= 1 {
      return false
    }
    return ranges.contains(point)
  }

  /// The engine's factor.
  public static func scale(in engine: KernelScale) -> Double { engine.attention }

  /// 0.70 to 1.28 times as long as vLLM's, by format and by prefill or decode.
  public static func spreadOfEngines(_ shape: Shape) -> Double { Spread.enginesAttention }

  /// The exact heads; else the coefficients of the most similar heads, whose terms count this shape's own blocks, bytes
  /// and operations; else those of the other kind of kernel, of which a block takes as long; else an estimate by the
  /// coefficients of another format or without a window; else the data sheet.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<PrefillAttention> {
    if let found = measured(shape, in: calibration) { return found }
    for (heads, format) in shape.heads.standIns(shape.format) {
      let other = Shape(heads, splitsKeys: shape.splitsKeys, format: format)
      if let found = measured(other, in: calibration) {
        return calibration.fit(shape, found.coefficients, .estimate)
      }
    }
    let figures = calibration.figures
    let perTileFLOP = Double(figures.multiprocessors) * figures.secondsPerFLOP(.bf16)
    return calibration.fit(
      shape, SIMD8(calibration.launch(), perTileFLOP, figures.secondsPerByte, 0, 0, 0, 0, 0), .dataSheet)
  }

  /// A fit of this kind and format, whatever the heads and whether or not it splits the keys.
  private static func measured(_ shape: Shape, in calibration: Calibration) -> Fit<PrefillAttention>? {
    guard !shape.heads.isLatent || shape.heads.window == 0 else { return nil }
    if let found = calibration.exact(shape)
      ?? calibration.nearest(to: shape, weights: AttentionHeads.weights)
    {
      return found
    }
    let other = Shape(shape.heads, splitsKeys: !shape.splitsKeys, format: shape.format)
    let found =
      calibration.exact(other) ?? calibration.nearest(to: other, weights: AttentionHeads.weights)
    return found.map { calibration.fit(shape, $0.coefficients, .neighbours) }
  }
}
