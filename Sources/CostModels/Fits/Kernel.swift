/// The kernels that a calibration tells apart.
public enum Kernel: String, Codable, Sendable, Hashable, CaseIterable {
  /// A dense matrix product, a fit for each shape.
  case gemm
  /// A dense matrix product of whatever shape, interpolated between the fits of its neighbours.
  case gemmBetweenShapes = "gemm_between_shapes"
  /// A dense matrix product of whatever shape, one fit for all.
  case gemmAllShapes = "gemm_all_shapes"
  /// The experts of an MoE layer, a fit for each shape.
  case moe
  /// The experts of an MoE layer of whatever shape, one fit for all.
  case moeAllShapes = "moe_all_shapes"
  /// Attention of new tokens, full context.
  case prefillAttention = "prefill_attention"
  /// Attention of new tokens after a prefix, full context: the errors of the fits of `prefillAttention` on it.
  case prefillAttentionPrefix = "prefill_attention_prefix"
  /// Attention of new tokens in a sliding window.
  case windowedPrefillAttention = "windowed_prefill_attention"
  /// Attention of one new token of each sequence, full context.
  case decodeAttention = "decode_attention"
  /// Attention of one new token of each sequence in a sliding window.
  case windowedDecodeAttention = "windowed_decode_attention"
  /// All-reduce among the GPUs of a node.
  case allReduce = "all_reduce"
  /// A kernel that streams through memory.
  case elementwise
}
