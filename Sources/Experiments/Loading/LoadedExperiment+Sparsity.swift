import ResultStore
import Serving

extension LoadedExperiment {
  /// What JSON output and `extra` say of a run whose answers may differ from those of the plain model; empty otherwise.
  package var quality: [(String, RunValue)] {
    profile == nil ? [] : [("quality", RunValue("not simulated"))]
  }

  /// How far the figures of a run can be trusted in which prompts leave something out.
  package var sparsityNotes: [String] {
    guard let profile else { return [] }
    if let keys = profile.keys {
      return [
        "Sparse attention of prompts: at most \(keys.keys) keys for each block of \(keys.block) queries, in layers that see "
          + "everything. Quality is not simulated. Indexer and gathered keys are estimates."
      ]
    }
    if let reuse = profile.reuse {
      return [
        "Stored chunks: \(reuse.hits) of all tokens but the last \(reuse.suffix) of a prompt are stored, wherever they stand, and "
          + "\(reuse.ratio) of them are computed anew behind the first layer. That is given, not simulated, and so is quality. What "
          + "it takes to choose them is an estimate; what is evicted of the store is not simulated."
      ]
    }
    let layers = profile.drops.map { "\($0.layer)" }.joined(separator: ", ")
    let kept = profile.place == .behindLayer ? "image tokens" : "rows"
    return [
      "Prompts drop \(kept) at layers \(layers): what stays is given, not simulated, and quality is not simulated. No KV memory "
        + "is freed: all layers share one table of blocks. Scores, gathers and the host's waits are estimates."
    ]
  }
}
