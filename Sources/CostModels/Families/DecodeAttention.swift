import Serving
import Systems

/// Decode attention on one GPU: one new token for each sequence of a batch.
///
/// The coefficients are of
///
///     [1, KV bytes, sequences, waves, cut, waves · cut, -, waves · keys of a sequence]
///
/// where waves = ⌈sequences · kvHeads / SMs⌉, in seconds, seconds per byte, and seconds. `cut` is 1 if contexts are longer
/// than the window, else 0 (as it is without a window): a window that begins inside a block of keys costs a second block and
/// its masks. A block that does not split the keys walks over all of a sequence's, so that a wave takes as long as they are
/// many: little in FlashDecoding, nearly everything in latent attention on an A100. The seventh coefficient is the time of a
/// byte that stayed in the cache while it was measured. Nothing does in a run.
public enum DecodeAttention: LinearKernelFamily {
  /// The heads on one GPU.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = DecodeAttention
    /// The heads.
    public var heads: AttentionHeads

    /// How keys and values are stored.
    public var format: WeightFormat
    /// None in a step of prompts.
    public var launches: Int { 0 }

    /// Creates a shape.
    public init(_ heads: AttentionHeads, format: WeightFormat = .bf16) {
      self.heads = heads
      self.format = format
    }

    /// The name in a calibration.
    public var kernel: String {
      if heads.isLatent { return DecodeAttention.latent }
      return heads.window > 0 ? "windowed_decode_attention" : "decode_attention"
    }
    /// The type in a calibration.
    public var type: String { format.rawValue }
    /// The sizes in a calibration.
    public var dimensions: [Int] { heads.dimensions }
    /// The sizes, for tables.
    public var description: String {
      heads.description + (format == .bf16 ? "" : ", KV in \(format.rawValue)")
    }
    /// Bytes of the key and the value of a token.
    var bytesPerEntry: Double { heads.bytesPerEntry(format) }
  }

  /// The sequences of a launch.
  ///
  /// Each context may be cut to the window or not: the law cuts the mean, and takes windows that are full for windows
  /// that cut their context. How the tokens are spread over the sequences does not matter.
  public struct Work: Sendable, Hashable {
    /// Sequences.
    public var sequences: Double
    /// Tokens in KV memory that they see together, the new ones included.
    public var context: Double

    /// Creates work.
    public init(sequences: Double, context: Double) {
      self.sequences = sequences
      self.context = context
    }
  }

  /// The name of latent attention in a calibration.
  package static let latent = "latent_decode_attention"

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "q", unit: "s"),
    .init(name: "s", unit: "s"), .init(name: "c", unit: "s"), .init(name: "d", unit: "s"),
    .init(name: "b_cached", unit: "s/B"), .init(name: "k", unit: "s"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["batch", "context tokens"]

  /// What the coefficients are multiplied by.
  public static func features(of shape: Shape, _ work: Work, on device: DeviceFigures) -> SIMD8<Double> {
    guard work.sequences > 0 else { return .zero }
    let heads = shape.heads
    let limit = heads.window > 0 ? work.sequences * Double(heads.window) : .infinity
    let seen = min(work.context, limit)
    let waves = (work.sequences * Double(heads.keyValueHeads) / Double(device.multiprocessors)).rounded(.up)
    let cut = work.context >= limit ? 1.0 : 0
    return SIMD8(
      1, seen * shape.bytesPerEntry, work.sequences, waves, cut, waves * cut, 0,
      waves * seen / work.sequences)
  }

  /// What a launch moves and computes.
  public static func traffic(_ shape: Shape, _ work: Work) -> KernelTraffic {
    KernelTraffic(
      kvBytes: shape.bytesPerEntry * work.context,
      activationBytes: shape.heads.bytesPerToken * work.sequences,
      flops: shape.heads.flopsPerPair * work.context)
  }

  /// The quantities whose measured ranges are kept.
  public static func coordinates(of shape: Shape, _ work: Work) -> SIMD4<Double> {
    SIMD4(work.sequences, work.context, 0, 0)
  }

  /// The engine's factor.
  public static func scale(in engine: KernelScale) -> Double { engine.attention }

  /// 0.70 to 1.28 times as long as vLLM's, by format and by prefill or decode.
  public static func spreadOfEngines(_ shape: Shape) -> Double { Spread.enginesAttention }

  /// The exact heads; else the coefficients of the most similar heads, whose terms count this shape's own blocks and
  /// bytes; else an estimate by the coefficients of another format or without a window; else the data sheet.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<DecodeAttention> {
    if let found = measured(shape, in: calibration) { return found }
    for (heads, format) in shape.heads.standIns(shape.format) {
      if let found = measured(Shape(heads, format: format), in: calibration) {
        return calibration.fit(shape, found.coefficients, .estimate)
      }
    }
    return calibration.fit(
      shape, SIMD8(calibration.launch(), calibration.figures.secondsPerByte, 0, 0, 0, 0, 0, 0), .dataSheet)
  }

  /// A fit of this kind and format; nobody measured latent attention that sees chosen tokens alone.
  private static func measured(_ shape: Shape, in calibration: Calibration) -> Fit<DecodeAttention>? {
    guard !shape.heads.isLatent || shape.heads.window == 0 else { return nil }
    return calibration.exact(shape) ?? calibration.nearest(to: shape, weights: AttentionHeads.weights)
  }
}
