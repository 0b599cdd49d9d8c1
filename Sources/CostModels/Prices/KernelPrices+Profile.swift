import Serving
import Systems

/// What a ``TokenProfile`` adds to the kernels of a model.
struct ProfileKernels: Sendable {
  /// Scores and gathers of a drop; `nil` where rows are never dropped.
  let selection: TokenSelection?
  /// Attention over chosen keys; `nil` where rows see all.
  let keys: SelectedAttention?
  /// How long the host needs to read back what a drop keeps.
  let synchronisation: Seconds
  /// Different rows that a prompt may have on its way.
  let classes: Int
  /// How long an entry takes to be loaded; `nil` where none is, and a drop's size is what the host waits for.
  let loading: Seconds?
}

/// The parts of a step between two moments at which the host waits for the GPU: in none of them do kernels of one part run
/// while those of another are issued.
private struct HostPieces {
  private var (first, covered) = (SIMD2<Double>.zero, 0.0)
  private var mark = SIMD2<Double>.zero
  private var waits = 0.0

  /// The host waits for all kernels that a cost has so far.
  mutating func wait(_ cost: borrowing StepCost) {
    let now = SIMD2(cost.kernelSeconds, cost.launchSeconds)
    if waits == 0 { first = now } else { covered += max(now[0] - mark[0], now[1] - mark[1]) }
    mark = now
    waits += 1
  }

  /// What the step takes beyond the longer of its kernels and their issue.
  ///
  /// - Parameters:
  ///   - cost: of the whole step.
  ///   - before: time of the kernels before the layers, which `cost` has had added last.
  ///   - synchronisation: how long each wait takes.
  /// - Returns: seconds, at least 0.
  func exposed(_ cost: borrowing StepCost, before: Seconds, synchronisation: Seconds) -> Seconds {
    guard waits > 0 else { return 0 }
    let (kernels, launches) = (cost.kernelSeconds, cost.launchSeconds)
    let pieces =
      max(first[0] + before, first[1]) + covered
      + max(kernels - before - mark[0], launches - mark[1])
    return max(0, pieces - max(kernels, launches)) + waits * synchronisation
  }
}

extension KernelPrices {
  /// Prices a step in which prompts thin out on their way, or in which decoding sequences lack what theirs have dropped.
  mutating func priceProfiled(
    _ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger
  ) {
    var pieces = HostPieces()
    for i in load.bands.indices {
      let (band, profile) = (load.bands[i], load.profiles[i])
      let before = cost
      var decode = load.decode
      decode.context -= profile.missing
      decode.windowContext = min(decode.windowContext, decode.context)
      if !profile.scored.isEmpty {
        addDrop(load, decode, band, profile, to: &cost, &ledger, &pieces)
      } else if band.segments.isEmpty, !routesByLayer {
        addDecode(decode, layers: band.layers, to: &cost, &ledger)
      } else {
        addPrefill(load, decode, band, to: &cost, &ledger)
      }
      ledger.byLayers?.add(
        cost, since: before, layers: band.layers.count, hasPrefill: !band.segments.isEmpty)
    }
    finish(load, cost: &cost, &ledger)
    if let loading = self.profile?.loading, load.loadedEntries > 0 {
      // A layer is computed once it is there, and the last of them comes last.
      let seconds = Double(load.loadedEntries) * loading + cost.kernelSeconds / Double(layers)
      cost.exposedSeconds += max(0, seconds - max(cost.kernelSeconds, cost.launchSeconds))
    }
    guard self.profile?.loading == nil else { return }
    cost.exposedSeconds += pieces.exposed(
      cost, before: latestBefore.seconds, synchronisation: profile?.synchronisation ?? 0)
  }

  /// Adds the cost of a layer that drops rows: its halves have rows of their own, and the host waits between them.
  private mutating func addDrop(
    _ load: borrowing StepLoad, _ decode: DecodeLoad, _ band: LayerBand, _ profile: BandProfile,
    to cost: inout StepCost, _ ledger: inout KernelLedger, _ pieces: inout HostPieces
  ) {
    let decodes = load.decode.rows
    let entry = recall(load.segments, band.segments)
    var total = Charge()
    addHalf(
      .mixer, rows: decodes + memo.entries[entry].rows, decodes: decodes, band, to: &total, &cost, &ledger)
    if side != nil {
      addSide(decodes: decodes, entry: entry, layers: band.layers, to: &total, &cost, &ledger)
    }
    if decodes > 0 { addDecodeAttention(decode, layers: band.layers, to: &total, &cost, &ledger) }
    addPrefillAttention(entry, layers: band.layers, to: &total, &cost, &ledger)
    if let selection = self.profile?.selection {
      let launch = selection.launch(
        scored: load.segments.span.extracting(profile.scored), kept: profile.kept)
      total.add(launch, times: 1)
      ledger.add(launch, of: .selection)
      cost.prefillContextJoules += launch.joules * gpus
    }
    // Rows that go behind the whole layer pass its other half, too.
    let isSplit = profile.feedForward != band.segments
    if isSplit {
      charge(total, to: &cost)
      pieces.wait(cost)
      total = Charge()
    }
    let survivors = isSplit ? recall(load.segments, profile.feedForward) : entry
    let rows = decodes + memo.entries[survivors].rows
    addHalf(.feedForward, rows: rows, decodes: decodes, band, to: &total, &cost, &ledger)
    if hasExperts {
      addExperts(
        decodes: decodes, entry: survivors, computed: graphs.padded(rows: rows, carriesPrefill: true).rows,
        layers: expertLayers(in: band.layers), draw: load.draw, to: &total, &cost, &ledger)
    }
    charge(total, to: &cost)
    if !isSplit { pieces.wait(cost) }
  }

  /// Adds the kernels of half a layer whose cost depends on the rows alone.
  private func addHalf(
    _ half: LayerHalf, rows: Int, decodes: Int, _ band: LayerBand, to total: inout Charge,
    _ cost: inout StepCost, _ ledger: inout KernelLedger
  ) {
    let launch = graphs.launchRows(rows, carriesPrefill: true)
    var joules = 0.0
    var launches = 0
    for kind in 0..<kinds where count(of: kind, in: band.layers) > 0 {
      launches = rowKernels.launches[kind]
      rowKernels.forEach(in: half, kind: kind, launch) { kernel, launch in
        total.add(launch, times: 1)
        joules += launch.joules
        ledger.add(launch, of: kernel)
      }
    }
    let decodeShare = Double(decodes) / Double(rows)
    cost.launchSeconds += host.launch(inGraph: launch.isInGraph, launches: launches) / 2
    cost.decodeRowJoules += joules * decodeShare * gpus
    cost.prefillRowJoules += joules * (1 - decodeShare) * gpus
  }
}

extension KernelLedger {
  /// Adds a launch that has no price of its own.
  mutating func add(_ launch: Launch, of kernel: KernelKind) {
    if others.isEmpty { others = Array(repeating: .zero, count: KernelKind.allCases.count) }
    others[kernel.index] += launch.values
    if logsSteps { step[kernel.index] += launch.values }
  }
}
