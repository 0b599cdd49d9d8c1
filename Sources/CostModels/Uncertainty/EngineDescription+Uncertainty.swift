import Systems

extension EngineDescription {
  /// The engine in one of the worlds that is possible.
  ///
  /// One host runs everything: its times share a draw, each spread by its own quality. The factors on kernels are
  /// drawn each on its own. What the user says, and what is nothing, stays.
  ///
  /// - Parameters:
  ///   - seed: The seed of all draws.
  ///   - draw: Which draw.
  /// - Returns: An engine that differs in times alone, not in memory or in what it does.
  public func perturbed(seed: UInt64, draw: Int) -> EngineDescription {
    let perturbation = Perturbation(seed: seed, draw: draw)
    var copy = self
    let times: [(String, WritableKeyPath<EngineDescription, Double>)] = [
      ("host.per_iteration_ms", \.host.perIterationMilliseconds),
      ("host.partial_depth_ms", \.host.partialDepthMilliseconds),
      ("host.partial_depth_token_us", \.host.partialDepthTokenMicroseconds),
      ("host.exposed_per_iteration_us", \.host.exposedPerIterationMicroseconds),
      ("host.exposed_per_sequence_us", \.host.exposedPerSequenceMicroseconds),
      ("host.outside_ms", \.scheduling.outsideMilliseconds),
      ("host.outside_token_us", \.scheduling.outsideTokenMicroseconds),
      ("all_reduce.skew_us", \.allReduceSkewMicroseconds),
      ("all_reduce.eager_floor_us", \.eagerAllReduceMicroseconds),
      ("host.per_decode_sequence_us", \.host.perDecodeSequenceMicroseconds),
      ("host.per_prefill_sequence_us", \.host.perPrefillSequenceMicroseconds),
      ("host.per_prefill_token_us", \.host.perPrefillTokenMicroseconds),
      ("host.eager_layer_us", \.host.eagerLayerMicroseconds),
      ("host.eager_launch_us", \.host.eagerLaunchMicroseconds),
      ("host.graph_layer_us", \.host.graphLayerMicroseconds),
      ("kernel_scale.expert_mlp", \.kernelScale.expertMLP),
      ("kernel_scale.expert_prefill", \.kernelScale.expertPrefill),
      ("kernel_scale.mxfp4_prefill", \.kernelScale.mxfp4Prefill),
      ("kernel_scale.attention", \.kernelScale.attention),
      ("kernel_scale.other", \.kernelScale.other),
    ]
    for (path, value) in times {
      let name = path.hasPrefix("host.") ? "host" : path
      copy[keyPath: value] *= perturbation.factor(name, spread: Spread.of(provenance[path]?.quality))
    }
    return copy
  }
}
