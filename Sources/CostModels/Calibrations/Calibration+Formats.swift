import Foundation
import Systems

extension Calibration {
  /// Where the fits of a GPU lie for a model: its calibration, and that of further number formats if the model has such.
  ///
  /// - Parameters:
  ///   - gpu: the GPU, as profiles name it.
  ///   - profiles: the folder `Profiles`.
  ///   - model: the model as it is served.
  /// - Returns: one path or two.
  public static func paths(gpu: String, profiles: ProfileFolder, for model: ModelDescription) -> [String] {
    let folder = profiles.url.path + "/calibrations"
    let formats = "\(folder)/formats/\(gpu).json"
    let needsFormats =
      !model.formats.quantised.isSubset(of: [.mxfp4, .mxfp4MXFP8]) || model.latent != nil
      || model.delta != nil
    let hasFormats = needsFormats && FileManager.default.fileExists(atPath: formats)
    return ["\(folder)/\(gpu).json"] + (hasFormats ? [formats] : [])
  }

  /// Reads the fits of a GPU that a model needs.
  ///
  /// - Throws: `CalibrationError` if the GPU has no calibration, or a file is none.
  public init(gpu: String, profiles: ProfileFolder, for model: ModelDescription) throws(CalibrationError) {
    let paths = Self.paths(gpu: gpu, profiles: profiles, for: model)
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
    var names: [String] = []
    for call in calls {
      guard let stand = standIn(for: call), !names.contains(stand) else { continue }
      names.append(stand)
    }
    if shard.model.latent?.indexer != nil {
      names.append("scores of the indexer (data sheet)")
    }
    return names.isEmpty ? nil : names.joined(separator: ", ")
  }

  private func standIn<Call: KernelCall>(for call: Call) -> String? {
    let fit = fit(call.shape)
    let shape = call.shape.description
    switch fit.quality {
    case .dataSheet: return "\(call.kernel.rawValue) (\(shape): data sheet)"
    case .allShapes: return "\(call.kernel.rawValue) (\(shape): a law of all shapes)"
    case .estimate where Call.Family.self != Elementwise.self:
      return "\(call.kernel.rawValue) (\(shape): an estimate after a similar kernel)"
    default: return nil
    }
  }
}
