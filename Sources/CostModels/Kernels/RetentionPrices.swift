import Serving
import Systems

/// What it takes to choose the KV entries that are kept, to evict the others, and to read those in 8 bits: ARKV's kernels
/// (arXiv 2603.08727), of which nobody published a measurement.
///
/// All are estimates: what streams through memory does so at the data sheet's bandwidth, behind the launch of a norm. Evicted
/// entries make room only where those that are left are copied together; that is in here.
struct RetentionPrices {
  /// How entries are kept, and how prompts' statistics come about.
  let rule: KeptEntries
  private let streaming: PricedKernel<Elementwise>
  private let attention: AttentionKernels
  private let fullBefore: [Int]
  private let layers: Int
  private let gpus: Double
  /// Of one GPU: query heads, and bytes of an entry in 16 bits and in 8, whose key and value have a scale of 32 bits each.
  private let heads: Double
  private let entryBytes: Double
  private let narrowBytes: Double

  init(_ rule: KeptEntries, system: ServedSystem, prices: borrowing KernelPrices, calibration: Calibration) {
    self.rule = rule
    let shard = system.shard
    streaming = PricedKernel(
      Elementwise.Shape("kv_retention"), engine: system.engine, power: prices.power, calibration: calibration)
    attention = prices.attention
    fullBefore = prices.fullBefore
    layers = prices.layers
    gpus = prices.gpus
    heads = Double(shard.heads)
    entryBytes = Double(4 * shard.keyValueHeads * shard.model.headDim)
    narrowBytes = Double(2 * shard.keyValueHeads * shard.model.headDim + 8)
  }

  /// Adds what a step takes beyond its attention.
  func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    if ledger.retention.isEmpty {
      ledger.retention = Array(repeating: .zero, count: Kernel.allCases.count)
      ledger.retentionStep = ledger.retention
    }
    let step = load.retention
    if step.narrowed > 0 {
      let launch = expansion(sequences: step.narrowed)
      add(launch, .expansion, times: fullBefore[layers], decodes: true, to: &cost, &ledger)
    }
    if step.compacting > 0 {
      let launch = eviction(sequences: step.compacting)
      add(launch, .eviction, times: fullBefore[layers], decodes: true, to: &cost, &ledger)
    }
    if step.evictingPrompts > 0 {
      let launch = promptEviction(prompts: step.evictingPrompts)
      add(launch, .eviction, times: fullBefore[layers], decodes: false, to: &cost, &ledger)
    }
    for i in load.bands.indices {
      let band = load.bands[i]
      guard !band.segments.isEmpty else { continue }
      let depth = fullBefore[band.layers.upperBound] - fullBefore[band.layers.lowerBound]
      let launch = statistics(load.segments.span.extracting(band.segments))
      add(launch, .statistics, times: depth, decodes: false, to: &cost, &ledger)
    }
  }

  /// Reads what is in 8 bits and writes it in 16, for attention to read.
  private func expansion(sequences: Int) -> Launch {
    let entries = Double(sequences * rule.retention.narrow)
    return streaming.launch(
      .init(activationBytes: entries * entryBytes, kvBytes: entries * narrowBytes))
  }

  /// The probabilities of the step are written and read, and what is left is read and written elsewhere.
  private func eviction(sequences: Int) -> Launch {
    let (all, kept) = (Double(rule.retention.budget + 1), Double(rule.retention.kept))
    let narrow = Double(rule.retention.narrow)
    let moved = kept * entryBytes + (kept - narrow) * entryBytes + narrow * narrowBytes
    let count = Double(sequences)
    return streaming.launch(
      .init(activationBytes: count * 4 * heads * all, kvBytes: count * moved))
  }

  /// What is left of prompts is read and written elsewhere.
  private func promptEviction(prompts: Int) -> Launch {
    let entries = Double(prompts * rule.retention.budget)
    return streaming.launch(.init(activationBytes: 0, kvBytes: 2 * entries * entryBytes))
  }

  /// Entropy, variance and kurtosis of prompts' probabilities, and each key's mean and variance.
  private func statistics(_ segments: Span<PrefillSegment>) -> Launch {
    switch rule.statistics {
    case .secondPass: return attention.prefill(segments)
    case .eager:
      var probabilities = 0.0
      for i in segments.indices {
        probabilities += Double(segments[i].tokens) * Double(segments[i].prefix + segments[i].tokens)
      }
      let bytes = 2 * Double(KeptEntries.eagerPasses) * heads * probabilities
      return streaming.launch(.init(activationBytes: bytes))
    }
  }

  private func add(
    _ launch: Launch, _ kernel: Kernel, times: Int, decodes: Bool, to cost: inout StepCost,
    _ ledger: inout KernelLedger
  ) {
    let depth = Double(times)
    cost.kernelSeconds += launch.seconds * depth
    cost.clockedSeconds += launch.clocked[0] * depth
    cost.clockedJoules += launch.clocked[1] * depth * gpus
    cost.kvBytes += launch.kvBytes * depth * gpus
    cost.activationBytes += launch.activationBytes * depth * gpus
    let joules = launch.joules * depth * gpus
    if decodes { cost.decodeRowJoules += joules } else { cost.prefillContextJoules += joules }
    ledger.retention[kernel.rawValue] += launch.values * depth
    if ledger.logsSteps { ledger.retentionStep[kernel.rawValue] += launch.values * depth }
  }

  /// Names in results.
  private enum Kernel: Int, CaseIterable {
    case statistics, eviction, expansion

    var name: String {
      switch self {
      case .statistics: "kv_statistics"
      case .eviction: "kv_eviction"
      case .expansion: "kv_expansion"
      }
    }
  }

  /// What each kernel has used.
  func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] { uses(ledger.retention) }

  /// What each kernel used in the step priced last; the ledger forgets it.
  func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] {
    let uses = uses(ledger.retentionStep)
    for i in ledger.retentionStep.indices { ledger.retentionStep[i] = .zero }
    return uses
  }

  private func uses(_ sums: [SIMD8<Double>]) -> [KernelUse] {
    zip(Kernel.allCases, sums).compactMap { kernel, values in
      let total = Launch(values)
      guard total.calls > 0 else { return nil }
      return KernelUse(
        kernel: kernel.name, calls: Int(total.calls), extrapolatedCalls: Int(total.extrapolated),
        seconds: total.seconds, joules: total.joules * gpus, flops: total.flops * gpus,
        bytes: total.bytes * gpus)
    }
  }
}
