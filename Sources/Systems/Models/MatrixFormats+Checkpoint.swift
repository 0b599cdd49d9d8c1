import Support

extension MatrixFormats {
  /// What a checkpoint says.
  ///
  /// - Parameters:
  ///   - checkpoint: its quantisation; nil for 16-bit weights.
  ///   - attention: layers with attention.
  ///   - isLatent: whether that is over latent vectors.
  ///   - recurrent: layers with a recurrence instead.
  ///   - dense: layers with a dense MLP.
  ///   - routed: layers with routed experts.
  ///   - shared: layers with experts that every token passes.
  /// - Throws: `JSONError` where layers differ.
  init(
    _ checkpoint: CheckpointFormats?, attention: [Int], isLatent: Bool, recurrent: [Int], dense: [Int],
    routed: [Int], shared: [Int]
  ) throws(JSONError) {
    self.init()
    guard var checkpoint else { return }
    try checkpoint.requireExperts(routed)
    let gated = ["gate_proj", "up_proj", "down_proj"]
    if isLatent {
      queryKeyValue = try checkpoint.format(
        of: "the latent projections",
        [
          ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj"].map { "self_attn." + $0 },
          ["q_proj", "kv_a_proj_with_mqa", "kv_b_proj"].map { "self_attn." + $0 },
        ], in: attention)
    } else {
      queryKeyValue = try checkpoint.format(
        of: "the query, key and value projection",
        [["q_proj", "k_proj", "v_proj"].map { "self_attn." + $0 }, ["self_attn.qkv_proj"]], in: attention)
    }
    output = try checkpoint.format(of: "the output projection", [["self_attn.o_proj"]], in: attention)
    recurrence = try checkpoint.format(
      of: "the recurrence's projections",
      [
        ["in_proj_qkvz", "out_proj"].map { "linear_attn." + $0 },
        ["in_proj_qkv", "in_proj_z", "out_proj"].map { "linear_attn." + $0 },
      ], in: recurrent)
    self.dense = try checkpoint.format(
      of: "the MLP",
      [
        gated.map { "mlp." + $0 }, ["mlp.gate_up_proj", "mlp.down_proj"], gated.map { "feed_forward." + $0 },
      ], in: dense)
    experts = try checkpoint.format(
      of: "the experts", areExperts: true,
      [
        gated.map { "mlp.experts.0." + $0 }, ["w1", "w2", "w3"].map { "block_sparse_moe.experts.0." + $0 },
        ["mlp.experts"], ["feed_forward.experts.gate_up_proj", "feed_forward.experts.down_proj"],
      ], in: routed)
    sharedExperts = try checkpoint.format(
      of: "the shared experts",
      [
        gated.map { "mlp.shared_experts." + $0 }, gated.map { "mlp.shared_expert." + $0 },
        gated.map { "feed_forward.shared_expert." + $0 },
      ], in: shared)
    try checkpoint.requireUse()
    keyValues = checkpoint.keyValues
  }
}
