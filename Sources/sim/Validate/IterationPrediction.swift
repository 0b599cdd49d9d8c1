import Calibration
import CostModels
import Experiments
import Serving
import Systems

/// What the cost model says of a measured iteration.
struct IterationPrediction {
  let measured: MeasuredIteration
  /// Time on the GPU.
  let seconds: Seconds
  /// Energy, idle power included.
  let joules: Joules

  /// Prices an iteration on a system.
  init(_ iteration: MeasuredIteration, on loaded: LoadedSystem) throws(DescriptionError) {
    measured = iteration
    let routing = try Self.routing(of: iteration, for: loaded)
    let model = KernelCostModel(system: loaded.system, calibration: loaded.calibration, routing: routing)
    let window = min(iteration.decodeContext, model.slidingWindow ?? .max)
    let decode = DecodeLoad(
      sequences: iteration.decodes, context: iteration.decodes * iteration.decodeContext,
      windowContext: iteration.decodes * window)
    let (prefill, group) = (iteration.prefill, iteration.prefillLayers)
    let tiles =
      prefill.tokens > 0
      ? [Tile(sequence: Slot(0), tokens: prefill.prefix..<prefill.prefix + prefill.tokens, layers: group)]
      : []
    var load = StepLoad(decode: decode, tiles: tiles, layers: model.layers, finishing: tiles.count)
    // The harness embeds all rows and runs the LM head on one row of each sequence, whatever the group.
    load.enteringRows = prefill.tokens
    load.hasPartialDepth = iteration.kind == .layered
    var cost = StepCost()
    var ledger = KernelLedger()
    model.price(load, into: &cost, ledger: &ledger)
    seconds = cost.seconds
    joules = cost.joules + model.idleWatts * cost.seconds
  }

  /// Relative error of the time.
  var timeError: Double { seconds / measured.seconds - 1 }
  /// Relative error of the energy; `nil` where it was not measured.
  var energyError: Double? { measured.joules.map { joules / $0 - 1 } }

  /// The experts that the iteration is known to have read.
  ///
  /// The table has their sum over all layers. Where layers with prefill stand beside layers without, even routing
  /// says how it divides: random weights route nearly evenly.
  private static func routing(
    of iteration: MeasuredIteration, for loaded: LoadedSystem
  ) throws(DescriptionError) -> ExpertRouting? {
    let model = loaded.system.shard.model
    guard model.isMixtureOfExperts else { return nil }
    guard iteration.experts > 0 else { return loaded.routing }
    let even = try ExpertRouting(.uniform, for: model)
    let most = Double(model.experts)
    let group = Double(iteration.prefillLayers.count)
    let rest = iteration.decodes > 0 ? Double(model.layers) - group : 0
    let alone = even.distinct(layers: 0..<1, decodes: iteration.decodes)
    let together = even.distinct(layers: 0..<1, decodes: iteration.decodes + iteration.prefill.tokens)
    let scale = iteration.experts / (rest * alone + group * together)
    let withPrefill = min(most, scale * together)
    var points: [CoveragePoint] = []
    if rest > 0 {
      let remainder = (iteration.experts - group * withPrefill) / rest
      points.append(CoveragePoint(tokens: iteration.decodes, experts: min(most, max(1, remainder))))
    }
    if group > 0 {
      points.append(
        CoveragePoint(tokens: iteration.decodes + iteration.prefill.tokens, experts: withPrefill))
    }
    return try ExpertRouting(.coverage(points), for: model)
  }
}
