import Serving

/// A cost that depends on everything an iteration works on, in exact arithmetic.
///
/// Time is a whole number of ticks of 2⁻²⁰ s, so that clocks can be compared for equality and arrivals coincide with
/// ends of iterations. Energy and bytes are not linear in the number of sequences, so that shares change from one
/// iteration to the next.
struct LoadedCost: LayerCost {
  static let tick = 0x1p-20

  var layers = 8
  var kvBlocks = 1000
  var blockSize = 16
  var slidingWindow: Tokens?
  /// Iterations last a whole number of so many ticks.
  var quantum = 1
  var idleWatts: Double { 0 }

  /// Keys that prompts see.
  var keys: KeySelection?

  func add(
    _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
  ) {
    add(load, prefill: prefill, feedForward: prefill, scored: [], layers: layers, to: &cost)
  }

  func add(
    _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, feedForward: ArraySlice<PrefillSegment>,
    scored: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
  ) {
    var layer = LoadedLayer()
    layer.decodes = load.rows
    layer.context = load.context
    layer.windowContext = load.windowContext
    for segment in feedForward { layer.rows += segment.tokens }
    for segment in scored { layer.scored += segment.tokens }
    for segment in prefill {
      for token in 1...segment.tokens { layer.attended += min(segment.prefix + token, keys?.keys ?? .max) }
    }
    let depth = Double(layers.count)
    cost.activationBytes += depth * Double(layer.ticks)  // a byte takes a tick
    cost.expertBytes += depth * layer.expertBytes
    cost.decodeExpertBytes += depth * layer.decodeExpertBytes
    cost.decodeRowJoules += depth * layer.joulesPerRow * Double(layer.decodes)
    cost.decodeContextJoules += depth * layer.joulesPerEntry * Double(layer.context)
    cost.prefillRowJoules += depth * layer.joulesPerRow * Double(layer.rows)
    cost.prefillContextJoules += depth * layer.joulesPerEntry * Double(layer.attended)
  }

  func finish(_ load: borrowing StepLoad, cost: inout StepCost) {
    let beside = Self.ticksBeside(
      decodes: load.decode.sequences, prompts: load.prefillSequences, finishing: load.finishingSequences,
      rows: load.prefillRows, entering: load.enteringRows, isPartial: load.hasPartialDepth)
    cost.kernelSeconds = seconds(
      ticks: Int(cost.activationBytes) + beside + Self.ticks(of: load.retention))
    cost.clockedSeconds = cost.kernelSeconds / 2
    cost.clockedJoules = cost.joules / 2
  }

  func seconds(ticks: Int) -> Seconds {
    Double((ticks + quantum - 1) / quantum * quantum) * Self.tick
  }

  /// The same on a pipeline: each stage has some of the layers, and all that is beside them.
  func model(on pipeline: NaiveEngine.Pipeline) -> any CostModel {
    PipelineCostModel(
      stages: pipeline.stages.map { range in
        var stage = self
        stage.layers = range.count
        return PipelineCostModel.Stage(costModel: stage.model, layers: range)
      },
      link: .init(
        bytesPerSecond: 1 / Self.tick, latency: Double(pipeline.latencyTicks) * Self.tick,
        bytesPerRow: Double(pipeline.ticksPerRow)))
  }

  static func ticks(of load: RetentionLoad) -> Int {
    13 * load.compacting + 2 * load.narrowed + 17 * load.evictingPrompts
  }

  static func ticksBeside(
    decodes: Int, prompts: Int, finishing: Int, rows: Int, entering: Int, isPartial: Bool
  ) -> Int {
    50 + 2 * decodes + 5 * prompts + 3 * finishing + rows / 7 + entering / 5 + (isPartial ? 11 : 0)
  }
}

/// What one layer carries in one iteration, and what that costs.
struct LoadedLayer {
  var decodes = 0
  var context = 0
  var windowContext = 0
  var rows = 0
  var attended = 0
  /// Rows that are scored before some are dropped.
  var scored = 0

  var ticks: Int {
    guard decodes + rows > 0 else { return 0 }
    return 3 + decodes + context / 16 + windowContext / 8 + rows / 4 + attended / 64 + scored / 3
  }
  var expertBytes: Double {
    let all = Double(decodes + rows)
    return 1000 * all / (10 + all)
  }
  var decodeExpertBytes: Double {
    decodes > 0 ? expertBytes * Double(decodes) / Double(decodes + rows) : 0
  }
  var joulesPerRow: Double { 0.25 + 1 / Double(1 + decodes + rows) }
  var joulesPerEntry: Double { 0.001 + 0.01 / Double(1 + decodes) }
}
