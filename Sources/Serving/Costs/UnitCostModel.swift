/// Every step takes one second, whatever it works on.
///
/// Times are then numbers of steps: what is left of a run is its schedule.
public final class UnitCostModel: CostModel {
  /// Number of transformer layers.
  public let layers: Int
  /// None: contexts do not matter.
  public var slidingWindow: Tokens? { nil }
  /// None.
  public var idleWatts: Double { 0 }

  /// Creates the model.
  public init(layers: Int = 1) { self.layers = layers }

  /// One second.
  public func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    cost.kernelSeconds = 1
  }

  /// One second each.
  public func price(_ run: inout DecodeRun) {
    run.common = StepCost()
    for step in run.makeRoom() { run.steps[step].kernelSeconds = 1 }
  }

  /// Nothing is counted.
  public func count(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger) {}
}
