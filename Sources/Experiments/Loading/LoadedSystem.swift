import CostModels
import Serving
import Support
import Systems

/// A system and what is known about its kernels and its experts: read once, shared by all runs.
package struct LoadedSystem: Sendable {
  package let system: ServedSystem
  package let calibration: Calibration
  /// SHA-256 of the calibration's file.
  package let calibrationDigest: String
  /// How tokens choose experts; `nil` for a dense model.
  package let routing: ExpertRouting?
  /// What makes drafts on the GPU; `nil` where nothing does.
  package let drafter: Drafter?
  /// The fits of its kernels, in their own formats; `nil` without one.
  package let draftCalibration: Calibration?
  /// The stages that its layers are cut into; `nil` where it is whole.
  package let pipeline: LoadedPipeline?
  /// What makes tokens of images; `nil` where that is not simulated.
  package var encoder: ServedEncoder?
  /// The fits of its kernels, which are of 16 bits.
  package var encoderCalibration: Calibration?

  package init(
    system: ServedSystem, calibration: Calibration, calibrationDigest: String, routing: ExpertRouting?,
    drafter: Drafter? = nil, draftCalibration: Calibration? = nil, pipeline: LoadedPipeline? = nil
  ) {
    self.system = system
    self.calibration = calibration
    self.calibrationDigest = calibrationDigest
    self.routing = routing
    self.drafter = drafter
    self.draftCalibration = draftCalibration
    self.pipeline = pipeline
  }

  /// Blocks of KV memory that the model and its activations leave.
  package func kvBlocks(
    utilisation: Double, maxBatchedTokens: Tokens, maxSequences: Int, drafts: Int,
    profile: TokenProfile? = nil
  ) throws(DescriptionError) -> Int {
    if let pipeline {
      return try system.engine.keyValueBlocks(
        system.shard, in: pipeline.stages.map(\.shard), on: system.hardware, utilisation: utilisation,
        maxBatchedTokens: maxBatchedTokens)
    }
    return try system.engine.keyValueBlocks(
      system.shard, on: system.hardware, utilisation: utilisation, maxBatchedTokens: maxBatchedTokens,
      maxSequences: maxSequences, drafts: drafts,
      furtherWeights: (drafter?.weightBytes ?? 0) + (encoder?.weightBytes ?? 0),
      furtherBytesPerToken: (drafter?.keyValueBytesPerToken ?? 0)
        + system.shard.model.indexBytesPerToken(profile?.keys),
      furtherStateBytes: drafter?.stateBytesPerSequence ?? 0)
  }

  /// The worst quality among the energy coefficients that the model's formats need.
  package var energyQuality: Quality {
    let formats = system.shard.model.formats.quantised
    var paths = ["energy.idle_w", "energy.per_byte_pj", "energy.per_flop_pj", "energy.busy_w"]
    if formats.contains(.mxfp4) || formats.contains(.mxfp4Marlin) { paths.append("energy.mxfp4_pj") }
    if formats.contains(where: \.multipliesNarrow) { paths.append("energy.narrow_flop_share") }
    let qualities = paths.map { system.hardware.provenance[$0]?.quality ?? .estimate }
    return qualities.contains(.estimate) ? .estimate : qualities.first { $0 != .measured } ?? .measured
  }

  /// SHA-256 of everything that prices rest on: calibration, GPU, engine and model.
  package var digest: String {
    var text = calibrationDigest + Self.text(of: system.shard) + (routing?.model.description ?? "")
    if let exchange = system.exchange { text += "\(exchange)" }
    if let pipeline { text += "\(pipeline.link)" }
    if let drafter { text += Self.text(of: drafter.system.shard) }
    if let encoder { text += "\(encoder.encoder)" }
    let neutral = EngineDescription()
    for setting in EngineDescription.settings {
      let value = setting.text(in: system.engine)
      // Settings that came later than results do not tell those from others unless they are used.
      if setting.isLate, value == setting.text(in: neutral) { continue }
      text += "\(setting.path)=\(value);"
    }
    for setting in HardwareDescription.settings {
      text += "\(setting.path)=\(setting.text(in: system.hardware));"
    }
    return SHA256.hexDigest(of: Array(text.utf8))
  }

  /// A model's sizes, without those that came later than results and do not tell it from others.
  private static func text(of shard: ModelShard) -> String {
    let model = shard.model
    let whole = Array(repeating: true, count: model.layers)
    let late = [
      "routerWidth: 0, ", "compressed: nil, ", "dataParallel: 1, ",
      "holdsEmbedding: true, holdsHead: true, ", "stateSpace: nil, ",
      "hasMixer: \(whole), ",
      "hasFeedForward: \(whole), ", "hasGatedMLP: true, ", "valueDim: nil, ", "projectsValues: true, ",
      "windowedHeads: nil, ", "denseWidths: nil, ", "expertLatent: nil, ", "expertGroups: nil, ",
      "normsBesideExperts: 0, ",
      "hasLayerScale: false, ", "wideRecurrences: [], ", "hasSinksInWindowsAlone: false, ",
      "hasDraftLayer: \(model.hasDraftLayer), ", "latents: Systems.WeightFormat.bf16, ",
      "head: Systems.WeightFormat.bf16, ",
      ", rank: nil, isWide: false",
    ]
    return late.reduce("\(shard)") { text, member in text.replacing(member, with: "") }
  }
}
