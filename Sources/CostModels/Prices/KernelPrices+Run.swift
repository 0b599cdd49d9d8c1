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
    if template.batch != run.decodes { template = makeTemplate(run.decodes) }
    run.common = template.common
    let steps = run.makeRoom()
    Self.fill(
      &run.steps, &run.tallies, steps, template: template,
      context: run.context + steps.lowerBound * run.decodes,
      batch: run.decodes, windows: run.windowContexts)
  }

  private static func fill(
    _ costs: inout [DecodeStep], _ tallies: inout [SIMD8<Double>], _ steps: Range<Int>,
    template: DecodeTemplate, context first: Tokens, batch: Int, windows: [Tokens]
  ) {
    var costs = costs.mutableSpan
    var tallies = tallies.mutableSpan
    var context = first
    for step in steps {
      let (cost, attention) = template.step(context: context, window: windows.isEmpty ? 0 : windows[step])
      costs[step] = cost
      tallies[step] = attention
      context += batch
    }
  }

  /// Prices a step that decodes and does nothing else, one row of each sequence.
  mutating func priceDecodeStep(
    _ load: DecodeLoad, into cost: inout StepCost, ledger: inout KernelLedger
  ) {
    if template.batch != load.sequences { template = makeTemplate(load.sequences) }
    let (step, attention) = template.step(context: load.context, window: load.windowContext)
    cost = template.common
    step.fill(&cost)
    ledger.totals[Self.decodeTotal] += attention
    countDecodes(load.sequences, steps: 1, in: &ledger)
  }

  private mutating func makeTemplate(_ batch: Int) -> DecodeTemplate {
    learnDecodePrice(batch)
    learnAttentionLaws(batch)
    learnPrices(before: batch, after: batch)
    var template = DecodeTemplate(laws: attentionLaws.prices[batch], gpus: gpus)
    template.batch = batch
    template.before = beforePrices.prices[batch]
    template.after = afterPrices.prices[batch]
    template.windowedLayers = Double(windowedBefore[layers])
    template.fullLayers = Double(fullBefore[layers])

    var fixed = Charge()
    var common = StepCost()
    for kind in 0..<kinds {
      let layer = decodePrices[kind].prices[batch]
      let depth = Double(count(of: kind, in: 0..<layers))
      fixed.add(layer.launch, times: depth)
      let expertTraffic = layer.distinct * depth * expertBytes * gpus
      common.launchSeconds += layer.issue * depth
      common.experts += layer.distinct * depth
      common.expertBytes += expertTraffic
      common.decodeExpertBytes += expertTraffic
      common.weightBytes -= expertTraffic
      common.decodeRowJoules += layer.launch.joules * depth * gpus
    }
    common.hostSeconds = host.preparation(decodes: batch, prefills: 0, enteringTokens: 0)
    common.exposedSeconds = host.exposed(sequences: batch)

    // Weights and activations do not depend on the contexts, so they are the same in all steps.
    let (before, after) = (template.before.charge, template.after.charge)
    var moved = fixed
    if template.fullLayers > 0 {
      moved.add(
        unclocked: template.laws.full.launch(context: 0, indexed: 0), times: template.fullLayers)
    }
    if template.windowedLayers > 0 {
      moved.add(
        unclocked: template.laws.windowed.launch(context: 0, indexed: 0), times: template.windowedLayers)
    }
    for charge in [moved, before, after] {
      common.weightBytes += charge.weightBytes * gpus
      common.activationBytes += charge.activationBytes * gpus
    }
    // Attention of decode rows is bound by memory.
    common.clockedSeconds = fixed.clocked[0] + before.clocked[0] + after.clocked[0]
    common.clockedJoules =
      fixed.clocked[1] * gpus + before.clocked[1] * gpus + after.clocked[1] * gpus
    template.fixed = fixed
    template.common = common
    return template
  }

  /// Counts some of a run's priced steps.
  ///
  /// - Complexity: O(steps).
  mutating func count(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger) {
    var total = ledger.totals[Self.decodeTotal]
    for step in steps { total += run.tallies[step] }
    ledger.totals[Self.decodeTotal] = total
    countDecodes(run.decodes, steps: steps.count, in: &ledger)
  }

  /// Counts the kernels of decode steps that do not depend on contexts.
  @inline(__always)
  private func countDecodes(_ batch: Int, steps: Int, in ledger: inout KernelLedger) {
    for kind in 0..<kinds {
      ledger.uses[Self.layerUses(kind, carriesPrefill: false)].count(
        batch, times: count(of: kind, in: 0..<layers) * steps)
    }
    ledger.uses[Self.beforeUses].count(batch, times: steps)
    ledger.uses[Self.afterUses].count(batch, times: steps)
  }
}
