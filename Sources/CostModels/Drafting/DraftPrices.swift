import Serving
import Systems

/// The prices of a ``Drafter``'s passes.
struct DraftPrices {
  /// The pass over all rows that have left the last layer, and those over a row of each sequence.
  private var first: KernelPrices
  private var further: KernelPrices
  private let products: [(price: PricedKernel<MatrixProduct>, isOnce: Bool)]
  private let passes: Int
  private var load = StepLoad()
  private var tiles: [Tile] = []

  init(_ drafter: Drafter, calibration: Calibration, width: Int) {
    func prices(width: Int) -> KernelPrices {
      var prices = KernelPrices(
        system: drafter.system, calibration: calibration, routing: drafter.routing, drawSeed: nil,
        width: width)
      prices.samplesOneRow = true
      return prices
    }
    first = prices(width: width)
    further = prices(width: 1)
    passes = drafter.drafts
    let power = first.power
    products = drafter.products.map {
      (
        PricedKernel<MatrixProduct>(
          $0.shape, engine: drafter.system.engine, power: power, calibration: calibration), $0.isOnce
      )
    }
  }

  /// Adds what it takes to draft after a step.
  ///
  /// Contexts are those of the step: the few entries that are rejected or drafted do not matter.
  ///
  /// - Parameters:
  ///   - step: the step of the model that is drafted for.
  ///   - layers: its layers.
  ///   - cost: that of the step.
  ///   - ledger: the step's; what drafts use is kept apart in it.
  mutating func price(
    _ step: borrowing StepLoad, layers: Int, into cost: inout StepCost, ledger: inout KernelLedger
  ) {
    while ledger.drafts.count < 2 {
      ledger.drafts.append(KernelLedger())
      ledger.drafts[ledger.drafts.count - 1].logsSteps = ledger.logsSteps
    }
    var prompts = 0
    tiles.removeAll(keepingCapacity: true)
    if let band = step.bands.last, band.layers.upperBound == layers {
      for i in band.segments {
        let (prefix, tokens) = (step.segments[i].prefix, step.segments[i].tokens)
        prompts += prefix + tokens
        tiles.append(
          Tile(sequence: Slot(0), tokens: prefix..<prefix + tokens, layers: 0..<first.layers))
      }
    }
    var entries = step.decode
    // What the last layer lacks of prompts that have thinned out the drafts never had.
    if let last = step.profiles.last { entries.context -= last.missing }
    let decode = first.windowed(entries)
    guard decode.sequences > 0 || !tiles.isEmpty else { return }
    load.fill(decode: decode, tiles: tiles, layers: first.layers)
    load.finishingSequences = step.finishingSequences
    fuse(load, isFirst: true, into: &cost, &ledger)
    Self.add(&first, load, to: &cost, &ledger.drafts[0])

    let sequences = decode.sequences + step.finishingSequences
    guard sequences > 0, passes > 1 else { return }
    let ends = tiles.isEmpty ? 0 : prompts * step.finishingSequences / tiles.count
    load.fill(
      decode: further.windowed(DecodeLoad(sequences: sequences, context: decode.context + ends)),
      tiles: [], layers: further.layers)
    for _ in 1..<passes {
      fuse(load, isFirst: false, into: &cost, &ledger)
      Self.add(&further, load, to: &cost, &ledger.drafts[1])
    }
  }

  /// Adds the products on the way into the layers.
  private func fuse(
    _ load: borrowing StepLoad, isFirst: Bool, into cost: inout StepCost, _ ledger: inout KernelLedger
  ) {
    let rows = load.decode.rows + load.prefillRows
    let decodeShare = Double(load.decode.rows) / Double(rows)
    let computed = first.graphs.padded(rows: rows, carriesPrefill: load.prefillRows > 0).rows
    for product in products where isFirst || !product.isOnce {
      let launch = product.price.launch(Double(computed))
      ledger.drafts[isFirst ? 0 : 1].totals[KernelPrices.fusionTotal] += launch.values
      if ledger.drafts[0].logsSteps {
        ledger.drafts[isFirst ? 0 : 1].logStep(KernelKind.fusionGEMM, launch)
      }
      cost.kernelSeconds += launch.seconds
      cost.clockedSeconds += launch.clocked[0]
      cost.clockedJoules += launch.clocked[1] * first.gpus
      cost.weightBytes += launch.weightBytes * first.gpus
      cost.activationBytes += launch.activationBytes * first.gpus
      cost.decodeRowJoules += launch.joules * first.gpus * decodeShare
      cost.prefillRowJoules += launch.joules * first.gpus * (1 - decodeShare)
    }
  }

  private static func add(
    _ prices: inout KernelPrices, _ load: borrowing StepLoad, to cost: inout StepCost,
    _ ledger: inout KernelLedger
  ) {
    var pass = StepCost()
    prices.price(load, into: &pass, ledger: &ledger)
    cost.kernelSeconds += pass.kernelSeconds
    cost.clockedSeconds += pass.clockedSeconds
    cost.clockedJoules += pass.clockedJoules
    cost.launchSeconds += pass.launchSeconds
    cost.experts += pass.experts
    cost.expertBytes += pass.expertBytes
    cost.decodeExpertBytes += pass.decodeExpertBytes
    cost.weightBytes += pass.weightBytes
    cost.kvBytes += pass.kvBytes
    cost.activationBytes += pass.activationBytes
    cost.decodeRowJoules += pass.decodeRowJoules
    cost.decodeContextJoules += pass.decodeContextJoules
    cost.prefillRowJoules += pass.prefillRowJoules
    cost.prefillContextJoules += pass.prefillContextJoules
  }

  /// What each kernel of the drafts has used, under its name behind `draft_`.
  func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] {
    guard ledger.drafts.count == 2 else { return [] }
    return Self.named(first.kernels(in: ledger.drafts[0]), further.kernels(in: ledger.drafts[1]))
  }

  /// What each kernel of the drafts used in the step priced last; the ledger forgets it.
  func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] {
    guard ledger.drafts.count == 2 else { return [] }
    return Self.named(
      first.takeStepKernels(from: &ledger.drafts[0]), further.takeStepKernels(from: &ledger.drafts[1]))
  }

  private static func named(_ first: [KernelUse], _ further: [KernelUse]) -> [KernelUse] {
    var uses = first
    for use in further {
      if let i = uses.firstIndex(where: { $0.kernel == use.kernel }) {
        uses[i] += use
      } else {
        uses.append(use)
      }
    }
    for i in uses.indices { uses[i].kernel = "draft_" + uses[i].kernel }
    return uses
  }
}

extension KernelPrices {
  /// A load with what these layers' windows see of it, at most.
  fileprivate func windowed(_ load: DecodeLoad) -> DecodeLoad {
    var load = load
    load.windowContext = slidingWindow.map { min(load.context, load.sequences * $0) } ?? 0
    return load
  }
}

extension KernelLedger {
  /// Adds a launch to what is kept of the step.
  fileprivate mutating func logStep(_ kernel: KernelKind, _ launch: Launch) {
    if step.isEmpty { step = Array(repeating: .zero, count: KernelKind.allCases.count) }
    step[kernel.index] += launch.values
  }
}
