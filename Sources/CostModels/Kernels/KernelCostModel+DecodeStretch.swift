import Serving
import Systems

extension KernelCostModel {
  /// Prices the steps of a stretch, with everything looked up once that depends on the number of sequences alone.
  ///
  /// The arithmetic is that of ``add(_:prefill:layers:to:)`` and ``finish(_:cost:)``, in the same order. What is kept
  /// aside for the totals is noted once for all steps where the order does not matter: the counts of calls.
  ///
  /// - Complexity: O(steps).
  public mutating func price(_ stretch: inout DecodeStretch) {
    let batch = stretch.decodes
    guard !routesByLayer, !logsKernels else { return priceOneByOne(&stretch) }
    learnDecodePrice(batch)
    learnAttentionLaws(batch)
    learnPrices(before: batch, after: batch)
    let layer = decodePrices.prices[batch]
    let laws = attentionLaws.prices[batch]
    let before = beforePrices.prices[batch]
    let after = afterPrices.prices[batch]
    let depth = Double(layers)
    let windowed = Double(windowedBefore[layers])
    let full = depth - windowed
    let issue = layer.issue * depth
    let preparation = host.preparation(decodes: batch, prefills: 0, enteringTokens: 0, hasPartialDepth: false)
    var fixed = Charge()
    fixed.add(layer.launch, times: depth)

    var template = Cost()
    let expertTraffic = layer.distinct * depth * expertBytes * gpus
    template.experts = layer.distinct * depth
    template.expertBytes = expertTraffic
    template.decodeExpertBytes = expertTraffic
    template.weightBytes = -expertTraffic
    template.decodeRowJoules = layer.launch.joules * depth * gpus

    // Weights and activations do not depend on the contexts, so they are the same in all steps.
    var moved = fixed
    if full > 0 { moved.add(laws.full.launch(context: 0), times: full) }
    if windowed > 0 { moved.add(laws.windowed.launch(context: 0), times: windowed) }
    func addMoved(_ charge: Charge) {
      template.weightBytes += charge.weightBytes * gpus
      template.activationBytes += charge.activationBytes * gpus
    }
    addMoved(moved)
    addMoved(before.charge)
    addMoved(after.charge)

    var now = stretch.start
    var context = stretch.context
    var attentionTotal = decodeTotal
    let first = stretch.costs.count
    while stretch.costs.count < stretch.limit, now < stretch.horizon {
      var cost = template
      var total = fixed
      if full > 0 {
        let launch = laws.full.launch(context: context)
        total.add(launch, times: full)
        attentionTotal.add(launch, times: full)
        cost.decodeContextJoules += launch.joules * full * gpus
      }
      if windowed > 0 {
        let launch = laws.windowed.launch(context: stretch.windowContexts[stretch.costs.count])
        total.add(launch, times: windowed)
        attentionTotal.add(launch, times: windowed)
        cost.decodeRowJoules += launch.joules * windowed * gpus
      }
      cost.kernelSeconds = total.seconds + before.seconds + after.seconds
      cost.kvBytes = total.kvBytes * gpus + before.kvBytes * gpus + after.kvBytes * gpus
      cost.seconds = max(cost.kernelSeconds, issue) + preparation
      cost.decodeRowJoules += (before.joules + after.joules + power.idleWatts * cost.seconds) * gpus
      stretch.costs.append(cost)
      now += cost.seconds
      context += batch
    }
    decodeTotal = attentionTotal
    let steps = stretch.costs.count - first
    decodePrices.note(batch, times: layers * steps)
    beforePrices.note(batch, times: steps)
    afterPrices.note(batch, times: steps)
  }
}
