import Serving
import Systems

extension KernelPrices {
  /// What each kernel has used.
  func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] {
    var totals = Array(repeating: Launch(), count: KernelKind.allCases.count)
    func add(_ kernel: KernelKind, _ launch: Launch, times: Int) {
      totals[kernel.index].add(launch, times: Double(times))
    }
    for kind in 0..<kinds {
      for carriesPrefill in [true, false] {
        ledger.uses[Self.layerUses(kind, carriesPrefill: carriesPrefill)].forEach { rows, uses in
          let launch = graphs.launchRows(rows, carriesPrefill: carriesPrefill)
          rowKernels.forEachInLayer(kind: kind, launch) { add($0, $1, times: uses) }
          guard !carriesPrefill, !routesByLayer else { return }
          add(.expertMLP, decodePrices[kind].prices[rows].experts, times: uses)
          if let side { add(side.kernel, decodePrices[kind].prices[rows].side, times: uses) }
        }
      }
    }
    ledger.uses[Self.beforeUses].forEach { rows, uses in
      rowKernels.forEachBefore(rowsBesideLayers(rows)) { add($0, $1, times: uses) }
    }
    ledger.uses[Self.afterUses].forEach { rows, uses in
      rowKernels.forEachAfter(rowsBesideLayers(rows)) { add($0, $1, times: uses) }
    }
    add(.prefillAttention, Launch(ledger.totals[Self.prefillTotal]), times: 1)
    add(.decodeAttention, Launch(ledger.totals[Self.decodeTotal]), times: 1)
    add(.expertMLP, Launch(ledger.totals[Self.expertTotal]), times: 1)
    add(.fusionGEMM, Launch(ledger.totals[Self.fusionTotal]), times: 1)
    if let side { add(side.kernel, Launch(ledger.totals[Self.sideTotal]), times: 1) }
    for (kernel, other) in ledger.others.enumerated() { totals[kernel].add(Launch(other), times: 1) }
    return uses(of: totals)
  }

  /// What each kernel used in the step priced last; the ledger forgets it.
  func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] {
    defer { for i in ledger.step.indices { ledger.step[i] = .zero } }
    return uses(of: ledger.step.map { Launch($0) })
  }

  /// Adds the kernels of some layers of a kind whose cost depends on the rows alone to what is kept of the step.
  func logLayers(
    kind: Int, rows: Int, carriesPrefill: Bool, times: Double, in ledger: inout KernelLedger
  ) {
    rowKernels.forEachInLayer(kind: kind, graphs.launchRows(rows, carriesPrefill: carriesPrefill)) {
      ledger.step[$0.index] += $1.values * times
    }
  }

  /// What has been added up for each kernel, in the order of ``KernelKind``, for those that ran.
  private func uses(of totals: [Launch]) -> [KernelUse] {
    zip(KernelKind.allCases, totals).compactMap { kernel, total in
      // What another kernel does as its last part takes time and is no call.
      guard total.calls > 0 || total.seconds > 0 else { return nil }
      return KernelUse(
        kernel: kernel.rawValue, calls: Int(total.calls), extrapolatedCalls: Int(total.extrapolated),
        seconds: total.seconds, joules: total.joules * gpus, flops: total.flops * gpus,
        bytes: total.bytes * gpus)
    }
  }
}
