import Serving
import Systems

/// Prices the steps of ranks that have sequences of their own and share the experts, kernel by kernel.
///
/// What is a rank's own is priced as that of an instance without experts; the experts run on the rows of all ranks, each
/// rank's padded as its own kernels are. Their energy and bytes are the rows', in equal parts.
public final class SharedExpertsCostModel: CostModel {
  /// Number of transformer layers.
  public let layers: Int
  /// Positions that the layers with sliding-window attention see.
  public let slidingWindow: Tokens?
  /// Layers of another kind than the one before.
  public let changes: [Int]
  /// Power that all GPUs of a rank draw while they wait.
  public let idleWatts: Double

  private let ranks: Int
  /// Prices of what is a rank's own.
  private var own: KernelPrices
  /// Prices of the experts; the rest of them is not asked for.
  private var shared: KernelPrices
  /// A step of which all ranks do the same.
  private var even: SharedStep

  /// Creates the cost model of a system.
  ///
  /// - Parameters:
  ///   - system: the model, GPU, engine and their number; more ranks than one.
  ///   - calibration: coefficients of the GPU's kernels.
  ///   - routing: how tokens choose experts.
  ///   - drawSeed: if set, distinct experts are drawn with this seed instead of taken at their expectation.
  public init(
    system: ServedSystem, calibration: Calibration, routing: ExpertRouting?, drawSeed: UInt64? = nil
  ) {
    ranks = system.shard.dataParallel
    own = KernelPrices(
      system: system, calibration: calibration, routing: nil, drawSeed: nil, width: 1, leavesOutExperts: true)
    shared = KernelPrices(
      system: system, calibration: calibration, routing: routing, drawSeed: drawSeed, width: 1)
    let model = system.shard.model
    changes = (1..<model.layers).filter { model.kind(ofLayer: $0) != model.kind(ofLayer: $0 - 1) }
    even = SharedStep(ranks: ranks, changes: changes)
    layers = own.layers
    slidingWindow = own.slidingWindow
    idleWatts = own.idleWatts
  }

  /// Prices a step of which all ranks do the same: what one can tell who sees but one of them.
  public func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    let load = copy load
    var step = even
    step.begin(Array(0..<ranks)) { _ in load }
    price(load, of: 0, in: &step, into: &cost, ledger: &ledger)
    even = step
  }

  /// Prices what a rank does, and what its rows have of the experts.
  ///
  /// - Complexity: O(bands + prefill segments), and O(experts) once for each band with prefill.
  public func price(
    _ load: borrowing StepLoad, of rank: Int, in step: inout SharedStep, into cost: inout StepCost,
    ledger: inout KernelLedger
  ) {
    if ledger.logsSteps, ledger.step.isEmpty {
      ledger.step = Array(repeating: .zero, count: KernelKind.allCases.count)
    }
    for place in step.bands.indices {
      let layers = step.bands[place].layers
      for i in load.bands.indices where load.bands[i].layers.overlaps(layers) {
        let before = cost
        own.add(
          load, LayerBand(layers: layers, segments: load.bands[i].segments), to: &cost, &ledger)
        step.bands[place].note(
          seconds: cost.kernelSeconds - before.kernelSeconds,
          clocked: cost.clockedSeconds - before.clockedSeconds)
        if step.bands[place].touched < 0 { priceExperts(place, of: &step) }
        addExperts(place, of: step, rank: rank, load, to: &cost, &ledger)
        ledger.byLayers?.add(
          cost, since: before, layers: layers.count, hasPrefill: !load.bands[i].segments.isEmpty)
      }
    }
    let before = cost
    own.finish(load, cost: &cost, &ledger)
    step.noteEnds(
      seconds: cost.kernelSeconds - before.kernelSeconds, clocked: cost.clockedSeconds - before.clockedSeconds
    )
    step.note(cost)
  }

  /// Prices the experts of some layers, for the rows of all ranks.
  private func priceExperts(_ place: Int, of step: inout SharedStep) {
    step.bands[place].touched = 0
    let layers = shared.expertLayers(in: step.bands[place].layers)
    guard !layers.isEmpty, let experts = shared.experts else { return }
    let segments = step.load.bands[place].segments
    let entry = segments.isEmpty ? nil : shared.recall(step.load.segments, segments)
    let touched = shared.distinctExperts(
      decodes: step.load.decode.rows, entry: entry, layers: layers, draw: step.load.draw)
    let computed = step.rows(inBand: place).reduce(0) {
      $0 + ($1 > 0 ? shared.graphs.padded(rows: $1, carriesPrefill: entry != nil).rows : 0)
    }
    let launch = experts.launch(
      rows: computed, active: touched / Double(layers.count), carriesPrefill: entry != nil)
    let depth = Double(layers.count)
    step.bands[place].touched = touched
    step.bands[place].launch = launch.values
    step.bands[place].clocked = launch.clocked
    step.bands[place].experts = SIMD2(launch.seconds * depth, launch.clocked[0] * depth)
  }

  /// Adds a rank's part in them: the time of all, and of energy and bytes what its rows are of all rows.
  private func addExperts(
    _ place: Int, of step: borrowing SharedStep, rank: Int, _ load: borrowing StepLoad,
    to cost: inout StepCost, _ ledger: inout KernelLedger
  ) {
    let layers = shared.expertLayers(in: step.bands[place].layers)
    guard !layers.isEmpty else { return }
    let rows = step.rows(inBand: place)
    let ownRows = rows[rows.startIndex + rank]
    let share = Double(ownRows) / Double(rows.reduce(0, +))
    let decodeShare = Double(load.decode.rows) / Double(ownRows)
    let depth = Double(layers.count)
    // Of all GPUs of all ranks; the ledger's figures are of a GPU, of as many as a rank has.
    let part = share * Double(ranks)
    let launch = Launch(step.bands[place].launch)
    var values = launch.values * (depth * part)
    values[0] = launch.calls * depth
    values[1] = launch.extrapolated * depth
    values[4] = launch.seconds * depth
    ledger.totals[KernelPrices.expertTotal] += values
    if ledger.logsSteps { ledger.step[KernelKind.expertMLP.index] += values }

    let all = own.gpus * part * depth
    let bytes = step.bands[place].touched * shared.expertBytes * own.gpus * part
    cost.experts += step.bands[place].touched * share
    cost.expertBytes += bytes
    cost.decodeExpertBytes += bytes * decodeShare
    cost.weightBytes += launch.weightBytes * all - bytes
    cost.activationBytes += launch.activationBytes * all
    cost.kernelSeconds += step.bands[place].experts[0]
    cost.clockedSeconds += step.bands[place].experts[1]
    cost.clockedJoules += step.bands[place].clocked[1] * all
    cost.decodeRowJoules += launch.joules * all * decodeShare
    cost.prefillRowJoules += launch.joules * all * (1 - decodeShare)
  }

  /// What each kernel has used.
  public func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] { own.kernels(in: ledger) }

  /// What each kernel used in the step priced last.
  public func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] {
    own.takeStepKernels(from: &ledger)
  }
}
