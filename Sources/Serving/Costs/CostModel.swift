/// Predicts what a step costs on some model, GPU and serving engine.
///
/// Pricing is a question: the same load always has the same cost, and asking changes no answer. What the kernels of a
/// step used is added to the ledger that the caller hands in; a caller who only asks throws the ledger away.
///
/// A cost model may remember what it has worked out. It belongs to one thread, and equal instances share it.
public protocol CostModel: AnyObject {
  /// Number of transformer layers.
  var layers: Int { get }
  /// Positions that a layer with sliding-window attention sees; `nil` if no layer has one.
  var slidingWindow: Tokens? { get }
  /// Layers that differ from the one before, for which ranks of a step that all take together wait for each other anew.
  var changes: [Int] { get }
  /// Power that all GPUs of the instance draw while they wait, in watts.
  var idleWatts: Double { get }
  /// Prices a step, and adds what its kernels use to the ledger.
  ///
  /// - Parameters:
  ///   - load: what the step works on.
  ///   - cost: what it costs; a fresh ``StepCost`` before the call.
  ///   - ledger: from this cost model's ``makeLedger()``.
  func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger)
  /// Prices what one of the ranks does in a step that all take together, and what its rows have of the experts.
  ///
  /// - Parameters:
  ///   - load: what the rank works on.
  ///   - rank: its number among the ranks.
  ///   - step: the step, which takes note of the times.
  ///   - cost: what the rank needs by itself; a fresh ``StepCost`` before the call.
  ///   - ledger: the rank's.
  func price(
    _ load: borrowing StepLoad, of rank: Int, in step: inout SharedStep, into cost: inout StepCost,
    ledger: inout KernelLedger)
  /// Prices the steps of a run that are not priced yet, with ``DecodeRun/makeRoom()``.
  ///
  /// The costs are, to the last bit, what ``price(_:into:ledger:)`` makes of each step. Nothing is counted.
  func price(_ run: inout DecodeRun)
  /// Adds what the kernels of some of a run's priced steps used to the ledger.
  func count(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger)
  /// What each kernel used, as a ledger has it.
  func kernels(in ledger: borrowing KernelLedger) -> [KernelUse]
  /// What each kernel used in the step priced last, if the ledger logs steps; the ledger forgets it.
  func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse]
}

extension CostModel {
  /// None: all layers are alike.
  public var changes: [Int] { [] }

  /// Prices the steps one by one.
  ///
  /// - Complexity: O(steps x what ``price(_:into:ledger:)`` takes).
  public func price(_ run: inout DecodeRun) { priceOneByOne(&run) }

  /// Prices the steps one by one; for cost models that have a faster way for some runs only.
  public func priceOneByOne(_ run: inout DecodeRun) {
    var ledger = KernelLedger()
    var load = StepLoad()
    for step in run.makeRoom() {
      fill(&load, step, of: run)
      load.draw = run.draw + UInt64(step)
      var cost = StepCost()
      price(load, into: &cost, ledger: &ledger)
      guard run.keep(cost, ofStep: step) else { return }
    }
  }

  private func fill(_ load: inout StepLoad, _ step: Int, of run: borrowing DecodeRun) {
    let decode = run.load(ofStep: step)
    if let profile = run.profile {
      load.fill(decode: decode, missing: run.missing, tiles: [], rows: [], layers: layers, profile: profile)
    } else {
      load.fill(decode: decode, tiles: [], layers: layers)
    }
  }

  /// Prices the steps once more, into the ledger.
  public func count(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger) {
    countOneByOne(run, steps: steps, ledger: &ledger)
  }

  /// Prices the steps once more, into the ledger; for cost models that have a faster way for some runs only.
  public func countOneByOne(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger) {
    var load = StepLoad()
    for step in steps {
      fill(&load, step, of: run)
      load.draw = run.draw + UInt64(step)
      var cost = StepCost()
      price(load, into: &cost, ledger: &ledger)
    }
  }

  /// Prices the rank as an instance of its own.
  public func price(
    _ load: borrowing StepLoad, of rank: Int, in step: inout SharedStep, into cost: inout StepCost,
    ledger: inout KernelLedger
  ) {
    price(load, into: &cost, ledger: &ledger)
    step.noteEnds(seconds: cost.kernelSeconds, clocked: cost.clockedSeconds)
    step.note(cost)
  }

  /// Nothing.
  public func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] { [] }

  /// Nothing.
  public func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] { [] }
}
