/// A step that is planned and has not ended.
///
/// Its arrays are used again.
struct Flight {
  var plan = StepPlan()
  var record = IterationRecord()
  var cost = StepCost()
  /// What it decodes, and its number among the steps that decode.
  var decode = DecodeLoad()
  var decodeStep = 0
  /// Sequences that decode for the first time: the gap before is their own.
  var fresh: [Slot] = []
  /// Prompts that emit a token at its end.
  var finishing: [Slot] = []
  /// Sequences that write more than one token, and how many more.
  var bursts: [Burst] = []
  /// Sequences whose entries are evicted with it.
  var compacted: [Slot] = []
  /// Sequences that end with it.
  var leaving: [Slot] = []
  /// Sequences that take part in it, and in no later one for now: preempted, or left out.
  var departing: [Slot] = []
  /// Sequences that step again after it.
  var returning: [Slot] = []
  /// Whether those that end with it have left the sums, and those that decode next have joined them.
  var hasPassed = false
  /// What each sequence does, if that is asked for.
  var rows: [StepRow] = []
  /// What the tiles cover, and attend to, together.
  var prefillArea = 0.0
  var prefillAttended = 0.0
  /// What a profile makes of each tile, and what each covers and attends to; empty without one.
  private(set) var tileRows: [TileRows] = []
  /// Share of the decode rows among all rows.
  private var decodeShare = 0.0
  /// Sequences that it decodes, if it does nothing else and takes no sequence's memory; 0 otherwise.
  private(set) var plainDecodes = 0

  init(instance: Int) { record.instance = Int32(instance) }

  /// Applies the plan to the sequences and to memory, and makes its load.
  ///
  /// - Throws: if the plan breaks a rule.
  mutating func apply(to view: inout InstanceView, load: inout StepLoad) throws(SimulationError) {
    while !finishing.isEmpty { finishing.removeLast() }
    prefillArea = 0
    prefillAttended = 0
    if view.hasProfile { tileRows.removeAll(keepingCapacity: true) }
    var admitted = 0
    for i in plan.actions.indices {
      switch plan.actions[i] {
      case .decode(let steppers, let victims): view.decode(steppers: steppers, victims: victims)
      case .serve: view.serve(plan)
      case .admit(let slot, let tokens):
        view.admit(slot, tokens: tokens, from: plan.admitted[admitted].done)
        admitted += 1
      case .compute(let tile): try compute(plan.tiles[tile], in: &view)
      }
    }
    if !view.hasCache {
      for i in plan.tiles.indices { try compute(plan.tiles[i], in: &view) }
    }
    if view.logsRows { noteRows(of: view) }
    plainDecodes = plan.tiles.isEmpty && plan.victims == 0 && !view.visitsSequences ? plan.decodes : 0
    if plan.decodes > 0 { decode = view.decoding.nextLoad } else { decode = DecodeLoad() }
    if view.hasProfile, let profile = view.profile {
      load.fill(
        decode: decode, missing: view.decoding.missing, tiles: plan.tiles, rows: tileRows,
        layers: view.layers, profile: profile)
    } else {
      load.fill(decode: decode, tiles: plan.tiles, layers: view.layers)
    }
    load.finishingSequences = finishing.count
    if view.encodesImages { load.images = view.images(beginningWith: plan.tiles) }
    if view.visitsSequences, let rule = view.retention {
      load.retention = view.retentionLoad(
        steppers: plan.decodes > 0 ? view.steppers() : [],
        finishing: finishing.map { Int(view.sequences[$0.index].prefillTokens) }, rule)
    }
    load.draw = view.estimator.firstDraw + UInt64(view.step)
    decodeShare = load.decodeShare
    note(load, layers: view.layers)
    cost = StepCost()
  }

  /// Moves a prompt on by a tile.
  @inline(__always)
  private mutating func compute(_ tile: Tile, in view: inout InstanceView) throws(SimulationError) {
    if view.hasProfile, let profile = view.profile { return try compute(tile, in: &view, profile) }
    if try view.apply(tile) { finishing.append(tile.sequence) }
    prefillArea += tile.area
    prefillAttended += tile.attended
  }

  /// Moves a prompt on by a tile of which rows may be dropped.
  private mutating func compute(
    _ tile: Tile, in view: inout InstanceView, _ profile: TokenProfile
  ) throws(SimulationError) {
    let isSound = view.sequences.indices.contains(tile.sequence.index)
    let rows = isSound ? view.rows(of: tile, profile) : nil
    if try view.apply(tile) { finishing.append(tile.sequence) }
    guard let rows else { return }
    if tile.layers.upperBound == view.layers { view.noteEntries(of: tile.sequence, rows, profile) }
    prefillArea += rows.area(tile, profile)
    prefillAttended += rows.attended(tile, profile)
    tileRows.append(rows)
  }

  /// Writes down what each sequence does.
  private mutating func noteRows(of view: InstanceView) {
    rows.removeAll(keepingCapacity: true)
    if plan.decodes > 0 {
      for slot in view.decodersInOrder() where view.sequences[slot.index].steps {
        rows.append(
          StepRow(
            request: view.sequences[slot.index].record.request.id, tokens: view.decoding.width,
            before: view.context(of: slot)))
      }
    }
    for tile in plan.tiles {
      rows.append(
        StepRow(
          request: view.sequences[tile.sequence.index].record.request.id, tokens: tile.tokens.count,
          before: tile.tokens.lowerBound))
    }
  }

  private mutating func note(_ load: borrowing StepLoad, layers: Int) {
    record.decodeTokens = Int32(truncatingIfNeeded: plan.decodes)
    record.outputTokens = Int32(truncatingIfNeeded: plan.decodes + finishing.count)
    guard !plan.tiles.isEmpty || record.prefillSequences > 0 else { return }
    record.prefillTokens = Int32(truncatingIfNeeded: load.prefillRows)
    record.prefillSequences = Int32(truncatingIfNeeded: load.prefillSequences)
    let depth = load.prefillDepth(layers: layers)
    record.layerBegin = Int32(truncatingIfNeeded: depth.begin)
    record.layerEnd = Int32(truncatingIfNeeded: depth.end)
  }

  /// Lets the step run, now that its cost is known.
  ///
  /// - Returns: when it begins.
  mutating func start(at now: Seconds, clock: inout StepClock, in view: inout InstanceView) -> Seconds {
    let (start, seconds) = clock.run(
      &cost, plannedAt: now, after: view.busyUntil, decodeShare: decodeShare)
    fly(from: start, for: seconds, plannedAt: now, in: &view)
    return start
  }

  /// Lets the step pass the stages of a pipeline, which has just priced it.
  ///
  /// - Returns: when it begins.
  mutating func start(
    at now: Seconds, on model: PipelineCostModel, clock: inout PipelineClock, in view: inout InstanceView
  ) -> Seconds {
    let (start, seconds) = clock.run(model, &cost, plannedAt: now, decodeShare: decodeShare)
    fly(from: start, for: seconds, plannedAt: now, in: &view)
    return start
  }

  /// Lets the step run with those of other ranks; what its GPUs draw idle is added to its cost.
  mutating func start(
    from start: Seconds, for seconds: Seconds, idleWatts: Double, in view: inout InstanceView
  ) {
    cost.addIdle(idleWatts * seconds, decodeShare: decodeShare)
    fly(from: start, for: seconds, plannedAt: view.now, in: &view)
  }

  @inline(__always)
  private mutating func fly(
    from start: Seconds, for seconds: Seconds, plannedAt now: Seconds, in view: inout InstanceView
  ) {
    if start > now, !plan.tiles.isEmpty { view.postpone(plan.tiles, to: start) }
    record.index = view.step
    record.fill(from: cost, start: start, end: start + seconds)
    record.queueLength = Int32(truncatingIfNeeded: view.waitingCount)
    record.kvBlocksUsed = Int32(truncatingIfNeeded: view.memory.usedBlocks)
    if plan.decodes > 0 {
      view.decoding.advance()
      if !view.decoding.fresh.isEmpty { swap(&fresh, &view.decoding.fresh) }
      if view.visitsSequences {
        record.outputTokens += Int32(truncatingIfNeeded: view.acceptDrafts(into: &bursts))
        view.evict(into: &compacted)
      }
    }
    decodeStep = view.decoding.step
    hasPassed = false
    view.step += 1
    view.busyUntil = record.end
  }

  /// Becomes a step of a leap, which runs now.
  mutating func repeatStep(_ step: Int, of leap: borrowing Leap, in view: inout InstanceView) {
    cost = leap.run.cost(ofStep: step)
    record.index = view.step
    record.fill(from: cost, start: leap.begins(step), end: leap.ends[step])
    record.kvBlocksUsed = leap.blocks[step]
    decode = view.decoding.nextLoad
    view.memory.take(Int(leap.blocks[step]) - view.memory.usedBlocks)
    view.decoding.advance()
    decodeStep = view.decoding.step
    hasPassed = false
    view.step += 1
    view.busyUntil = record.end
  }

  /// Becomes a step of a leap behind another flight, which decodes the same.
  mutating func repeatStep(
    _ step: Int, of leap: borrowing Leap, like model: IterationRecord, decodes: Int,
    in view: inout InstanceView
  ) {
    plan.become(decodes: decodes)
    plainDecodes = decodes
    record = model
    while !finishing.isEmpty { finishing.removeLast() }
    record.queueLength = Int32(truncatingIfNeeded: view.waitingCount)
    repeatStep(step, of: leap, in: &view)
  }

  /// Takes those that end with the step out of the sums, and those that decode after it in.
  mutating func pass(in view: inout InstanceView) {
    guard !hasPassed else { return }
    hasPassed = true
    if decode.sequences > 0 { view.leave(afterStep: decodeStep, into: &leaving) }
    if !finishing.isEmpty { view.join(finishing, afterStep: record.index) }
  }

  /// Ends the step: tokens are out, and memory is freed.
  mutating func end(in view: inout InstanceView) {
    view.now = record.end
    if !plan.tiles.isEmpty { attributePrefill(in: &view) }
    if decode.sequences > 0 { settle(in: &view) }
    pass(in: &view)
    if !leaving.isEmpty { closeAccounts(in: &view) }
    if !departing.isEmpty || !returning.isEmpty { closeDeparted(in: &view) }
    view.forgetGaps()
    if !finishing.isEmpty { view.completePrefill(finishing, step: record.index) }
    if !view.ended.isEmpty { view.releaseEnded() }
  }

  /// Adds up gaps and shares of the sequences that decoded.
  private mutating func settle(in view: inout InstanceView) {
    let gap = view.decoding.settle(decode, step: decodeStep, cost: cost, at: record.end)
    view.decoding.gaps.append(gap, step: decodeStep)
    view.news.stepGap = (gap, decode.sequences - fresh.count)
    if !bursts.isEmpty {
      for burst in bursts { view.advanceAccount(burst, lastStep: record.index) }
      bursts.removeAll(keepingCapacity: true)
    }
    if !compacted.isEmpty {
      for slot in compacted { view.settleEviction(of: slot) }
      compacted.removeAll(keepingCapacity: true)
    }
    guard !fresh.isEmpty else { return }
    for slot in fresh {
      let i = slot.index
      let own = record.end - view.sequences[i].lastTokenAt
      view.sequences[i].record.longestGap = max(view.sequences[i].record.longestGap, own)
      view.sequences[i].gapStep = decodeStep
      view.news.gaps.append(own)
    }
    fresh.removeAll(keepingCapacity: true)
  }

  /// Reports the sequences that wrote their last token.
  private mutating func closeAccounts(in view: inout InstanceView) {
    for slot in leaving {
      view.closeAccount(slot, lastStep: record.index)
      if view.sequences[slot.index].phase == .waiting {
        // It lost its memory while its last token was on its way.
        view.queue.remove(slot, in: &view.sequences)
      } else {
        view.returnMemoryAtEnd(slot)
      }
      view.complete(slot)
    }
    leaving.removeAll(keepingCapacity: true)
  }

  /// Settles the accounts of those that were preempted or left out while they took part in the step, and opens those of
  /// the ones that step again after it.
  private mutating func closeDeparted(in view: inout InstanceView) {
    for slot in departing {
      view.closeAccount(slot, lastStep: record.index)
      if view.sequences[slot.index].phase == .decoding, view.cache?.contents.hasOutputs == true {
        view.registerLeftOut(slot)
      }
      if view.sequences[slot.index].phase == .waiting { view.sequences[slot.index].lengthenPrompt() }
    }
    departing.removeAll(keepingCapacity: true)
    for slot in returning { view.openAccount(slot) }
    returning.removeAll(keepingCapacity: true)
  }

  /// Attributes to each prompt its share of the prefill: of what rows cost by tokens x layers, of attention by what its
  /// rows attend to.
  private mutating func attributePrefill(in view: inout InstanceView) {
    for i in plan.tiles.indices {
      let tile = plan.tiles[i]
      var (area, attended) = (tile.area, tile.attended)
      if view.hasProfile, let profile = view.profile {
        (area, attended) = (tileRows[i].area(tile, profile), tileRows[i].attended(tile, profile))
      }
      let rows = area / prefillArea
      view.sequences[tile.sequence.index].record.attribute(
        joules: cost.prefillRowJoules * rows + cost.prefillContextJoules * attended / prefillAttended,
        expertBytes: (cost.expertBytes - cost.decodeExpertBytes) * rows)
    }
  }
}
