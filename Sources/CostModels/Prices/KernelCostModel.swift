import Serving
import Statistics
import Systems

/// Prices steps kernel by kernel, from measured tables, for a model on a GPU under a serving engine.
///
/// A step takes as long as its kernels, or as long as the host needs to issue them if that is longer, and the host's
/// preparation on top. Kernels whose cost depends on the number of rows alone are priced once for each number;
/// attention and experts are priced by formula.
///
/// What it has worked out is remembered, in one struct: a class that kept it in properties of its own would check for
/// exclusive access at each use, which takes longer than the arithmetic.
public final class KernelCostModel: CostModel {
  /// Number of transformer layers.
  public let layers: Int
  /// Positions that the layers with sliding-window attention see.
  public let slidingWindow: Tokens?
  /// Power that all GPUs draw while they wait.
  public let idleWatts: Double

  // Each method begins one access to the prices and ends it before it returns, and nothing that runs meanwhile calls
  // one of them. To check that at each step would take a twentieth of its instructions.
  @exclusivity(unchecked) private var prices: KernelPrices
  /// What makes drafts; `nil` where nothing does.
  @exclusivity(unchecked) private var draft: DraftPrices?
  /// What makes tokens of images; `nil` where nothing does.
  @exclusivity(unchecked) private var encoder: EncoderPrices?
  /// What chooses and evicts KV entries; `nil` where all are kept.
  private let retention: RetentionPrices?
  /// Whether there is more to a step than the model's own kernels.
  private let hasMore: Bool

  /// Creates the cost model of a system.
  ///
  /// - Parameters:
  ///   - system: the model, GPU, engine and their number.
  ///   - calibration: coefficients of the GPU's kernels.
  ///   - routing: how tokens choose experts; `nil` for a dense model.
  ///   - drawSeed: if set, distinct experts are drawn with this seed instead of taken at their expectation.
  ///   - width: rows of each decoding sequence; more than one where drafts are verified.
  ///   - drafter: makes the drafts; `nil` where they take no time on a GPU.
  ///   - draftCalibration: the fits of the drafter's kernels, whose formats may be others; `nil` where they are those of the
  ///     model.
  ///   - encoder: makes tokens of images; `nil` where nothing does.
  ///   - encoderCalibration: the fits of its kernels; `nil` where they are those of the model.
  ///   - profile: how prompts thin out, whose loads it will price; `nil` where they do not.
  ///   - kept: how KV entries are kept; `nil` where all are.
  public init(
    system: ServedSystem, calibration: Calibration, routing: ExpertRouting?, drawSeed: UInt64? = nil,
    width: Int = 1, drafter: Drafter? = nil, draftCalibration: Calibration? = nil,
    encoder: ServedEncoder? = nil, encoderCalibration: Calibration? = nil,
    profile: TokenProfile? = nil, kept: KeptEntries? = nil
  ) {
    let prices = KernelPrices(
      system: system, calibration: calibration, routing: routing, drawSeed: drawSeed, width: width,
      profile: profile)
    unsafe self.prices = prices
    unsafe draft = drafter.map {
      DraftPrices($0, calibration: draftCalibration ?? calibration, width: width)
    }
    retention = kept.map {
      RetentionPrices($0, system: system, prices: prices, calibration: calibration)
    }
    unsafe self.encoder = encoder.map {
      EncoderPrices($0, calibration: encoderCalibration ?? calibration)
    }
    hasMore = drafter != nil || kept != nil || encoder != nil
    layers = prices.layers
    slidingWindow = prices.slidingWindow
    idleWatts = prices.idleWatts
  }

  /// Prices a step, and adds what its kernels use to the ledger.
  ///
  /// - Complexity: O(bands + prefill segments), and O(experts) for a prefill that is new.
  public func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    unsafe prices.price(load, into: &cost, ledger: &ledger)
    if hasMore {
      unsafe draft?.price(load, layers: layers, into: &cost, ledger: &ledger)
      unsafe encoder?.price(load, into: &cost, ledger: &ledger)
      retention?.price(load, into: &cost, ledger: &ledger)
    }
  }

  /// Prices the steps of a run, with everything looked up once that depends on the number of sequences alone.
  ///
  /// - Complexity: O(steps).
  public func price(_ run: inout DecodeRun) {
    guard unsafe !prices.routesByLayer, !hasMore, run.profile == nil else { return priceOneByOne(&run) }
    unsafe prices.price(&run)
  }

  /// Adds what the kernels of some of a run's priced steps used to the ledger.
  ///
  /// - Complexity: O(steps).
  public func count(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger) {
    guard unsafe !prices.routesByLayer, !hasMore, run.profile == nil, !ledger.logsSteps,
      ledger.byLayers == nil
    else {
      return countOneByOne(run, steps: steps, ledger: &ledger)
    }
    unsafe prices.count(run, steps: steps, ledger: &ledger)
  }

  /// What each kernel has used.
  ///
  /// - Complexity: O(different row counts seen x kernels).
  public func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] {
    let own = unsafe prices.kernels(in: ledger)
    guard hasMore else { return own }
    let drafted = unsafe draft?.kernels(in: ledger) ?? []
    let encoded = unsafe encoder?.kernels(in: ledger) ?? []
    return own + drafted + encoded + (retention?.kernels(in: ledger) ?? [])
  }

  /// What each kernel used in the step priced last.
  public func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] {
    let own = unsafe prices.takeStepKernels(from: &ledger)
    guard hasMore else { return own }
    let drafted = unsafe draft?.takeStepKernels(from: &ledger) ?? []
    let encoded = unsafe encoder?.takeStepKernels(from: &ledger) ?? []
    return own + drafted + encoded + (retention?.takeStepKernels(from: &ledger) ?? [])
  }
}
