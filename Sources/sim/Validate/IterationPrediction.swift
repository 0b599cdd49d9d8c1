import Calibration
import CostModels
import Experiments
import Serving
import Systems

/// What the cost model says of a measured iteration.
struct IterationPrediction {
  let measured: MeasuredIteration
  /// Time on the GPU: the median of 20 replays after 3, as the harness measures, under the power limit.
  let seconds: Seconds
  /// Energy in a steady load, idle power included.
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
    (seconds, joules) = Self.replayed(
      cost, pause: iteration.pause, under: loaded.system.powerLimit, idleWatts: model.idleWatts)
  }

  /// Replays an iteration until the power limit has settled.
  private static func replayed(
    _ cost: StepCost, pause: Seconds, under limit: PowerLimit?, idleWatts: Double
  ) -> (seconds: Seconds, joules: Joules) {
    var limit = limit
    var replays: [Seconds] = []
    for _ in 0..<23 {
      var replay = cost
      limit?.run(&replay)
      replays.append(replay.seconds)
    }
    var (steady, elapsed) = (cost, 0.0)
    while elapsed < 0.5 {
      steady = cost
      limit?.run(&steady)
      limit?.rest(pause)
      elapsed += steady.seconds + pause
    }
    let median = replays[3...].sorted()[10]
    return (median, steady.joules + idleWatts * (steady.seconds + pause))
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
