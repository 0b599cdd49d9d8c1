import Serving
import Synchronization

/// A cost model that prices as another does, and adds up what each group of layers used.
package struct LayerGroupMeter: CostModel {
  /// The sums, which outlive the simulation.
  package final class Totals: Sendable {
    private let uses = Mutex<[LayerGroup: LayerGroupUse]>([:])

    /// What a group used.
    package subscript(group: LayerGroup) -> LayerGroupUse { uses.withLock { $0[group] ?? LayerGroupUse() } }

    fileprivate func add(_ cost: Cost, since before: Cost, layers: Int, to group: LayerGroup) {
      uses.withLock { $0[group, default: LayerGroupUse()].add(cost, since: before, layers: layers) }
    }
  }

  private var base: any CostModel
  private let totals: Totals

  package init(_ base: any CostModel, totals: Totals) {
    self.base = base
    self.totals = totals
  }

  package var layers: Int { base.layers }
  package var kvBlocks: Int { base.kvBlocks }
  package var blockSize: Int { base.blockSize }
  package var slidingWindow: Tokens? { base.slidingWindow }
  package var idleWatts: Double { base.idleWatts }
  package var kernels: [KernelUse] { base.kernels }
  package var logsKernels: Bool {
    get { base.logsKernels }
    set { base.logsKernels = newValue }
  }

  package mutating func add(
    _ load: LayerLoad, prefill: Span<PrefillSegment>, layers: Range<Int>, to cost: inout Cost
  ) {
    let before = cost
    base.add(load, prefill: prefill, layers: layers, to: &cost)
    totals.add(
      cost, since: before, layers: layers.count, to: prefill.isEmpty ? .decodeOnly : .withPrefill)
  }

  package mutating func finish(_ shape: IterationShape, cost: inout Cost) { base.finish(shape, cost: &cost) }

  package mutating func takeIterationKernels() -> [KernelUse] { base.takeIterationKernels() }
}
