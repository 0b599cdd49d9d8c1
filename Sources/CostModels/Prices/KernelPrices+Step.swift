import Serving
import Statistics
import Systems

extension KernelPrices {
  /// Prices a step, and adds what its kernels use to the ledger.
  mutating func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    if isPlainDecode(load), !ledger.logsSteps, ledger.byLayers == nil {
      return priceDecodeStep(load.decode, into: &cost, ledger: &ledger)
    }
    if ledger.logsSteps, ledger.step.isEmpty {
      ledger.step = Array(repeating: .zero, count: KernelKind.allCases.count)
    }
    guard load.profiles.isEmpty else { return priceProfiled(load, into: &cost, ledger: &ledger) }
    for i in load.bands.indices {
      let band = load.bands[i]
      if ledger.byLayers == nil {
        add(load, band, to: &cost, &ledger)
      } else {
        let before = cost
        add(load, band, to: &cost, &ledger)
        ledger.byLayers?.add(
          cost, since: before, layers: band.layers.count, hasPrefill: !band.segments.isEmpty)
      }
    }
    finish(load, cost: &cost, &ledger)
  }

  /// Whether a step decodes one row of each sequence and does nothing else, in layers that are alike.
  @inline(__always)
  private func isPlainDecode(_ load: borrowing StepLoad) -> Bool {
    load.prefillSequences == 0 && load.decode.sequences > 0 && load.decode.rows == load.decode.sequences
      && load.finishingSequences == 0 && load.profiles.isEmpty && !routesByLayer && load.bands.count == 1
      && load.bands[0].layers.count == layers
  }

  /// Adds the cost of some layers that all carry the same load.
  @inline(__always)
  mutating func add(
    _ load: borrowing StepLoad, _ band: LayerBand, to cost: inout StepCost, _ ledger: inout KernelLedger
  ) {
    if band.segments.isEmpty, !routesByLayer {
      addDecode(load.decode, layers: band.layers, to: &cost, &ledger)
    } else {
      addPrefill(load, load.decode, band, to: &cost, &ledger)
    }
  }

  /// Adds the cost of some layers that carry prefill, or whose experts are not those of other layers.
  ///
  /// - Complexity: O(prefill segments), and O(experts) for a prefill that is new.
  mutating func addPrefill(
    _ load: borrowing StepLoad, _ decode: DecodeLoad, _ band: LayerBand, to cost: inout StepCost,
    _ ledger: inout KernelLedger
  ) {
    let hasPrefill = !band.segments.isEmpty
    let range = band.layers
    let decodes = load.decode.rows
    let entry = hasPrefill ? recall(load.segments, band.segments) : 0
    let prefillRows = hasPrefill ? memo.entries[entry].rows : 0
    let rows = decodes + prefillRows
    let decodeShare = Double(decodes) / Double(rows)

    var total = Charge()
    var rowJoules = 0.0
    var computed = rows
    for kind in 0..<kinds {
      let layers = count(of: kind, in: range)
      guard layers > 0 else { continue }
      let depth = Double(layers)
      let place = Self.layerPlace(kind, carriesPrefill: hasPrefill)
      if !layerPrices[place].knows(rows) {
        layerPrices[place].learn(rows, layerPrice(rows: rows, carriesPrefill: hasPrefill, kind: kind))
      }
      ledger.uses[Self.layerUses(kind, carriesPrefill: hasPrefill)].count(rows, times: layers)
      let fixed = layerPrices[place].prices[rows]
      computed = fixed.computed
      cost.launchSeconds += fixed.issue * depth
      total.add(fixed.launch, times: depth)
      rowJoules += fixed.launch.joules * depth
      if ledger.logsSteps {
        logLayers(kind: kind, rows: rows, carriesPrefill: hasPrefill, times: depth, in: &ledger)
      }
    }

    if hasExperts {
      let layers = expertLayers(in: range)
      if !layers.isEmpty {
        rowJoules += addExpertTraffic(
          decodes: decodes, entry: hasPrefill ? entry : nil, computed: computed, layers: layers,
          draw: load.draw, decodeShare: decodeShare, to: &total, &cost, &ledger)
      }
    }

    if side != nil {
      addSide(decodes: decodes, entry: hasPrefill ? entry : nil, layers: range, to: &total, &cost, &ledger)
    }
    if decodes > 0 { addDecodeAttention(decode, layers: range, to: &total, &cost, &ledger) }
    if hasPrefill { addPrefillAttention(entry, layers: range, to: &total, &cost, &ledger) }
    charge(total, to: &cost)
    cost.decodeRowJoules += rowJoules * decodeShare * gpus
    cost.prefillRowJoules += rowJoules * (1 - decodeShare) * gpus
  }

  /// Adds the experts of some layers.
  ///
  /// - Returns: their energy on one GPU.
  @inline(__always)
  private mutating func addExpertTraffic(
    decodes: Int, entry: Int?, computed: Int, layers: Range<Int>, draw: UInt64, decodeShare: Double,
    to total: inout Charge, _ cost: inout StepCost, _ ledger: inout KernelLedger
  ) -> Joules {
    let (touched, launch) = priceExperts(
      decodes: decodes, entry: entry, computed: computed, layers: layers, draw: draw)
    let depth = Double(layers.count)
    total.add(launch, times: depth)
    ledger.totals[Self.expertTotal] += launch.values * depth
    if ledger.logsSteps { ledger.step[KernelKind.expertMLP.index] += launch.values * depth }
    let bytes = touched * expertBytes * gpus
    cost.experts += touched
    cost.expertBytes += bytes
    cost.decodeExpertBytes += bytes * decodeShare
    cost.weightBytes -= bytes
    return launch.joules * depth
  }

  /// Adds the experts of a layer of which one half has rows of its own.
  mutating func addExperts(
    decodes: Int, entry: Int, computed: Int, layers: Range<Int>, draw: UInt64, to total: inout Charge,
    _ cost: inout StepCost, _ ledger: inout KernelLedger
  ) {
    guard !layers.isEmpty else { return }
    let decodeShare = Double(decodes) / Double(decodes + memo.entries[entry].rows)
    let joules = addExpertTraffic(
      decodes: decodes, entry: entry, computed: computed, layers: layers, draw: draw,
      decodeShare: decodeShare, to: &total, &cost, &ledger)
    cost.decodeRowJoules += joules * decodeShare * gpus
    cost.prefillRowJoules += joules * (1 - decodeShare) * gpus
  }

  /// Adds the attention of the prefill rows, and the choice of their keys.
  @inline(__always)
  mutating func addPrefillAttention(
    _ entry: Int, layers range: Range<Int>, to total: inout Charge, _ cost: inout StepCost,
    _ ledger: inout KernelLedger
  ) {
    let windowed = Double(windowedBefore[range.upperBound] - windowedBefore[range.lowerBound])
    let full = Double(fullBefore[range.upperBound] - fullBefore[range.lowerBound])
    var launch = Launch()
    if full > 0 { launch.add(memo.entries[entry].attention, times: full) }
    if windowed > 0 { launch.add(memo.entries[entry].windowedAttention, times: windowed) }
    total.add(launch, times: 1)
    ledger.totals[Self.prefillTotal] += launch.values
    if ledger.logsSteps { ledger.step[KernelKind.prefillAttention.index] += launch.values }
    cost.prefillContextJoules += launch.joules * gpus
    if full > 0, profile?.keys != nil, memo.entries[entry].selection.calls > 0 {
      var index = Launch()
      index.add(memo.entries[entry].selection, times: full)
      total.add(index, times: 1)
      ledger.add(index, of: .selection)
      cost.prefillContextJoules += index.joules * gpus
    }
  }

  /// Adds the cost of some layers that decode and do nothing else.
  ///
  /// - Complexity: O(1).
  @inline(__always)
  mutating func addDecode(
    _ load: DecodeLoad, layers range: Range<Int>, to cost: inout StepCost, _ ledger: inout KernelLedger
  ) {
    if load.rows != latestDecodeBatch {
      learnDecodePrice(load.rows)
      latestDecodeBatch = load.rows
    }
    var total = Charge()
    for kind in 0..<kinds {
      let layers = count(of: kind, in: range)
      guard layers > 0 else { continue }
      let price = decodePrices[kind].prices[load.rows]
      ledger.uses[Self.layerUses(kind, carriesPrefill: false)].count(load.rows, times: layers)
      let depth = Double(layers)
      let experts = price.distinct * depth
      let bytes = experts * expertBytes * gpus
      cost.launchSeconds += price.issue * depth
      total.add(price.launch, times: depth)
      cost.experts += experts
      cost.expertBytes += bytes
      cost.decodeExpertBytes += bytes
      cost.weightBytes -= bytes
      cost.decodeRowJoules += price.launch.joules * depth * gpus
      if ledger.logsSteps {
        logLayers(kind: kind, rows: load.rows, carriesPrefill: false, times: depth, in: &ledger)
        ledger.step[KernelKind.expertMLP.index] += price.experts.values * depth
        if let side { ledger.step[side.kernel.index] += price.side.values * depth }
      }
    }
    addDecodeAttention(load, layers: range, to: &total, &cost, &ledger)
    charge(total, to: &cost)
  }

  /// Adds the ``SideKernels`` of some layers that carry prefill, or whose experts are not those of other layers.
  mutating func addSide(
    decodes: Int, entry: Int?, layers range: Range<Int>, to total: inout Charge, _ cost: inout StepCost,
    _ ledger: inout KernelLedger
  ) {
    guard let side else { return }
    let depth = Double(sideBefore[range.upperBound] - sideBefore[range.lowerBound])
    guard depth > 0 else { return }
    var sum = Launch()
    if decodes > 0 {
      learnDecodePrice(decodes)
      if let kind = kindHasSide.firstIndex(of: true) {
        let launch = decodePrices[kind].prices[decodes].side
        sum.add(launch, times: depth)
        cost.decodeRowJoules += launch.joules * depth * gpus
      }
    }
    if let entry {
      let launch = memo.entries[entry].side
      sum.add(launch, times: depth)
      cost.prefillContextJoules += launch.joules * depth * gpus
    }
    total.add(sum, times: 1)
    ledger.totals[Self.sideTotal] += sum.values
    if ledger.logsSteps { ledger.step[side.kernel.index] += sum.values }
  }

  /// Adds the attention of the decode rows.
  mutating func addDecodeAttention(
    _ load: DecodeLoad, layers range: Range<Int>, to total: inout Charge, _ cost: inout StepCost,
    _ ledger: inout KernelLedger
  ) {
    let windowed = Double(windowedBefore[range.upperBound] - windowedBefore[range.lowerBound])
    let full = Double(fullBefore[range.upperBound] - fullBefore[range.lowerBound])
    if load != latestDecode.load { priceDecodeAttention(load) }
    // Added up first, as a run does it, so that the ledger comes to the same.
    var tally = SIMD8<Double>.zero
    if full > 0 {
      let launch = latestDecode.full
      total.add(unclocked: launch, times: full)
      tally += launch.values * full
      cost.decodeContextJoules += launch.joules * full * gpus
    }
    if windowed > 0 {
      let launch = latestDecode.windowed
      total.add(unclocked: launch, times: windowed)
      tally += launch.values * windowed
      let joules = launch.joules * windowed * gpus
      if windowedAttention.hasIndexer {
        cost.decodeContextJoules += joules
      } else {
        cost.decodeRowJoules += joules
      }
    }
    ledger.totals[Self.decodeTotal] += tally
    if ledger.logsSteps { ledger.step[KernelKind.decodeAttention.index] += tally }
  }

  private mutating func priceDecodeAttention(_ load: DecodeLoad) {
    learnAttentionLaws(load.sequences)
    latestDecode.load = load
    latestDecode.full = attentionLaws.prices[load.sequences].full.launch(
      context: load.context, indexed: load.context)
    guard slidingWindow != nil else { return }
    latestDecode.windowed = attentionLaws.prices[load.sequences].windowed.launch(
      context: load.windowContext, indexed: load.context)
  }

  /// Adds the kernels before and after the layers, and the host's time.
  @inline(__always)
  mutating func finish(
    _ load: borrowing StepLoad, cost: inout StepCost, _ ledger: inout KernelLedger
  ) {
    let (decodes, decodeRows) = (load.decode.sequences, load.decode.rows)
    let repeats = repeatsEmbeddingAndHead
    let entering = decodeRows + (repeats ? load.prefillRows : load.enteringRows)
    let leaving =
      (samplesOneRow ? decodes : decodeRows)
      + (repeats ? load.prefillSequences : load.finishingSequences)
    if entering != latestEntering || leaving != latestLeaving {
      learnPrices(before: entering, after: leaving)
      latestEntering = entering
      latestLeaving = leaving
      latestBefore = beforePrices.prices[entering]
      latestAfter = afterPrices.prices[leaving]
    }
    ledger.uses[Self.beforeUses].count(entering, times: 1)
    ledger.uses[Self.afterUses].count(leaving, times: 1)
    charge(latestBefore.charge, to: &cost)
    charge(latestAfter.charge, to: &cost)
    if ledger.logsSteps {
      rowKernels.forEachBefore(rowsBesideLayers(entering)) { ledger.step[$0.index] += $1.values }
      rowKernels.forEachAfter(rowsBesideLayers(leaving)) { ledger.step[$0.index] += $1.values }
    }
    cost.hostSeconds = host.preparation(
      decodes: decodes, prefills: load.prefillSequences, enteringTokens: load.enteringRows,
      partialDepthTokens: load.hasPartialDepth ? load.prefillRows : nil)
    cost.exposedSeconds = host.exposed(sequences: decodes + load.prefillSequences)
    let joules = (latestBefore.joules + latestAfter.joules) * gpus
    let decodeShare = Double(decodeRows) / Double(decodeRows + load.prefillRows)
    cost.decodeRowJoules += joules * decodeShare
    cost.prefillRowJoules += joules * (1 - decodeShare)
  }

  /// The experts of some layers; the stages of a cohort mostly ask for the same.
  @inline(__always)
  private mutating func priceExperts(
    decodes: Int, entry: Int?, computed: Int, layers range: Range<Int>, draw: UInt64
  ) -> (touched: Double, launch: Launch) {
    if let entry, !routesByLayer, memo.entries[entry].experts.decodes == decodes,
      memo.entries[entry].experts.layers == range.count
    {
      return (memo.entries[entry].experts.touched, memo.entries[entry].experts.launch)
    }
    let touched = distinctExperts(decodes: decodes, entry: entry, layers: range, draw: draw)
    let launch =
      experts?.launch(
        rows: computed, active: touched / Double(range.count), carriesPrefill: entry != nil) ?? Launch()
    if let entry {
      memo.entries[entry].experts.decodes = decodes
      memo.entries[entry].experts.layers = range.count
      memo.entries[entry].experts.touched = touched
      memo.entries[entry].experts.launch = launch
    }
    return (touched, launch)
  }

  /// Distinct experts of one MoE call in each of some layers, summed over the layers.
  ///
  /// Names of steps matter where experts are drawn: with the seed and the first of the layers they decide what is drawn.
  func distinctExperts(decodes: Int, entry: Int?, layers range: Range<Int>, draw: UInt64) -> Double {
    guard let routing = routing?.law else { return 0 }
    guard let drawSeed else {
      guard let entry else { return routing.distinct(layers: range, decodes: decodes) }
      return routing.distinct(layers: range, decodes: decodes, misses: memo.entries[entry].misses)
    }
    let count =
      entry.map { routing.count(layers: range, decodes: decodes, misses: memo.entries[$0].misses) }
      ?? routing.count(layers: range, decodes: decodes)
    var generator = SplitMix64(seed: drawSeed, purpose: "routing", place: draw, UInt64(range.lowerBound))
    return routing.draw(count, layers: range.count, using: &generator)
  }

  /// Finds what is known of a prefill, or works it out.
  ///
  /// - Returns: the index of its entry in ``memo``.
  mutating func recall(_ segments: [PrefillSegment], _ range: Range<Int>) -> Int {
    let (entry, isKnown) = memo.entry(segments, range)
    guard !isKnown else { return entry }
    if let keys = profile?.keys {
      memo.entries[entry].attention = keys.launch(segments.span.extracting(range), whole: attention)
      memo.entries[entry].selection = keys.index(segments.span.extracting(range))
    } else {
      memo.entries[entry].attention = attention.prefill(segments.span.extracting(range))
    }
    if let side { memo.entries[entry].side = side.prefill(segments.span.extracting(range)) }
    if slidingWindow != nil {
      memo.entries[entry].windowedAttention = windowedAttention.prefill(segments.span.extracting(range))
    }
    if let routing {
      Self.gather(routing.law, tokens: memo.entries[entry].tokens, into: &memo.entries[entry].misses)
    }
    return entry
  }

  private static func gather(
    _ routing: borrowing ExpertRouting, tokens: [Int32], into misses: inout ExpertMisses
  ) {
    routing.gather(tokens.span, into: &misses)
  }

  @inline(__always)
  func charge(_ total: Charge, to cost: inout StepCost) {
    cost.kernelSeconds += total.seconds
    cost.clockedSeconds += total.clocked[0]
    cost.clockedJoules += total.clocked[1] * gpus
    cost.weightBytes += total.weightBytes * gpus
    cost.kvBytes += total.kvBytes * gpus
    cost.activationBytes += total.activationBytes * gpus
  }
}
