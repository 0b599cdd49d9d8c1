import Glibc
import Serving
import Systems

/// The experts of a layer on one GPU: permutation, gate and up, activation, down, combination.
///
/// `t0 + active · weights of an expert · b + flops · f`. Loading and computing add up, since the two overlap badly in
/// grouped kernels (it is the better of the two forms on every table that we have). Where routing is skewed, operations
/// take `g` longer each: a few experts have most of the rows, and the others' blocks wait for theirs.
///
/// A kernel that works in tiles of tokens of one expert computes whole tiles: each takes `flops of a row · (p + tile tokens ·
/// f_tile)`. Triton's MXFP4 kernel takes the tile size that holds an expert's fair share of the rows
/// (`triton_kernels/matmul_ogs_details/opt_flags.py` of github.com/triton-lang/triton), 16 ... 128 in powers of two;
/// FlashInfer's kernels of MXFP4 with MXFP8 activations that which holds 1.3 times the share (vLLM's
/// `quantization/mxfp4.py`, `imbalance_factor`); Marlin's the first of 8, 16, 32, 48 and 64 that the share fills to less than nine
/// tenths (vLLM's `fused_moe/fused_marlin_moe.py`). FP8 kernels have tiles of 128, of which `p` is not told apart.
///
/// What choices stream beside the products takes `choices · bytes of a choice · b_choices` in the law of all shapes. Of one
/// layer it cannot be told from the products, which grow alike.
///
/// With expert parallelism each of some ranks has its own part of the experts, whole, and the busiest one counts. Most engines'
/// ranks see the rows of all: they sort all choices, and their activation and their sum pass over all of them. That takes
/// further `t0 + bytes of all choices · b`, with coefficients of their own (``overRanks``).
public enum Experts: KernelFamily {
  /// The sizes of a layer's experts.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = Experts
    /// Width of the residual stream, as the kernels have it.
    public var hidden: Int
    /// Width of one expert on this GPU, as the kernels have it.
    public var intermediate: Int
    /// Experts in the layer.
    public var experts: Int
    /// Experts that each row goes to.
    public var topK: Int
    /// How the weights are stored.
    public var format: WeightFormat
    /// Choice of experts, two to sort rows by them, two products, activation and sum; and the quantising of what goes into
    /// either product where that is narrow, too.
    public var launches: Int { format.multipliesNarrow ? 9 : 7 }
    /// Groups of GPUs that share out the experts; 1 without expert parallelism.
    public var ranks: Int
    /// How they are balanced over the ranks; `nil` where each has the next ones by their numbers.
    public var placement: ExpertPlacement?
    /// Whether an expert has three matrices, gate, up and down, and not the last two.
    public var isGated: Bool
    /// Whether each of several ranks passes over the choices of its own experts alone.
    ///
    /// TensorRT-LLM's kernels do, but for those of MXFP4; vLLM's and SGLang's do not.
    public var passesOverOwnChoices: Bool
    /// Groups of experts that limit a token's choice; `nil` where it is free.
    public var groups: ExpertGroups?

    /// Creates a shape.
    public init(
      hidden: Int, intermediate: Int, experts: Int, topK: Int, format: WeightFormat = .bf16, ranks: Int = 1,
      placement: ExpertPlacement? = nil, isGated: Bool = true, passesOverOwnChoices: Bool = false,
      groups: ExpertGroups? = nil
    ) {
      self.groups = groups
      self.isGated = isGated
      self.passesOverOwnChoices =
        passesOverOwnChoices && ![.mxfp4, .mxfp4MXFP8, .mxfp4Marlin].contains(format)
      self.ranks = ranks
      self.placement = placement
      (self.hidden, self.intermediate) = format.padded(hidden: hidden, intermediate: intermediate)
      self.experts = experts
      self.topK = topK
      self.format = format
    }

    /// The name in a calibration.
    public var kernel: String { "moe" }
    /// The type in a calibration.
    public var type: String { format.measuredAs.rawValue }
    /// The sizes in a calibration.
    public var dimensions: [Int] { [hidden, intermediate, experts, topK] }
    /// The sizes, for tables.
    public var description: String {
      "\(experts) x \(hidden) x \(intermediate), top \(topK), \(format.rawValue)"
        + (format == .mxfp4Marlin ? " (prices of int4)" : "")
        + (isGated ? "" : ", no gate") + (ranks > 1 ? ", over \(ranks) ranks" : "")
        + (placement.map { ", balanced" + ($0.redundant > 0 ? " with \($0.redundant) more" : "") } ?? "")
    }
    /// Bytes of all weights on this GPU.
    public var weightBytes: Int { (experts + (placement?.redundant ?? 0)) / ranks * bytesPerExpert }

    /// Matrices of an expert.
    private var matrices: Int { isGated ? 3 : 2 }

    /// Bytes of one expert's matrices (gate if there is one, up, down), without biases, each row's last scale counted whole.
    public var bytesPerExpert: Int {
      format.bytes(rows: (matrices - 1) * intermediate, columns: hidden)
        + format.bytes(rows: hidden, columns: intermediate)
    }

    /// Bytes of one expert's weights as the law counts them: with the weights' share of their scales.
    package var expertBytes: Double {
      Double(matrices) * Double(hidden) * Double(intermediate) * format.bytesPerWeight
    }
    /// Floating-point operations of one token in one expert.
    package var flopsPerChoice: Double { 2 * Double(matrices) * Double(hidden) * Double(intermediate) }

    /// Bytes that a choice streams beside the products: gathered (2h), through gate and up (h + 2i), the activation (3i), and
    /// down (i + h), and combined (h), in 16 bits; as if there were gates, like fits.
    package var bytesPerChoice: Double { 2 * (5 * Double(hidden) + 6 * Double(intermediate)) }
    /// The same of all choices of a row.
    package var choiceBytesPerRow: Double { Double(topK) * bytesPerChoice }
    /// Tokens in a tile of a call with `rows` rows: the power of two from 16 to 128 that holds an expert's share, or 1.3 times
    /// that where activations are MXFP8; Marlin's, which see a rank's experts alone; 128 where products are computed in FP8; `nil`
    /// where no tiles are told apart.
    package func tileTokens(rows: Double) -> Double? {
      if format.hasFixedTiles { return 128 }
      guard format.hasGrowingTiles else { return nil }
      let share = rows * Double(topK) / Double(experts) * (format == .mxfp4MXFP8 ? 1.3 : 1)
      guard format.usesMarlin else { return share <= 16 ? 16 : share <= 32 ? 32 : share <= 64 ? 64 : 128 }
      return Self.marlinTiles.first { share * Double(ranks) < 0.9 * $0 } ?? 64
    }

    /// The sizes of Marlin's tiles.
    private static let marlinTiles = [8.0, 16, 32, 48, 64]
  }

  /// The rows of a call, and how they are routed.
  public struct Work: Sendable, Hashable {
    /// Tokens, each of which goes to `topK` experts.
    public var rows: Double
    /// Distinct experts that they choose between them; an expected value may be broken.
    public var active: Double
    /// How unevenly the active experts are loaded: 0 for uniform random routing, 1 for loads that are spread like an
    /// exponential distribution (close to the power laws of the measured tables).
    ///
    /// It matters if an expert has more than a few tokens: kernels that work in tiles compute more of them, others wait
    /// for the experts with most rows.
    public var skew: Double
    /// What the busiest of several ranks has to do beyond the mean of all, over that mean, where choices are many; `nil` for
    /// loads that are spread as ``skew`` says.
    public var imbalance: Double?

    /// Creates work.
    public init(rows: Double, active: Double, skew: Double = 0, imbalance: Double? = nil) {
      self.imbalance = imbalance
      self.rows = rows
      self.active = active
      self.skew = skew
    }
  }

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "f", unit: "s/FLOP"),
    .init(name: "p", unit: "s/FLOP"), .init(name: "f_tile", unit: "s/FLOP"),
    .init(name: "b_cached", unit: "s/B"), .init(name: "b_choices", unit: "s/B"),
    .init(name: "g", unit: "s/FLOP"),
  ]
  /// Where fits have the time of a byte of weights that lay in the cache while they were measured; calibrations do not keep it.
  package static let indexOfCachedBytes = 5
  /// Where the coefficients of a layer over several ranks have the time of a byte of the choices of all of them: a run asks for
  /// no cached bytes.
  static let indexOfAllChoiceBytes = indexOfCachedBytes
  /// Where the law of all shapes has the time of a byte of choices.
  package static let indexOfChoiceBytes = 6
  /// Names of the coordinates.
  public static let ranges = ["rows"]

  /// The name of the fit for all shapes in a calibration.
  package static let allShapes = "moe_all_shapes"
  /// The name of the fits of what several ranks take beyond the busiest one's part, in a calibration: `t0` and `b`.
  package static let overRanks = "moe_over_ranks"
  /// The name of the fit of the same for all shapes.
  package static let overRanksAllShapes = "moe_over_ranks_all_shapes"

  /// The time of a launch; 0 without work.
  public static func seconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Seconds {
    guard work.rows > 0, work.active > 0 else { return 0 }
    let choice = shape.flopsPerChoice
    let (choices, active) = busiestRank(shape, work)
    let loading = loadingSeconds(coefficients, shape, work, choices: choices, active: active)
    let inRows = loading + choices * choice * (coefficients[2] + coefficients[7] * work.skew)
    guard let tile = shape.tileTokens(rows: work.rows) else { return inRows }
    let perTile = coefficients[3] + coefficients[4] * tile
    guard perTile > 0 else { return inRows }
    let tiles = expectedTiles(choices: choices, active: active, tileTokens: tile, skew: work.skew)
    return inRows + perTile * tiles * choice
  }

  /// Of layers on one rank: those of several were fitted without.
  public static func corrected(_ shape: Shape, _ work: Work) -> (rows: Double, skew: Double)? {
    shape.ranks == 1 ? (work.rows, work.skew) : nil
  }

  /// The part of the time that is bound by memory: weights and choices, and the choices of all ranks where there are several.
  private static func loadingSeconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, choices: Double, active: Double
  ) -> Seconds {
    let own =
      coefficients[0] + active * shape.expertBytes * coefficients[1]
      + choices * shape.bytesPerChoice * coefficients[indexOfChoiceBytes]
    guard shape.ranks > 1 else { return own }
    return own + work.rows * shape.choiceBytesPerRow * coefficients[indexOfAllChoiceBytes]
  }

  /// The weights of the active experts are read once, however many rows there are.
  public static func traffic(_ shape: Shape, _ work: Work) -> KernelTraffic {
    let h = Double(shape.hidden)
    let i = Double(shape.intermediate)
    let k = Double(shape.topK)
    // Rows are gathered (2h), pass gate and up (h + 2i), the activation (3i) and down (i + h), and are combined (h + h/k);
    // without a gate up writes i, and the activation moves 2i.
    // Of all ranks alike: the mean of them.
    let ranks = Double(shape.ranks)
    let bytesPerRow = 2 * k * (5 * h + (shape.isGated ? 6 : 4) * i) / ranks + 2 * h
    let weightBytes = work.active * Double(shape.bytesPerExpert) / ranks
    let flops = work.rows * ((shape.isGated ? 6 : 4) * k * h * i) / ranks
    return KernelTraffic(
      weightBytes: weightBytes, activationBytes: work.rows * bytesPerRow, flops: flops,
      narrowFLOPs: shape.format.multipliesNarrow ? flops : 0,
      mxfp4Bytes: shape.format == .mxfp4 || shape.format == .mxfp4Marlin ? weightBytes : 0)
  }

  /// What computing adds to loading.
  ///
  /// Fits may have the reading of weights in the time of tiles, each of which reads its expert's; the first time each comes from
  /// memory.
  public static func clockedShare(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Double {
    guard work.rows > 0, work.active > 0 else { return 0 }
    let (choices, active) = busiestRank(shape, work)
    let loading = max(
      loadingSeconds(coefficients, shape, work, choices: choices, active: active),
      coefficients[0] + active * shape.expertBytes * device.secondsPerByte)
    return max(0, 1 - loading / seconds(coefficients, shape, work, on: device))
  }

  /// The quantities whose measured ranges are kept.
  public static func coordinates(of shape: Shape, _ work: Work) -> SIMD4<Double> { SIMD4(work.rows, 0, 0, 0) }

  /// As many rows as were measured, and no more experts than there are.
  public static func isInside(_ ranges: MeasuredRanges, _ shape: Shape, _ work: Work) -> Bool {
    ranges.contains(coordinates(of: shape, work)) && work.active <= Double(shape.experts)
  }

  /// The engine's factor.
  public static func scale(in engine: KernelScale) -> Double { engine.expertMLP }

  /// 0.99 to 1.11 times as long as vLLM's.
  public static func spreadOfEngines(_ shape: Shape) -> Double { Spread.enginesExperts }

  /// Marlin's MXFP4 is priced by int4's fits.
  public static func spreadOfFormats(_ shape: Shape) -> Double {
    shape.format == .mxfp4Marlin ? Spread.marlinFormats : 0
  }
}
