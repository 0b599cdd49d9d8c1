import Serving
import Synchronization

/// A cost model that prices as another does, and adds up what each group of layers used.
struct LayerGroupMeter: CostModel {
  /// The sums, which outlive the simulation.
  final class Totals: Sendable {
    private let uses = Mutex<[LayerGroup: LayerGroupUse]>([:])

    /// What a group used.
    subscript(group: LayerGroup) -> LayerGroupUse { uses.withLock { $0[group] ?? LayerGroupUse() } }

    fileprivate func add(_ cost: Cost, since before: Cost, layers: Int, to group: LayerGroup) {
      uses.withLock { $0[group, default: LayerGroupUse()].add(cost, since: before, layers: layers) }
    }
  }

  private var base: any CostModel
  private let totals: Totals

  init(_ base: any CostModel, totals: Totals) {
    self.base = base
    self.totals = totals
  }

  var layers: Int { base.layers }
  var kvBlocks: Int { base.kvBlocks }
  var blockSize: Int { base.blockSize }
  var slidingWindow: Tokens? { base.slidingWindow }
  var idleWatts: Double { base.idleWatts }
  var kernels: [KernelUse] { base.kernels }
  var logsKernels: Bool {
    get { base.logsKernels }
    set { base.logsKernels = newValue }
  }

  mutating func add(_ load: LayerLoad, prefill: Span<PrefillSegment>, layers: Range<Int>, to cost: inout Cost)
  {
    let before = cost
    base.add(load, prefill: prefill, layers: layers, to: &cost)
    totals.add(
      cost, since: before, layers: layers.count, to: prefill.isEmpty ? .decodeOnly : .withPrefill)
  }

  mutating func finish(_ shape: IterationShape, cost: inout Cost) { base.finish(shape, cost: &cost) }

  mutating func takeIterationKernels() -> [KernelUse] { base.takeIterationKernels() }
}
