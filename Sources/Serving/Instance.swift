/// One replica of a model: a scheduler, its KV memory, and the cost of what it runs.
struct Instance: Sendable {
  let number: Int32
  let longestSequence: Tokens
  var scheduler: any Scheduler
  var costModel: any CostModel
  var state: ServingState
  var plan = IterationPlan()
  /// The iteration that runs, and whether one does.
  var running = IterationRecord()
  var isRunning = false
  var cost = Cost()
  /// Time spent with nothing to do, up to the last iteration's end.
  var idleSeconds: Seconds = 0
  var lastEnd: Seconds = 0
  var stretch = DecodeStretch()
  var repetition = Repetition()
  /// What the tiles of the iteration cover, and attend to, together.
  private var prefillArea = 0.0
  private var prefillAttended = 0.0
  private var segments: [PrefillSegment] = []

  init(number: Int, configuration: InstanceConfiguration, maxModelLength: Tokens) {
    self.number = Int32(number)
    scheduler = configuration.scheduler
    costModel = configuration.costModel
    let memory = costModel.kvBlocks * costModel.blockSize
    longestSequence = min(maxModelLength, scheduler.longestSequence, memory)
    state = ServingState(
      layers: costModel.layers, maxSequences: configuration.maxSequences, blockSize: costModel.blockSize,
      blocks: costModel.kvBlocks, window: costModel.slidingWindow, longestOutput: longestSequence)
  }

  /// Takes in a request, or turns it away if it could never be served.
  ///
  /// - Returns: whether it was taken in.
  mutating func accept(_ request: Request, recorder: inout some Recorder) -> Bool {
    guard request.promptTokens + request.outputTokens <= longestSequence else {
      var record = RequestRecord(request: request)
      record.status = .rejected
      record.instance = number
      recorder.record(record)
      return false
    }
    state.enqueue(request)
    return true
  }

  /// Makes the plan the iteration that runs.
  private mutating func run(_ shape: IterationShape, from now: Seconds) {
    running.instance = number
    running.index = state.iteration
    running.fill(from: cost, start: now)
    running.decodeTokens = Int32(plan.decodes)
    running.outputTokens = Int32(plan.decodes + state.finishing.count)
    running.prefillTokens = Int32(shape.prefillRows)
    running.prefillSequences = Int32(shape.prefillSequences)
    running.queueLength = Int32(state.waitingCount)
    running.kvBlocksUsed = Int32(state.totalBlocks - state.freeBlocks)
    isRunning = true
  }

  /// Plans and prices the next iteration.
  ///
  /// - Returns: when it will end; `nil` if there is nothing to do.
  mutating func begin(at now: Seconds) throws(SimulationError) -> Seconds? {
    let unfinished = state.waitingCount + state.prefillingCount + state.decodingCount
    guard unfinished > 0 else { return nil }
    state.now = now
    idleSeconds += now - lastEnd
    plan.reset()
    scheduler.plan(&state, into: &plan)
    guard !plan.isEmpty else { throw .stalled(at: now, unfinished: unfinished) }
    let load = LayerLoad(
      decodes: plan.decodes, decodeContext: plan.decodes > 0 ? state.decoding.nextContext : 0,
      decodeWindowContext: plan.decodes > 0 ? state.decoding.window?.nextContext ?? 0 : 0)
    let shape = try applyTiles()
    cost = Self.price(
      shape, layers: state.layers, load: load, tiles: plan.prefill, segments: &segments, costModel: &costModel
    )
    run(shape, from: now)
    return running.end
  }

  /// Checks the plan's tiles, and moves their prompts on; nobody looks at those before the iteration has ended.
  private mutating func applyTiles() throws(SimulationError) -> IterationShape {
    var shape = IterationShape()
    shape.decodes = plan.decodes
    prefillArea = 0
    prefillAttended = 0
    var (begin, end) = (plan.prefill.isEmpty ? 0 : state.layers, 0)
    for i in plan.prefill.indices {
      let tile = plan.prefill[i]
      try state.apply(tile)
      prefillArea += tile.area
      prefillAttended += tile.attended
      begin = min(begin, tile.layers.lowerBound)
      end = max(end, tile.layers.upperBound)
      shape.prefillRows += tile.tokens.count
      if tile.layers.lowerBound == 0 { shape.enteringRows += tile.tokens.count }
      if tile.layers.count < state.layers { shape.hasPartialDepth = true }
    }
    shape.prefillSequences = plan.prefill.count
    shape.finishingSequences = state.finishing.count
    running.layerBegin = Int32(begin)
    running.layerEnd = Int32(end)
    return shape
  }

  /// What an iteration costs.
  ///
  /// The layers are cut wherever a tile begins or ends; those between two cuts carry the same load. Generic, so that
  /// the cost model is taken out of its box once an iteration.
  private static func price(
    _ shape: IterationShape, layers: Int, load: LayerLoad, tiles: [PrefillTile],
    segments: inout [PrefillSegment], costModel: inout some CostModel
  ) -> Cost {
    var cost = Cost()
    let tiles = tiles.span
    while segments.count < tiles.count { segments.append(PrefillSegment(tokens: 0, prefix: 0)) }
    var layer = 0
    while layer < layers {
      var end = layers
      var count = 0
      for i in tiles.indices {
        let tile = tiles[i]
        if tile.layers.lowerBound > layer {
          end = min(end, tile.layers.lowerBound)
        } else if layer < tile.layers.upperBound {
          end = min(end, tile.layers.upperBound)
          segments[count] = PrefillSegment(tokens: tile.tokens.count, prefix: tile.tokens.lowerBound)
          count += 1
        }
      }
      if load.decodes > 0 || count > 0 {
        costModel.add(load, prefill: segments.span.extracting(first: count), layers: layer..<end, to: &cost)
      }
      layer = end
    }
    costModel.finish(shape, cost: &cost)
    return cost
  }

  /// Ends the iteration that runs: tokens are out, memory is freed, and the recorder is told.
  ///
  /// - Returns: the number of requests that completed.
  mutating func end(recorder: inout some Recorder) -> Int {
    state.now = running.end
    lastEnd = running.end
    isRunning = false
    sharePrefill()
    if plan.decodes > 0 { state.completeStep(cost: cost) }
    state.completePrefill()
    recorder.record(running)
    if recorder.wantsKernels {
      recorder.record(
        kernels: costModel.takeIterationKernels(), instance: number, iteration: running.index)
    }
    let completed = state.news.requests.count
    reportNews(recorder: &recorder)
    state.iteration += 1
    return completed
  }

  /// Gives up every request that is left, because the run is cut.
  mutating func abandon(recorder: inout some Recorder) {
    state.abandonAll()
    reportNews(recorder: &recorder)
  }

  private mutating func reportNews(recorder: inout some Recorder) {
    let stepGap = state.news.stepGap
    if stepGap.tokens > 0 { recorder.record(gap: stepGap.seconds, tokens: stepGap.tokens) }
    guard state.news.isMore else { return state.news.stepGap.tokens = 0 }
    for gap in state.news.gaps { recorder.record(gap: gap, tokens: 1) }
    for i in state.news.spans.indices {
      state.news.spans[i].instance = number
      recorder.record(state.news.spans[i])
    }
    for i in state.news.requests.indices {
      state.news.requests[i].instance = number
      recorder.record(state.news.requests[i])
    }
    state.news.removeAll()
  }

  /// Charges each prompt its share of the prefill: of what rows cost by tokens × layers, of attention by what its
  /// rows attend to.
  private mutating func sharePrefill() {
    for i in plan.prefill.indices {
      let tile = plan.prefill[i]
      let rows = tile.area / prefillArea
      state.sequences[tile.prompt].record.charge(
        joules: cost.prefillRowJoules * rows + cost.prefillContextJoules * tile.attended / prefillAttended,
        expertBytes: (cost.expertBytes - cost.decodeExpertBytes) * rows)
    }
  }
}
