/// Prices plans that may never be made.
///
/// What it works with is its own, so that asking leaves no trace in an instance.
final class Estimator {
  private let costModel: any CostModel
  /// Begins the names of the instance's steps.
  let firstDraw: UInt64
  private var load = StepLoad()
  private var ledger = KernelLedger()

  init(_ costModel: any CostModel, instance: Int) {
    self.costModel = costModel
    firstDraw = UInt64(instance) &<< 48
  }

  func estimate(_ plan: borrowing StepPlan, in view: InstanceView) -> StepCost {
    var decode = DecodeLoad()
    if plan.decodes > 0 {
      let isWhole =
        view.rules.order == .byEntry
        || plan.victims == 0 && plan.leftOut.isEmpty && view.leftOut.isEmpty
          && plan.decodes == view.decoding.stepping
      decode = isWhole ? view.decodeLoad(steppers: plan.decodes) : view.decodeLoad(of: plan)
    }
    if let profile = view.profile {
      load.fill(
        decode: decode, missing: view.missing(in: plan), tiles: plan.tiles,
        rows: plan.tiles.map { view.rows(of: $0, profile) }, layers: view.layers, profile: profile)
    } else {
      load.fill(decode: decode, tiles: plan.tiles, layers: view.layers)
    }
    for tile in plan.tiles where tile.layers.upperBound == view.layers {
      let planned = plan.victims > 0 ? plan.admitted.first { $0.slot == tile.sequence } : nil
      let tokens = planned?.tokens ?? view.prompt(tile.sequence).tokens
      if tile.tokens.upperBound == tokens { load.finishingSequences += 1 }
    }
    if view.encodesImages { load.images = view.images(beginningWith: plan.tiles) }
    if let rule = view.retention { load.retention = retentionLoad(of: plan, in: view, rule) }
    load.draw = firstDraw + UInt64(view.step)
    var cost = StepCost()
    costModel.price(load, into: &cost, ledger: &ledger)
    if plan.loadSeconds > 0 { cost.exposedSeconds += plan.loadSeconds }
    return cost
  }

  private func retentionLoad(
    of plan: borrowing StepPlan, in view: InstanceView, _ rule: Retention
  ) -> RetentionLoad {
    let absent = Set(plan.leftOut).union(plan.victimSlots)
    let victims = plan.victimSlots.isEmpty ? plan.victims : 0
    let present = view.decodersInOrder().dropLast(victims).filter { !absent.contains($0) }
    var finishing: [Tokens] = []
    for tile in plan.tiles where tile.layers.upperBound == view.layers {
      let planned = plan.victims > 0 ? plan.admitted.first { $0.slot == tile.sequence } : nil
      let tokens = planned?.tokens ?? view.prompt(tile.sequence).tokens
      if tile.tokens.upperBound == tokens { finishing.append(tokens) }
    }
    return view.retentionLoad(steppers: present.prefix(plan.decodes), finishing: finishing, rule)
  }
}

extension InstanceView {
  /// What a step by this plan would take.
  ///
  /// It is, to the last bit, the price of the step if the plan is made; where the power limit binds, the instance's
  /// ``StepClock`` makes the step longer than that. Asking leaves no trace.
  ///
  /// - Complexity: that of ``CostModel/price(_:into:ledger:)``.
  public func estimate(_ plan: borrowing StepPlan) -> StepCost { estimator.estimate(plan, in: self) }
}
