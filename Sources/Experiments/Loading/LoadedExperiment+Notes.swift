import CostModels
import Foundation
import Policies
import Serving
import Systems
import Workloads

extension LoadedExperiment {
  /// How far the figures can be trusted.
  ///
  /// - Parameters:
  ///   - totals: of the run.
  ///   - evidence: what its kernels' times rest on; worked out if it is not given.
  /// - Returns: a line each.
  package func notes(totals: SystemTotals, evidence: EvidenceShares? = nil) -> [String] {
    var notes: [String] = []
    let evidence = evidence ?? self.evidence(totals)
    let share = evidence.unmeasured
    if let line = evidence.line(totals) { notes.append(line) }
    let system = loaded.system
    let unmeasured =
      loaded.calibration.isOfDataSheet
      ? nil : loaded.calibration.unmeasured(system.shard, system.kernelChoice)
    if loaded.calibration.isOfDataSheet {
      notes.append(
        "No kernel of \(system.hardware.name) was ever measured: all times are data-sheet rates at the efficiency of other GPUs, "
          + "nine of ten within 0.6 to 1.6 times the true ones.")
    } else if let unmeasured {
      notes.append("Not measured on \(system.hardware.name): \(unmeasured).")
    }
    if let drafter = loaded.drafter, let fits = loaded.draftCalibration, !fits.isOfDataSheet,
      let unmeasured = fits.unmeasured(drafter)
    {
      notes.append("Not measured on \(system.hardware.name), of what makes drafts: \(unmeasured).")
    }
    if loaded.calibration.isOfDataSheet || unmeasured != nil || share > 0.01 {
      notes.append(
        "To measure that: Scripts/profile-gpu on such a GPU, then sim calibrate (Profiles/harness/README.md)."
      )
    }
    let formats = system.shard.model.formats.quantised.map(\.rawValue).sorted()
    if !Set(formats).isSubset(of: ["mxfp4"]) {
      notes.append(
        "Number formats: \(system.shard.model.formats.text). Energy of operations is that of 16-bit ones.")
    }
    if let speculation = specification.system.speculation {
      let tokens = 1 + speculation.acceptanceRates.reduce(0, +)
      notes.append(
        "Speculative decoding by \(speculation.method.rawValue): its acceptance is given, not simulated, "
          + String(format: "%.2f tokens a step on average.", tokens))
    }
    if profile != nil { notes += sparsityNotes }
    if let kept { notes.append(Self.note(on: kept, in: loaded.system.shard)) }
    if let law {
      notes.append("Times are those of law \(law.name), not of kernels; there is no energy. \(law.source).")
    }
    if specification.cluster.pools.contains(where: { $0.system.dataParallelSize ?? 1 > 1 }) {
      notes.append(
        system.shard.dataParallel > 1 || decoders?.pool.loaded.system.shard.dataParallel ?? 1 > 1
          ? "Ranks of data parallelism step together; requests go to the rank with fewest of them."
          : "Ranks of data parallelism are copies of a dense model, each by itself.")
    }
    if let pipeline = loaded.pipeline ?? decoders?.pool.loaded.pipeline {
      notes.append(
        "Stages of \(pipeline.layers.map { "\($0.count)" }.joined(separator: ", ")) layers, "
          + "\(pipeline.layers.count) steps in flight; link \(pipeline.linkNote).")
    }
    if let link = decoders?.link {
      notes.append("Network \(link.name): \(link.quality). \(link.source).")
    }
    for tier in tiers {
      notes.append(
        "Below the GPUs' memory: \(tier.blocks) blocks\(tier.isShared ? " of all instances" : "") over \(tier.link.name), "
          + "\(tier.link.quality); steps wait for what is loaded, and writing takes no time. \(tier.link.source)."
      )
    }
    let scheduling = loaded.system.engine.scheduling
    if system.engine.pagesStates(of: system.shard.model) {
      notes.append(Self.noteOnStates(of: system.shard, system.engine))
    } else if system.shard.model.compressed != nil {
      notes.append(
        "Compressed convolutional attention: engines keep its heads whole on every GPU and share no prefixes. "
          + (specification.system.attention == nil
            ? "" : "What the model would be worth with it is not simulated."))
    } else if !scheduling.cachesPrefixes {
      let repeated = workload.repeatedTokens
      if repeated > 0 {
        notes.append(
          "Prefix caching is off, although \(repeated) prompt tokens of the trace repeat earlier ones "
            + "(--enable-prefix-caching).")
      }
    }
    if scheduling.firstChunkTokens > 1 {
      notes.append(
        "TTFT and TPOT are the client's, whose first token comes with the \(scheduling.firstChunkTokens - 1) behind it "
          + "(scheduling.first_chunk_tokens), TPOT 0 where that is the whole answer; gaps between tokens are the server's."
      )
    }
    if scheduling.order == "admission", policy.entry.name != scheduling.policy {
      notes.append(
        "A projection: \(loaded.system.engine.name) has no policy '\(policy.entry.name)'; its other rules are kept."
      )
    }
    if loaded.energyQuality != .measured {
      let quality = loaded.energyQuality == .estimate ? "an estimate" : loaded.energyQuality.rawValue
      notes.append("Energy rests on coefficients that are \(quality), not measured.")
    }
    if let provenance = loaded.routing?.provenance, provenance.quality != .measured {
      notes.append("Expert routing: \(provenance.quality.rawValue). \(provenance.source)")
    }
    if let drafts = loaded.drafter?.routing, let law = specification.system.routing,
      drafts.model != loaded.routing?.model
    {
      notes.append(
        "Draft layers do not share --routing \(law), which is of the model's own experts. "
          + "Theirs: \(drafts.provenance.quality.rawValue). \(drafts.provenance.source)")
    }
    return notes
  }
}

extension LoadedExperiment {
  /// How states are paged, and how their times are known.
  fileprivate static func noteOnStates(of shard: ModelShard, _ engine: EngineDescription) -> String {
    let (tokens, caches) = (engine.keyValueBlockSize, engine.scheduling.cachesPrefixes)
    let pages = shard.hybridPages(keepsSnapshots: caches).map { _ in
      caches
        ? "pages of \(tokens) tokens: a page has their keys and values, and the state behind them"
        : "pages of \(tokens) tokens: a sequence has \(engine.stateBlocks(shard)) for its states, and one for every "
          + "\(tokens) tokens"
    }
    let prefixes =
      caches
      ? "The state behind every \(tokens) tokens is kept, and prompts share beginnings of whole \(tokens) tokens."
      : "Prefixes are not shared (--enable-prefix-caching keeps snapshots of states)."
    let space = shard.model.stateSpace
    let name = space == nil ? "gated DeltaNet" : space?.rank == nil ? "Mamba-2" : "Mamba-1"
    let rate = space?.rank == nil ? "15 % of the arithmetic rate" : "half the rate of exponentials"
    return
      "States of \(name): \(shard.stateBytesPerSequence) bytes a sequence on each GPU; "
      + "\(pages ?? "memory for states bounds how many sequences run"). \(prefixes)"
      + (space == nil ? "" : " Nobody measured its scan: its times are an estimate at \(rate).")
  }

  /// What is kept of KV entries, and how that is known.
  fileprivate static func note(on kept: KeptEntries, in shard: ModelShard) -> String {
    let (rule, tokens) = (kept.retention, 4 * kept.retention.budget)
    let bytes =
      [shard.bytesPerLayer(entries: tokens, narrow: 0)] + [
        shard.bytesPerLayer(entries: rule.kept, narrow: rule.narrow)
      ]
    return
      "KV entries by ARKV: \(rule.kept) to \(rule.budget) of a sequence that exceeds them, \(rule.narrow) in FP8 after an "
      + String(
        format:
          "eviction; %.0f %% of a prompt of %d tokens is evicted, and its bytes become %.2f of what they were. ",
        100 * rule.evictedShare(ofPrompt: tokens), tokens, Double(bytes[1]) / Double(bytes[0]))
      + "Its kernels are estimates; prefixes are not shared, and what is evicted does not change the text here."
  }
}
