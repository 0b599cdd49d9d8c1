import Systems

extension ExpertRouting {
  /// The law of routing in one of the worlds that is possible: the sigmas of a correlated law each times a
  /// log-normal factor, spread by how good the law is for the model.
  ///
  /// - Parameters:
  ///   - seed: The seed of all draws.
  ///   - draw: Which draw.
  /// - Returns: A law; the same one if it was measured, is ideal, or was given by the user.
  public func perturbedModel(seed: UInt64, draw: Int) -> RoutingModel {
    let spread = Spread.of(provenance.quality)
    guard case .correlated(let group, let request) = model, spread > 0 else { return model }
    let perturbation = Perturbation(seed: seed, draw: draw)
    return .correlated(
      groupSigma: min(4, group * perturbation.factor("routing.group_sigma", spread: spread)),
      requestSigma: min(4, request * perturbation.factor("routing.request_sigma", spread: spread)))
  }
}
