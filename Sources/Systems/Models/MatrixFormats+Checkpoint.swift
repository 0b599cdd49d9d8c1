import Support

extension MatrixFormats {
  /// What a checkpoint says.
  ///
  /// - Parameters:
  ///   - checkpoint: its quantisation; nil for 16-bit weights.
  ///   - attention: layers with attention.
  ///   - isLatent: whether that is over latent vectors.
  ///   - recurrent: layers with a recurrence instead.
  ///   - mayDiffer: whether some of those may have projections in 16 bits.
  ///   - dense: layers with a dense MLP.
  ///   - routed: layers with routed experts.
  ///   - shared: layers with experts that every token passes.
  ///   - sharedAreMLPs: whether those are the layers' dense MLPs.
  ///   - latents: layers that project what goes into routed experts, and comes out.
  ///   - isTied: whether the LM head is the embedding, which is in 16 bits.
  /// - Returns: the formats, and the recurrent layers with projections in 16 bits, unless all have.
  /// - Throws: `JSONError` where layers differ.
  static func read(
    _ checkpoint: CheckpointFormats?, attention: [Int], isLatent: Bool, recurrent: [Int], mayDiffer: Bool,
    dense: [Int], routed: [Int], shared: [Int], sharedAreMLPs: Bool, latents: [Int], isTied: Bool
  ) throws(JSONError) -> (formats: MatrixFormats, wideRecurrences: [Int]) {
    var formats = MatrixFormats()
    guard var checkpoint else { return (formats, []) }
    let wide = try formats.fill(
      from: &checkpoint, attention: attention, isLatent: isLatent, recurrent: recurrent, mayDiffer: mayDiffer,
      dense: dense, routed: routed, shared: shared, sharedAreMLPs: sharedAreMLPs, latents: latents,
      isTied: isTied)
    return (formats, wide)
  }

  private mutating func fill(
    from checkpoint: inout CheckpointFormats, attention: [Int], isLatent: Bool, recurrent: [Int],
    mayDiffer: Bool, dense: [Int], routed: [Int], shared: [Int], sharedAreMLPs: Bool, latents: [Int],
    isTied: Bool
  ) throws(JSONError) -> [Int] {
    try checkpoint.requireExperts(routed)
    let gated = ["gate_proj", "up_proj", "down_proj"]
    let plain = ["up_proj", "down_proj"]
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
        [
          ["q_proj", "k_proj", "v_proj"].map { "self_attn." + $0 }, ["self_attn.qkv_proj"],
          ["q_proj", "k_proj", "v_proj"].map { "mixer." + $0 },
        ], in: attention)
    }
    output = try checkpoint.format(
      of: "the output projection", [["self_attn.o_proj"], ["mixer.o_proj"]], in: attention)
    let recurrences = [
      ["in_proj_qkvz", "out_proj"].map { "linear_attn." + $0 },
      ["in_proj_qkv", "in_proj_z", "out_proj"].map { "linear_attn." + $0 },
      ["mixer.in_proj", "mixer.out_proj"],
    ]
    let kind = "the recurrence's projections"
    var wide: [Int] = []
    if mayDiffer { wide = try checkpoint.layersLeftOut(of: kind, recurrences, in: recurrent) }
    if wide.count == recurrent.count { wide = [] }
    recurrence = try checkpoint.format(of: kind, recurrences, in: recurrent.filter { !wide.contains($0) })
    self.dense = try checkpoint.format(
      of: "the MLP",
      [
        gated.map { "mlp." + $0 }, ["mlp.gate_up_proj", "mlp.down_proj"], gated.map { "feed_forward." + $0 },
        plain.map { "mixer." + $0 },
      ], in: dense)
    experts = try checkpoint.format(
      of: "the experts", areExperts: true,
      [
        gated.map { "mlp.experts.0." + $0 }, ["w1", "w2", "w3"].map { "block_sparse_moe.experts.0." + $0 },
        ["mlp.experts"], ["feed_forward.experts.gate_up_proj", "feed_forward.experts.down_proj"],
        plain.map { "mixer.experts.0." + $0 }, gated.map { "experts.0." + $0 },
      ], in: routed)
    sharedExperts = try checkpoint.format(
      of: "the shared experts",
      sharedAreMLPs
        ? [gated.map { "mlp." + $0 }]
        : [
          gated.map { "mlp.shared_experts." + $0 }, gated.map { "mlp.shared_expert." + $0 },
          gated.map { "feed_forward.shared_expert." + $0 }, plain.map { "mixer.shared_experts." + $0 },
        ], in: shared)
    self.latents = try checkpoint.format(
      of: "the latent projections of experts", [["mixer.fc1_latent_proj", "mixer.fc2_latent_proj"]],
      in: latents)
    if !isTied { head = checkpoint.formatOfHead() }
    try checkpoint.requireUse()
    keyValues = checkpoint.keyValues
    return wide
  }
}
