/// The kinds of kernels that a decoder iteration consists of.
public enum KernelKind: String, Sendable, CaseIterable {
  /// Gathers the rows of the embedding table.
  case embedding
  /// Residual addition and RMSNorm: two a layer, and the final one.
  case rmsNorm = "rms_norm"
  /// Query, key and value projection.
  case qkvGEMM = "qkv_gemm"
  /// Projection onto the latent vector, and onto the width that queries pass through.
  case latentGEMM = "latent_gemm"
  /// Projection of queries from that width.
  case queryGEMM = "q_gemm"
  /// Products of latent attention that are not of all rows: keys and values of prompts expanded from latent vectors, queries
  /// and outputs of decodes multiplied into the latent space and back, and the scores of an indexer.
  case latentProducts = "latent_products"
  /// Projections of an indexer.
  case indexGEMM = "index_gemm"
  /// Projection of a recurrence's queries, keys, values and gates.
  case recurrenceGEMM = "recurrence_gemm"
  /// Convolution and recurrence of layers without attention.
  case recurrence
  /// Query and key norm, rotary embedding, and writing of the KV entries.
  case qkNormRopeKV = "qk_norm_rope_kv"
  /// Attention of prefill rows.
  case prefillAttention = "prefill_attention"
  /// Attention of decode rows.
  case decodeAttention = "decode_attention"
  /// Output projection of attention.
  case oGEMM = "o_gemm"
  /// Sum over the GPUs of a tensor-parallel group.
  case allReduce = "all_reduce"
  /// Projection onto the experts.
  case routerGEMM = "router_gemm"
  /// Rows on their way to the experts of other ranks.
  case expertDispatch = "expert_dispatch"
  /// What experts of other ranks have made of them, on its way back.
  case expertCombine = "expert_combine"
  /// Top-k, permutation, both grouped products, activation and combination of the experts.
  case expertMLP = "expert_mlp"
  /// Activation of the experts, where it is a kernel of its own.
  case expertSiluMul = "expert_silu_mul"
  /// Weighted sum of the experts' outputs, where it is a kernel of its own.
  case expertSum = "expert_sum"
  /// Gate and up projection of the experts that every token passes.
  case sharedGateUpGEMM = "shared_gate_up_gemm"
  /// Their activation.
  case sharedSiluMul = "shared_silu_mul"
  /// Their down projection.
  case sharedDownGEMM = "shared_down_gemm"
  /// Gate and up projection of a dense MLP.
  case gateUpGEMM = "gate_up_gemm"
  /// Activation of a dense MLP.
  case siluMul = "silu_mul"
  /// Down projection of a dense MLP.
  case downGEMM = "down_gemm"
  /// Projection onto the vocabulary.
  case lmHead = "lm_head"
  /// Choice of the next token.
  case sampling
  /// Projection of embedding and hidden states to the input of a layer that makes drafts.
  case fusionGEMM = "fusion_gemm"
  /// Scores of rows or keys, and the choice among them, where prompts thin out or see few keys.
  case selection

  /// Convolution of each channel of compressed queries and keys.
  case convolution
  /// Convolution of each head of compressed queries and keys, whose taps are square matrices.
  case convolutionGEMM = "convolution_gemm"

  /// Projections to the width that routed experts work on, and back.
  case expertLatentGEMM = "expert_latent_gemm"

  /// Its place among all kernels, which is what a value is made of: cases without payloads are numbered in their order.
  ///
  /// A look-up by name would hash the name for every kernel of every step that is logged.
  var index: Int { Int(unsafe unsafeBitCast(self, to: UInt8.self)) }
}
