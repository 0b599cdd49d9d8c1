import Serving
import Systems

/// The convolution and the recurrence of a Mamba-2 or Mamba-1 layer on one GPU.
///
/// Tables of kernels have its convolution alone, and no scan and no update of states. What a decode step does is what gated
/// DeltaNet does: it reads the state of each sequence and writes it anew, whatever its length. Those fits stand in, and those
/// of its convolutions.
///
/// In prefill the scan (state-space duality, arXiv 2405.21060, section 6) works on chunks that prompts are padded to: products
/// inside each chunk as in attention, the state at its end, a recurrence over the chunks, and what the entering state adds. A
/// prompt of one chunk without a state before it takes the first two alone. The operations of a token do not depend on its place,
/// so that prefill is linear in tokens: `t0 · launches + bytes · b + flops · f`.
///
/// Mamba-1 has a decay for each number of its states, so that its scan is no product: one kernel passes over the tokens, and
/// takes an exponential and a few multiplications for each number and token (arXiv 2312.00752, section 3.3).
public enum StateSpaceScan: LinearKernelFamily {
  /// Which of the four kernels it is.
  public enum Stage: String, Sendable, Hashable, CaseIterable {
    /// The convolution over the last tokens, a new one for each sequence.
    case convolutionDecode = "conv_decode"
    /// The convolution over prompts.
    case convolutionPrefill = "conv_prefill"
    /// One step of the recurrence for each sequence.
    case coreDecode = "core_decode"
    /// The scan over prompts.
    case corePrefill = "core_prefill"
  }

  /// The heads on one GPU, and the kernel.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = StateSpaceScan
    /// The heads.
    public var space: StateSpace
    /// The kernel.
    public var stage: Stage

    /// Creates a shape.
    public init(_ space: StateSpace, _ stage: Stage) {
      self.space = space
      self.stage = stage
    }

    /// The name in a calibration.
    public var kernel: String { "state_space" }
    /// The type in a calibration.
    public var type: String { stage.rawValue }
    /// One in a step of prompts, if it is of prompts.
    public var launches: Int { stage == .convolutionPrefill || stage == .corePrefill ? 1 : 0 }
    /// The sizes in a calibration.
    public var dimensions: [Int] { [space.heads, space.headDim, space.stateSize, space.groups] }
    /// The sizes, for tables.
    public var description: String {
      space.rank == nil
        ? "\(stage.rawValue), \(space.heads) heads of \(space.headDim), states of \(space.stateSize)"
        : "\(stage.rawValue), \(space.heads) channels, states of \(space.stateSize)"
    }
  }

  /// The sequences of a launch.
  public struct Work: Sendable, Hashable {
    /// Tokens in a chunk.
    public let chunk: Int
    /// Sequences.
    public var sequences = 0.0
    /// Sequences with a state before the launch.
    public var continued = 0.0
    /// New tokens of all of them.
    public var tokens = 0.0
    /// Chunks of all of them.
    public var chunks = 0.0
    /// Whether each has one chunk, and no state before it.
    public var isSingle = true

    /// Creates a launch without sequences.
    public init(chunk: Int) { self.chunk = chunk }

    /// Adds sequences.
    ///
    /// - Parameters:
    ///   - new: new tokens of each.
    ///   - prefix: tokens of each that went before.
    ///   - count: how many.
    public mutating func add(tokens new: Int, prefix: Int = 0, count: Int = 1) {
      let chunks = (new + chunk - 1) / chunk
      sequences += Double(count)
      if prefix > 0 { continued += Double(count) }
      tokens += Double(new * count)
      self.chunks += Double(chunks * count)
      isSingle = isSingle && chunks == 1 && prefix == 0
    }
  }

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "f", unit: "s/FLOP"),
    .init(name: "b_cached", unit: "s/B"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["sequences", "tokens"]

  /// The share of the 16-bit rate at which the scan's products run: an estimate, and a wide one.
  ///
  /// mamba2-jax reaches 15 % of a TPU v6e's in a whole prefill (arXiv 2603.09555); nobody published what the scan alone takes.
  static let scanEfficiency = 0.15

  /// Exponentials of a multiprocessor each second, of which Mamba-1's scan takes one for each number of a state and token: 16 a
  /// clock (CUDA C++ Programming Guide, throughput of arithmetic instructions) at 1.5 GHz, at half the rate: an estimate, and
  /// a wide one.
  static let exponentials = 0.5 * 16 * 1.5e9
  /// Operations for each number of a state and token in Mamba-1's scan.
  static let operationsOfNumber = 9.0

  /// What the coefficients are multiplied by.
  public static func features(of shape: Shape, _ work: Work, on device: DeviceFigures) -> SIMD8<Double> {
    guard work.sequences > 0 else { return .zero }
    let traffic = traffic(shape, work)
    guard shape.stage == .corePrefill else {
      return shape.stage == .convolutionPrefill && device.caches(traffic.bytes)
        ? SIMD8(1, 0, 0, traffic.bytes, 0, 0, 0, 0) : SIMD8(1, traffic.bytes, 0, 0, 0, 0, 0, 0)
    }
    let kernels = shape.space.rank != nil ? 1.0 : work.isSingle ? 2 : 4
    return SIMD8(kernels, traffic.bytes, traffic.flops, 0, 0, 0, 0, 0)
  }

  /// What a launch moves and computes.
  public static func traffic(_ shape: Shape, _ work: Work) -> KernelTraffic {
    let space = shape.space
    let numbers = Double(space.stateNumbers)
    // Heads, what goes into and comes out of states, time steps and gates are read, and heads written.
    // Those of Mamba-1 have time steps and inputs and outputs of states of their own.
    let columns =
      space.inputWidth + space.innerWidth + (space.rank == nil ? 0 : space.innerWidth + 2 * space.stateSize)
    let activations = 2 * work.tokens * Double(columns)
    switch shape.stage {
    case .convolutionDecode:
      let entries = 2 * work.sequences * Double(space.kernel - 1) + (work.tokens - work.sequences)
      return KernelTraffic(
        kvBytes: Double(space.convolutionNumberBytes) * entries * Double(space.channels),
        activationBytes: 4 * work.tokens * Double(space.channels))
    case .convolutionPrefill:
      return KernelTraffic(activationBytes: 4 * work.tokens * Double(space.channels))
    case .coreDecode:
      return KernelTraffic(
        kvBytes: (work.sequences + work.tokens) * Double(space.stateBytes), activationBytes: activations,
        flops: 6 * numbers * work.tokens)
    case .corePrefill where space.rank != nil:
      return KernelTraffic(
        kvBytes: (work.sequences + work.continued) * Double(space.stateBytes), activationBytes: activations,
        flops: operationsOfNumber * numbers * work.tokens)
    case .corePrefill:
      let inside = Double(space.chunk * (space.groups * space.stateSize + space.innerWidth))
      let padded = work.chunks * Double(space.chunk)
      // States of 32 bits at the ends of chunks are written, read and written by the recurrence, and read.
      let between = work.isSingle ? 0 : 4 * 4 * work.chunks * numbers
      return KernelTraffic(
        kvBytes: (work.sequences + work.continued) * Double(space.stateBytes),
        activationBytes: activations + between,
        flops: padded * (inside + (work.isSingle ? 2 : 4) * numbers))
    }
  }

  /// The quantities whose measured ranges are kept.
  public static func coordinates(of shape: Shape, _ work: Work) -> SIMD4<Double> {
    SIMD4(work.sequences, work.tokens, 0, 0)
  }

  /// The launch and the bytes of gated DeltaNet's most similar kernel for all but the scan; else the data sheet.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<StateSpaceScan> {
    let figures = calibration.figures
    let space = shape.space
    let delta =
      space.rank == nil
      ? GatedDelta(
        keyHeads: space.groups, valueHeads: space.heads, keyDim: space.stateSize, valueDim: space.headDim,
        kernel: space.kernel)
      // As many numbers of states, in heads that have been measured.
      : GatedDelta(
        keyHeads: max(1, space.stateNumbers >> 14), valueHeads: max(1, space.stateNumbers >> 14), keyDim: 128,
        valueDim: 128, kernel: space.kernel)
    let twin = Recurrence.Shape(delta, Recurrence.Stage(rawValue: shape.stage.rawValue) ?? .coreDecode)
    if shape.stage != .corePrefill, let found = calibration.nearest(to: twin, weights: [0.5, 1, 4, 4]) {
      return calibration.fit(
        shape,
        SIMD8(found.coefficients[0], found.coefficients[1], 0, found.coefficients[4], 0, 0, 0, 0), .estimate)
    }
    let rate =
      space.rank == nil
      ? scanEfficiency * figures.flops(.bf16)
      : exponentials * operationsOfNumber * Double(figures.multiprocessors)
    return calibration.fit(
      shape,
      SIMD8(calibration.launch(), figures.secondsPerByte, 1 / rate, figures.secondsPerByte, 0, 0, 0, 0),
      .dataSheet)
  }
}
