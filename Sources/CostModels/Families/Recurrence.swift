import Serving
import Systems

/// The convolution and the recurrence of a gated DeltaNet layer on one GPU.
///
/// In decode both read what each sequence keeps, whatever its length, and write it anew: `t0 + bytes · b`. Where drafts are
/// verified the state is read once for all rows of a sequence and written after each of them, since nobody knows yet which
/// one will be the last: vLLM keeps a state for each row and takes the accepted one. In prefill the convolution
/// streams its channels through memory. The recurrence works on chunks of 64 tokens, one after another, in a thread block
/// for each sequence and value head, so that one prompt leaves most of the GPU idle: `t0 + c · w + bytes · b`, where `c` is
/// the number of chunks that the busiest multiprocessor works on; each wave of blocks reads and writes states, `waves · v`.
///
/// States lie in memory, whose time of a byte is `b`. What prompts stream through is what the kernel before wrote: it is in the
/// second-level cache if it fits, where a byte takes `b_cached`.
public enum Recurrence: LinearKernelFamily {
  /// Which of the four kernels it is.
  public enum Stage: String, Sendable, Hashable, CaseIterable {
    /// The convolution over the last tokens, a new one for each sequence.
    case convolutionDecode = "conv_decode"
    /// The convolution over prompts.
    case convolutionPrefill = "conv_prefill"
    /// One step of the recurrence for each sequence.
    case coreDecode = "core_decode"
    /// The recurrence over prompts.
    case corePrefill = "core_prefill"

    /// Whether it is a kernel of prompts.
    package var isOfPrompts: Bool { self == .convolutionPrefill || self == .corePrefill }
  }

  /// The heads on one GPU, and the kernel.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = Recurrence
    /// The heads.
    public var delta: GatedDelta
    /// The kernel.
    public var stage: Stage

    /// Creates a shape.
    public init(_ delta: GatedDelta, _ stage: Stage) {
      self.delta = delta
      self.stage = stage
    }

    /// The name in a calibration.
    public var kernel: String { "gated_delta" }
    /// The type in a calibration.
    public var type: String { stage.rawValue }
    /// One in a step of prompts, if it is of prompts.
    public var launches: Int { stage.isOfPrompts ? 1 : 0 }
    /// The sizes in a calibration.
    public var dimensions: [Int] { [delta.keyHeads, delta.valueHeads, delta.keyDim, delta.valueDim] }
    /// The sizes, for tables.
    public var description: String {
      "\(stage.rawValue), \(delta.keyHeads) / \(delta.valueHeads) heads of \(delta.keyDim) and \(delta.valueDim)"
    }
  }

  /// The sequences of a launch.
  public struct Work: Sendable, Hashable {
    /// Tokens in a chunk.
    public static let chunk = 64
    /// Sequences.
    public var sequences = 0.0
    /// New tokens of all of them.
    public var tokens = 0.0
    /// Chunks of all of them.
    public var chunks = 0.0
    /// Chunks of the longest.
    public var longest = 0.0

    /// Creates a launch without sequences.
    public init() {}

    /// Adds sequences.
    ///
    /// - Parameters:
    ///   - new: new tokens of each.
    ///   - count: how many.
    public mutating func add(tokens new: Int, count: Int = 1) {
      let chunks = Double((new + Self.chunk - 1) / Self.chunk)
      sequences += Double(count)
      tokens += Double(new * count)
      self.chunks += chunks * Double(count)
      longest = max(longest, chunks)
    }
  }

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "w", unit: "s"),
    .init(name: "v", unit: "s"), .init(name: "b_cached", unit: "s/B"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["sequences", "tokens"]

  /// What the coefficients are multiplied by.
  public static func features(of shape: Shape, _ work: Work, on device: DeviceFigures) -> SIMD8<Double> {
    guard work.sequences > 0 else { return .zero }
    var features = SIMD8<Double>(1, 0, 0, 0, 0, 0, 0, 0)
    let bytes = traffic(shape, work).bytes
    features[shape.stage.isOfPrompts && device.caches(bytes) ? 4 : 1] = bytes
    if shape.stage == .corePrefill {
      let blocks = work.sequences * Double(shape.delta.valueHeads)
      let waves = (blocks / Double(device.multiprocessors)).rounded(.up)
      features[2] = max(work.longest, waves * work.chunks / work.sequences)
      features[3] = waves
    }
    return features
  }

  /// What a launch moves and computes.
  public static func traffic(_ shape: Shape, _ work: Work) -> KernelTraffic {
    let delta = shape.delta
    let products = 6 * Double(delta.valueHeads * delta.keyDim * delta.valueDim)
    switch shape.stage {
    case .convolutionDecode:
      // The last channels are read and written; each further row leaves one more.
      let entries = 2 * work.sequences * Double(delta.kernel - 1) + (work.tokens - work.sequences)
      return KernelTraffic(
        kvBytes: 2 * entries * Double(delta.channels),
        activationBytes: 4 * work.tokens * Double(delta.channels))
    case .convolutionPrefill:
      return KernelTraffic(activationBytes: 4 * work.tokens * Double(delta.channels))
    case .coreDecode:
      return KernelTraffic(
        kvBytes: (work.sequences + work.tokens) * Double(delta.stateBytes),
        activationBytes: 2 * work.tokens * Double(delta.inputWidth), flops: products * work.tokens)
    case .corePrefill:
      return KernelTraffic(
        kvBytes: 2 * work.sequences * Double(delta.stateBytes),
        activationBytes: 2 * work.tokens * Double(delta.inputWidth), flops: products * work.tokens)
    }
  }

  /// The quantities whose measured ranges are kept.
  public static func coordinates(of shape: Shape, _ work: Work) -> SIMD4<Double> {
    SIMD4(work.sequences, work.tokens, 0, 0)
  }

  /// The exact heads; else the coefficients of the most similar ones, whose terms count this shape's own bytes and waves;
  /// else the data sheet, with 3 us a chunk.
  ///
  /// The 3 us are an estimate at the slow end. Five of six fits under `Profiles/calibrations` have 1.2 to 3.05 us a chunk, and
  /// the medians of the GPUs are 2.0 to 2.9; the most heads on GPUs with GDDR take longer.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<Recurrence> {
    if let found = calibration.exact(shape) ?? calibration.nearest(to: shape, weights: [0.5, 1, 4, 4]) {
      return found
    }
    return calibration.fit(
      shape,
      SIMD8(
        calibration.launch(), calibration.figures.secondsPerByte, 3e-6, 0,
        calibration.figures.secondsPerByte, 0, 0, 0), .dataSheet)
  }
}

extension KernelTraffic {
  /// All that is moved, in bytes.
  package var bytes: Double { weightBytes + kvBytes + activationBytes }
}
