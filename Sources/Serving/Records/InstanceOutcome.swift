/// What an instance leaves behind at the end of a run, beside what the recorder was told.
public struct InstanceOutcome: Sendable {
  /// What each of its kernels has used; see ``Instance/kernels``.
  public let kernels: [KernelUse]
  /// What layers used by what they carry; `nil` unless it was asked for.
  public let layerUses: LayerUses?
  /// How much of its stages' time was used; `nil` without stages.
  public let pipelineUse: PipelineUse?
  /// When its last step ended.
  public let busyUntil: Seconds
  private let idleSeconds: Seconds
  private let idleWatts: Double

  init(_ instance: Instance) {
    kernels = instance.kernels
    layerUses = instance.ledger.byLayers
    pipelineUse = instance.pipelineUse
    busyUntil = instance.view.busyUntil
    idleSeconds = instance.idleSeconds
    idleWatts = instance.idleWatts
  }

  /// What each kernel used, over all instances, and in what is no instance's own.
  public static func kernels(of outcomes: [InstanceOutcome], and further: [KernelUse] = []) -> [KernelUse] {
    var totals: [KernelUse] = []
    for use in outcomes.flatMap(\.kernels) + further {
      if let i = totals.firstIndex(where: { $0.kernel == use.kernel }) {
        totals[i] += use
      } else {
        totals.append(use)
      }
    }
    return totals
  }

  /// What layers used by what they carry, over all instances; `nil` unless it was asked for.
  public static func layerUses(of outcomes: [InstanceOutcome]) -> LayerUses? {
    outcomes.reduce(nil) { total, outcome in
      guard let uses = outcome.layerUses else { return total }
      return total.map { $0 + uses } ?? uses
    }
  }

  /// Energy that instances drew while they had nothing to do, until the last step of all ended, in joules.
  public static func idleJoules(of outcomes: [InstanceOutcome]) -> Joules {
    let end = outcomes.reduce(0) { max($0, $1.busyUntil) }
    return outcomes.reduce(0) { $0 + ($1.idleSeconds + max(0, end - $1.busyUntil)) * $1.idleWatts }
  }
}
