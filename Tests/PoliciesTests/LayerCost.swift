import Serving

/// A cost that is stated layer by layer.
protocol LayerCost {
  var layers: Int { get }
  var kvBlocks: Int { get }
  var blockSize: Int { get }
  var slidingWindow: Tokens? { get }
  var idleWatts: Double { get }
  /// Adds the cost of some layers that all carry the same load.
  func add(
    _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost)
  /// Adds what a step costs beside its layers.
  func finish(_ load: borrowing StepLoad, cost: inout StepCost)
}

extension LayerCost {
  /// As the engine takes it.
  var model: Priced<Self> { Priced(self) }
  /// The memory that goes with it.
  var memory: KVMemory { KVMemory(blocks: kvBlocks, blockSize: blockSize) }
}

/// A layer's cost as a cost model.
final class Priced<Base: LayerCost>: CostModel {
  let base: Base

  init(_ base: Base) { self.base = base }

  var layers: Int { base.layers }
  var slidingWindow: Tokens? { base.slidingWindow }
  var idleWatts: Double { base.idleWatts }

  func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    for band in load.bands {
      base.add(load.decode, prefill: load.segments[band.segments], layers: band.layers, to: &cost)
    }
    base.finish(load, cost: &cost)
  }
}
