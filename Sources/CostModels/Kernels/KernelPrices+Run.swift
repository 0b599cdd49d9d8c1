import Serving
import Systems

extension KernelPrices {
  /// Prices the steps of a run, with everything looked up once that depends on the number of sequences alone.
  ///
  /// The arithmetic is that of a single step, in the same order. What attention uses is kept of each step, so that those
  /// steps can be counted that are taken in the end.
  ///
  /// - Complexity: O(steps).
  mutating func price(_ run: inout DecodeRun) {
    let batch = run.decodes
    learnDecodePrice(batch)
    learnAttentionLaws(batch)
    learnPrices(before: batch, after: batch)
    let laws = attentionLaws.prices[batch]
    let before = beforePrices.prices[batch]
    let after = afterPrices.prices[batch]
    let windowed = Double(windowedBefore[layers])
    let full = Double(fullBefore[layers])
    let preparation = host.preparation(decodes: batch, prefills: 0, enteringTokens: 0)

    var fixed = Charge()
    var template = StepCost()
    for kind in 0..<kinds {
      let layer = decodePrices[kind].prices[batch]
      let depth = Double(count(of: kind, in: 0..<layers))
      fixed.add(layer.launch, times: depth)
      let expertTraffic = layer.distinct * depth * expertBytes * gpus
      template.launchSeconds += layer.issue * depth
      template.experts += layer.distinct * depth
      template.expertBytes += expertTraffic
      template.decodeExpertBytes += expertTraffic
      template.weightBytes -= expertTraffic
      template.decodeRowJoules += layer.launch.joules * depth * gpus
    }
    template.hostSeconds = preparation
    template.exposedSeconds = host.exposed(sequences: batch)

    // Weights and activations do not depend on the contexts, so they are the same in all steps.
    var moved = fixed
    if full > 0 { moved.add(unclocked: laws.full.launch(context: 0, indexed: 0), times: full) }
    if windowed > 0 { moved.add(unclocked: laws.windowed.launch(context: 0, indexed: 0), times: windowed) }
    func addMoved(_ charge: Charge) {
      template.weightBytes += charge.weightBytes * gpus
      template.activationBytes += charge.activationBytes * gpus
    }
    addMoved(moved)
    addMoved(before.charge)
    addMoved(after.charge)
    // Attention of decode rows is bound by memory.
    template.clockedSeconds = fixed.clocked[0] + before.clocked[0] + after.clocked[0]
    template.clockedJoules =
      fixed.clocked[1] * gpus + before.clocked[1] * gpus + after.clocked[1] * gpus

    let steps = run.makeRoom()
    let first = run.context + steps.lowerBound * batch
    Self.fill(
      &run.costs, &run.tallies, steps, template: template, fixed: fixed,
      full: (full, laws.full), windowed: (windowed, laws.windowed), context: first, batch: batch,
      windows: run.windowContexts, ends: (before, after), gpus: gpus)
  }

  private static func fill(
    _ costs: inout [StepCost], _ tallies: inout [SIMD8<Double>], _ steps: Range<Int>, template: StepCost,
    fixed: Charge, full: (layers: Double, law: DecodeAttentionLaw),
    windowed: (layers: Double, law: DecodeAttentionLaw), context first: Tokens, batch: Int, windows: [Tokens],
    ends: (before: Launch, after: Launch), gpus: Double
  ) {
    var costs = costs.mutableSpan
    var tallies = tallies.mutableSpan
    var context = first
    for step in steps {
      var cost = template
      var total = fixed
      var tally = SIMD8<Double>.zero
      if full.layers > 0 {
        let launch = full.law.launch(context: context, indexed: context)
        total.add(unclocked: launch, times: full.layers)
        tally += launch.values * full.layers
        cost.decodeContextJoules += launch.joules * full.layers * gpus
      }
      if windowed.layers > 0 {
        let launch = windowed.law.launch(context: windows[step], indexed: context)
        total.add(unclocked: launch, times: windowed.layers)
        tally += launch.values * windowed.layers
        let joules = launch.joules * windowed.layers * gpus
        if windowed.law.hasIndexer {
          cost.decodeContextJoules += joules
        } else {
          cost.decodeRowJoules += joules
        }
      }
      cost.kernelSeconds = total.seconds + ends.before.seconds + ends.after.seconds
      cost.kvBytes = total.kvBytes * gpus + ends.before.kvBytes * gpus + ends.after.kvBytes * gpus
      cost.decodeRowJoules += (ends.before.joules + ends.after.joules) * gpus
      costs[step] = cost
      tallies[step] = tally
      context += batch
    }
  }

  /// Counts some of a run's priced steps.
  ///
  /// - Complexity: O(steps).
  mutating func count(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger) {
    var total = ledger.totals[Self.decodeTotal]
    for step in steps { total += run.tallies[step] }
    ledger.totals[Self.decodeTotal] = total
    for kind in 0..<kinds {
      ledger.uses[Self.decodeUses(kind)].count(
        run.decodes, times: count(of: kind, in: 0..<layers) * steps.count)
    }
    ledger.uses[Self.beforeUses].count(run.decodes, times: steps.count)
    ledger.uses[Self.afterUses].count(run.decodes, times: steps.count)
  }
}
