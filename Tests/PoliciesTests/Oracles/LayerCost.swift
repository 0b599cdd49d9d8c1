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
  /// Adds the cost of some layers whose rows behind the attention are others than those in front, and of rows that are scored.
  func add(
    _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, feedForward: ArraySlice<PrefillSegment>,
    scored: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost)
  /// Adds what a step costs beside its layers.
  func finish(_ load: borrowing StepLoad, cost: inout StepCost)
}

extension LayerCost {
  /// As if rows behind the attention were those in front.
  func add(
    _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, feedForward: ArraySlice<PrefillSegment>,
    scored: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
  ) {
    add(load, prefill: prefill, layers: layers, to: &cost)
  }

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
    for (i, band) in load.bands.enumerated() {
      let prefill = load.segments[band.segments]
      guard !load.profiles.isEmpty else {
        base.add(load.decode, prefill: prefill, layers: band.layers, to: &cost)
        continue
      }
      let profile = load.profiles[i]
      var decode = load.decode
      decode.context -= profile.missing
      decode.windowContext = min(decode.windowContext, decode.context)
      base.add(
        decode, prefill: prefill, feedForward: load.segments[profile.feedForward],
        scored: load.segments[profile.scored], layers: band.layers, to: &cost)
    }
    base.finish(load, cost: &cost)
  }
}
