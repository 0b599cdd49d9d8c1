import Foundation
import Systems

extension Calibration {
  /// Where the fits of a GPU lie for a model: its calibration, and that of further number formats if the model has such.
  ///
  /// - Parameters:
  ///   - gpu: the GPU, as profiles name it.
  ///   - profiles: the folder `Profiles`.
  ///   - model: the model as it is served.
  ///   - expertRanks: groups of GPUs that share out its experts: what several take was measured with the further formats.
  /// - Returns: one path or two.
  public static func paths(
    gpu: String, profiles: ProfileFolder, for model: ModelDescription, expertRanks: Int = 1
  ) -> [String] {
    let folder = profiles.url.path + "/calibrations"
    let formats = "\(folder)/formats/\(gpu).json"
    let needsFormats =
      !model.formats.quantised.isSubset(of: [.mxfp4, .mxfp4MXFP8]) || model.latent != nil
      || model.delta != nil || model.stateSpace != nil || expertRanks > 1
    let hasFormats = needsFormats && FileManager.default.fileExists(atPath: formats)
    return ["\(folder)/\(gpu).json"] + (hasFormats ? [formats] : [])
  }

  /// Reads the fits of a GPU that a model needs.
  ///
  /// - Throws: `CalibrationError` if the GPU has no calibration, or a file is none.
  public init(
    gpu: String, profiles: ProfileFolder, for model: ModelDescription, expertRanks: Int = 1
  ) throws(CalibrationError) {
    let paths = Self.paths(gpu: gpu, profiles: profiles, for: model, expertRanks: expertRanks)
    var calibration = try Calibration(path: paths[0])
    for path in paths.dropFirst() { calibration = calibration.adding(try Calibration(path: path)) }
    self = calibration
  }

  /// The kernels of a system for which nothing was measured on its GPU in their format or of their kind: what stands in
  /// for each, one line for all; nil if there are none.
  public func unmeasured(_ shard: ModelShard, _ choice: KernelChoice = KernelChoice()) -> String? {
    var calls = LayerProgram.before(shard, choice)
    for kind in shard.kinds { calls += LayerProgram(kind, of: shard, choice).calls }
    calls += LayerProgram.after(shard, choice)
    return listed(calls.map { standIn(for: $0) }, of: shard.model)
  }

  /// The same of what makes drafts: its layers, and the products on the way into them.
  public func unmeasured(_ drafter: Drafter) -> String? {
    let system = drafter.system
    let products = drafter.products.map { standIn(for: $0.shape, .fusionGEMM) }
    let layers = unmeasured(system.shard, system.engine.kernelChoice)
    return listed(products + [layers], of: nil)
  }

  private func listed(_ standIns: [String?], of model: ModelDescription?) -> String? {
    var names: [String] = []
    for case let name? in standIns where !names.contains(name) { names.append(name) }
    if model?.latent?.indexer != nil {
      names.append("scores of the indexer (data sheet)")
    }
    return names.isEmpty ? nil : names.joined(separator: ", ")
  }

  private func standIn<Call: KernelCall>(for call: Call) -> String? { standIn(for: call.shape, call.kernel) }

  private func standIn<Shape: KernelShape>(for shape: Shape, _ kernel: KernelKind) -> String? {
    let name = "\(kernel.rawValue) (\(shape)"
    switch fit(shape).quality {
    case .dataSheet: return "\(name): data sheet)"
    case .allShapes: return "\(name): a law of all shapes)"
    case .estimate where Shape.Family.self != Elementwise.self:
      return "\(name): an estimate after a similar kernel)"
    default: return nil
    }
  }
}
