import CostModels
import Systems

extension Drafter {
  /// What makes the drafts of a specification.
  ///
  /// - Parameters:
  ///   - specification: what was asked for.
  ///   - target: the system that it drafts for.
  ///   - law: how tokens choose experts.
  ///   - profiles: the folder of models.
  /// - Returns: it; `nil` where drafts take no time on a GPU.
  /// - Throws: if the method does not fit the model.
  static func make(
    _ specification: SpeculativeSpecification, for target: ServedSystem, law: RoutingModel?,
    profiles: ProfileFolder
  ) throws -> Drafter? {
    guard specification.drafts > 0 else { return nil }
    let (model, drafts) = (target.shard.model, specification.drafts)
    switch specification.method {
    case .ngram: return nil
    case .eagle3:
      guard let width = specification.draftIntermediate ?? (model.intermediate > 0 ? model.intermediate : nil)
      else {
        throw ExperimentError.invalidValue(
          option: "--speculative-config: intermediate_size", value: "missing",
          expected: "the width of the EAGLE-3 layer's MLP: the layers of \(model.name) have none of their own"
        )
      }
      return try .eagle3(
        for: target, drafts: drafts, intermediate: width,
        vocabulary: specification.draftVocabulary ?? min(32_000, model.vocabulary))
    case .mtp: return try .multiTokenPrediction(for: target, drafts: drafts, law: law)
    case .draftModel:
      return try .model(
        profiles.model(specification.model ?? ""), for: target, drafts: drafts, law: law)
    }
  }
}
