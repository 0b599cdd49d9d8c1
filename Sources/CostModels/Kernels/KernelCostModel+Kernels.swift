import Serving
import Systems

extension KernelCostModel {
  /// What each kernel has used so far.
  ///
  /// - Complexity: O(different row counts seen × kernels).
  public var kernels: [KernelUse] {
    var totals = Array(repeating: Launch(), count: KernelKind.allCases.count)
    func add(_ kernel: KernelKind, _ launch: Launch, times: Int) {
      totals[kernel.index].add(launch, times: Double(times))
    }
    for (rows, uses) in layerPrices.uses.enumerated() where uses > 0 {
      let computed = graphs.padded(rows: rows).rows
      rowKernels.forEachInLayer(rows: rows, computed: computed) { add($0, $1, times: uses) }
    }
    for (batch, uses) in decodePrices.uses.enumerated() where uses > 0 {
      let computed = graphs.padded(rows: batch).rows
      rowKernels.forEachInLayer(rows: batch, computed: computed) { add($0, $1, times: uses) }
      add(.expertMLP, decodePrices.prices[batch].experts, times: uses)
    }
    for (rows, uses) in beforePrices.uses.enumerated() where uses > 0 {
      rowKernels.forEachBefore(rows: rows) { add($0, $1, times: uses) }
    }
    for (rows, uses) in afterPrices.uses.enumerated() where uses > 0 {
      rowKernels.forEachAfter(rows: rows) { add($0, $1, times: uses) }
    }
    add(.prefillAttention, prefillTotal, times: 1)
    add(.decodeAttention, decodeTotal, times: 1)
    add(.expertMLP, expertTotal, times: 1)
    return uses(of: totals)
  }

  /// What each kernel has used since this was last called; nothing unless ``logsKernels``.
  public mutating func takeIterationKernels() -> [KernelUse] {
    defer { for i in iteration.indices { iteration[i] = Launch() } }
    return uses(of: iteration)
  }

  /// Adds the kernels of some layers, attention aside, to what is kept of the iteration.
  mutating func logLayers(rows: Int, experts: Launch, times: Double) {
    rowKernels.forEachInLayer(rows: rows, computed: graphs.padded(rows: rows).rows) {
      iteration[$0.index].add($1, times: times)
    }
    iteration[KernelKind.expertMLP.index].add(experts, times: times)
  }

  /// What has been added up for each kernel, in the order of ``KernelKind``, for those that ran.
  private func uses(of totals: [Launch]) -> [KernelUse] {
    zip(KernelKind.allCases, totals).compactMap { kernel, total in
      guard total.calls > 0 else { return nil }
      return KernelUse(
        kernel: kernel.rawValue, calls: Int(total.calls), extrapolatedCalls: Int(total.extrapolated),
        seconds: total.seconds, joules: total.joules * gpus, flops: total.flops * gpus,
        bytes: total.bytes * gpus)
    }
  }
}
