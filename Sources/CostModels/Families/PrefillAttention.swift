import Serving
import Systems

/// Prefill attention on one GPU, over one or several segments.
///
/// A GPU runs as many thread blocks at once as it has multiprocessors, a wave; a block works on one tile of one
/// KV head, walking over the keys that it sees. With fewer blocks than multiprocessors the launch takes as long
/// as one block, which makes small chunks of a long prompt dear: that law, and not a table of chunk sizes,
/// carries over to chunks with a prefix. The coefficients are of
///
///     [1, max(1, waves) · flops of a tile, ⌈waves⌉ · flops of a tile, bytes, ⌈waves⌉],   waves = blocks / SMs
///
/// in seconds, seconds per FLOP of one multiprocessor (twice), seconds per byte, and seconds.
public enum PrefillAttention: LinearKernelFamily {
  /// The heads on one GPU.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = PrefillAttention
    /// The heads.
    public var heads: AttentionHeads

    /// Creates a shape.
    public init(_ heads: AttentionHeads) { self.heads = heads }

    /// The name in a calibration.
    public var kernel: String { heads.window > 0 ? "windowed_prefill_attention" : "prefill_attention" }
    /// The type in a calibration.
    public var type: String { WeightFormat.bf16.rawValue }
    /// The sizes in a calibration.
    public var dimensions: [Int] { heads.dimensions }
    /// The sizes, for tables.
    public var description: String { heads.description }
    /// A launch without segments.
    public var nothing: Work {
      Work(heads: heads.heads, keyValueHeads: heads.keyValueHeads, window: heads.window)
    }
  }

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "f", unit: "s/FLOP"), .init(name: "w", unit: "s/FLOP"),
    .init(name: "b", unit: "s/B"), .init(name: "s", unit: "s"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["blocks", "keys of a tile", "prefix"]

  /// What the coefficients are multiplied by.
  public static func features(of shape: Shape, _ work: Work, on device: DeviceFigures) -> SIMD8<Double> {
    guard work.queryTiles > 0 else { return .zero }
    let heads = shape.heads
    let waves = work.queryTiles * Double(heads.keyValueHeads) / Double(device.multiprocessors)
    let whole = waves.rounded(.up)
    let tileFLOPs = work.tileKeys / work.queryTiles * Work.tile * 4 * Double(heads.headDim)
    let bytes =
      4 * Double(heads.headDim)
      * (work.queryTokens * Double(heads.heads) + work.keyTokens * Double(heads.keyValueHeads))
    return SIMD8(1, max(1, waves) * tileFLOPs, whole * tileFLOPs, bytes, whole, 0, 0, 0)
  }

  /// What a launch moves and computes.
  public static func traffic(_ shape: Shape, _ work: Work) -> KernelTraffic {
    KernelTraffic(
      kvBytes: shape.heads.bytesPerEntry * work.keyTokens,
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

  /// The exact heads; else the coefficients of the most similar heads, whose terms count this shape's own blocks, bytes
  /// and operations; else the data sheet.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<PrefillAttention> {
    if let found = calibration.exact(shape)
      ?? calibration.nearest(to: shape, weights: AttentionHeads.weights)
    {
      return found
    }
    let figures = calibration.figures
    let perTileFLOP = Double(figures.multiprocessors) / figures.bf16FLOPs
    return calibration.fit(
      shape, SIMD8(0, perTileFLOP, 0, figures.secondsPerByte, 0, 0, 0, 0), .dataSheet)
  }
}
