import Glibc
import Serving
import Systems

/// The experts of a layer on one GPU: permutation, gate and up, activation, down, combination.
///
/// `t0 + active · weights of an expert · b + flops · f`. Loading and computing add up, since the two overlap badly in
/// grouped kernels (it is the better of the two forms on every table that we have). Where routing is skewed, operations
/// take `g` longer each: a few experts have most of the rows, and the others' blocks wait for theirs.
///
/// A kernel that works in tiles of tokens of one expert (Triton's MXFP4 kernel) computes whole tiles: its last
/// term is `tiles · tileTokens · flops of a row`, at a rate of its own for each of the tile sizes, and it takes
/// the tile size that holds an expert's fair share of the rows: `triton_kernels/matmul_ogs_details/opt_flags.py`
/// of github.com/triton-lang/triton, 16 ... 128 in powers of two. FP8 kernels have a part in rows and a part in tiles
/// of 128, which is the better form on the tables of all GPUs.
///
/// With expert parallelism each of some ranks has its own part of the experts, whole, and the busiest one counts.
public enum Experts: KernelFamily {
  /// The sizes of a layer's experts.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = Experts
    /// Width of the residual stream.
    public var hidden: Int
    /// Width of one expert on this GPU.
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

    /// Creates a shape.
    public init(
      hidden: Int, intermediate: Int, experts: Int, topK: Int, format: WeightFormat = .bf16, ranks: Int = 1,
      placement: ExpertPlacement? = nil, isGated: Bool = true
    ) {
      self.isGated = isGated
      self.ranks = ranks
      self.placement = placement
      self.hidden = hidden
      self.intermediate = intermediate
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

    /// Tokens in a tile of a call with `rows` rows: the power of two from 16 to 128 that holds an expert's share; 128
    /// where products are computed in FP8.
    package func tileTokens(rows: Double) -> Double {
      if format.isPartlyTiled { return 128 }
      let share = rows * Double(topK) / Double(experts)
      return share <= 16 ? 16 : share <= 32 ? 32 : share <= 64 ? 64 : 128
    }
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

    /// Creates work.
    public init(rows: Double, active: Double, skew: Double = 0) {
      self.rows = rows
      self.active = active
      self.skew = skew
    }
  }

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "f", unit: "s/FLOP"),
    .init(name: "f_16", unit: "s/FLOP"), .init(name: "f_32", unit: "s/FLOP"),
    .init(name: "f_64", unit: "s/FLOP"), .init(name: "f_128", unit: "s/FLOP"),
    .init(name: "g", unit: "s/FLOP"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["rows"]

  /// The name of the fit for all shapes in a calibration.
  package static let allShapes = "moe_all_shapes"

  /// The time of a launch; 0 without work.
  public static func seconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Seconds {
    guard work.rows > 0, work.active > 0 else { return 0 }
    let choice = shape.flopsPerChoice
    let (choices, active) = busiestRank(shape, work)
    let loading = coefficients[0] + active * shape.expertBytes * coefficients[1]
    let perFLOP = coefficients[2] + coefficients[7] * work.skew
    let inRows = loading + choices * choice * perFLOP
    let tile = shape.tileTokens(rows: work.rows)
    let perTileFLOP = coefficients[3 + index(ofTile: tile)]
    guard perTileFLOP > 0 else { return inRows }
    let tiles = expectedTiles(choices: choices, active: active, tileTokens: tile, skew: work.skew)
    return inRows + perTileFLOP * tiles * tile * choice
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
      mxfp4Bytes: shape.format.isTiled ? weightBytes : 0)
  }

  /// What computing adds to loading.
  public static func clockedShare(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Double {
    guard work.rows > 0, work.active > 0 else { return 0 }
    let active = busiestRank(shape, work).active
    let loading = coefficients[0] + active * shape.expertBytes * coefficients[1]
    return 1 - loading / seconds(coefficients, shape, work, on: device)
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

  /// The sizes whose rows in the tables are of experts without gates: hidden width, experts, and those of a token.
  ///
  /// Nemotron-3-Nano's and -Super's, as their configurations have it (`mlp_hidden_act` relu2).
  private static let measuredWithoutGates: Set<[Int]> = [[2688, 128, 6], [1024, 512, 22]]

  /// Whether rows of such sizes in the tables are of experts without gates.
  package static func isMeasuredWithoutGates(hidden: Int, experts: Int, topK: Int) -> Bool {
    measuredWithoutGates.contains([hidden, experts, topK])
  }

  /// The fit of the exact shape.
  ///
  /// Fits count three matrices whatever was measured; of two, a byte and an operation take one and a
  /// half times as long.
  private static func measured(_ shape: Shape, in calibration: Calibration) -> Fit<Experts>? {
    guard let exact = calibration.exact(shape), !shape.isGated else { return calibration.exact(shape) }
    var factors = SIMD8<Double>(repeating: 1.5)
    factors[0] = 1
    return exact.replacing(exact.coefficients * factors)
  }

  /// The exact shape; else one fit for all shapes in the physical terms that they share; and for formats that were not
  /// measured, the data sheet.
  ///
  /// Several ranks are an estimate whatever was measured of one: the fits are of one rank that has all experts, and which
  /// part of their work the busiest rank has is reasoned. `sim calibrate` prints how far off that is on the tables' own rows
  /// of several ranks, which no fit has seen.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<Experts> {
    let isShared = shape.ranks > 1
    let isAlike =
      shape.isGated
      == !isMeasuredWithoutGates(hidden: shape.hidden, experts: shape.experts, topK: shape.topK)
    if isAlike, let exact = measured(shape, in: calibration) {
      return isShared ? calibration.fit(shape, exact.coefficients, .estimate) : exact
    }
    if let any = calibration.shapes(of: allShapes, shape.type).first {
      return isShared
        ? calibration.fit(shape, any.vector, .estimate) : calibration.fit(shape, any, .allShapes, any.heldOut)
    }
    let launch =
      calibration.shapes(of: allShapes, WeightFormat.bf16.rawValue).first?.values.first
      ?? calibration.launch(ofExperts: true)
    let figures = calibration.figures
    return calibration.fit(
      shape, SIMD8(launch, figures.secondsPerByte, figures.secondsPerFLOP(shape.format), 0, 0, 0, 0, 0),
      .dataSheet)
  }
}
