// Our own kernels, all bound by memory bandwidth: 16-byte accesses, sums in float. Row lengths are multiples of 8.
#pragma once
#include "device.hpp"

namespace harness {

// Uniform in [-scale, scale), a function of seed and index alone. Never zeros: they time faster than real data.
void fill_random(bf16* p, std::size_t n, std::uint64_t seed, float scale, cudaStream_t s);
void add_count_of_bad(const bf16* p, std::size_t n, unsigned long long* bad, cudaStream_t s);  // NaN or infinite

// y[i] = table[id[i]]
void gather_rows(const int* id, const bf16* table, bf16* y, long rows, long width, cudaStream_t s);
// residual_out = x + residual_in; y = RMS norm of that, times weight. residual_out may be residual_in, and x null for zero.
void rms_norm(const bf16* x, const bf16* residual_in, const bf16* weight, bf16* residual_out, bf16* y, long rows, long width,
              cudaStream_t s);
// gate_up rows hold gate, then up
void silu_mul(const bf16* gate_up, bf16* y, long rows, long inter, cudaStream_t s);
// greedy sampling: the first of the largest logits
void argmax(const bf16* logits, int* id, long rows, long vocab, cudaStream_t s);

// Splits rows of [q heads | k heads | v heads]: q and k are normalised (if weights are given) and rotated; q goes to q_out, k
// and v to the cache rows slot[t], each of kv_heads * head_dim. cos_sin: [positions, head_dim / 2].
struct RopeArguments {
  const bf16 *qkv, *q_weight, *k_weight;
  const float2* cos_sin;
  const int *position, *slot;
  bf16 *q_out, *k_cache, *v_cache;
  long tokens;
  int heads, kv_heads, head_dim;
};
void qk_norm_rope_kv(const RopeArguments& a, cudaStream_t s);
std::vector<float2> rope_table(long positions, long head_dim, double theta);

// Routing on the device, as an engine does it, so that no step waits for the host. `count` is zero before and after.
//   router_topk:  experts and weights of each token, and the rank of each among its expert's rows
//   group_rows:   first row of each expert, and what two grouped GEMMs need to know
//   permute:      each token's row copied to its topk rows, ordered by expert; `row` says where they went
//   combine:      the weighted sum back, one row per token
void router_topk(const bf16* logits, const float* bias, int* expert, float* weight, int* rank, int* count, long tokens, int experts,
                 int topk, cudaStream_t s);
struct GroupProblem {  // device arrays of one grouped GEMM, one entry per expert: y[rows, n] = x[rows, k] W^T
  int* shape;          // (n, rows, k)
  const bf16** x;
  bf16** y;
  const bf16* x_base;
  bf16* y_base;
  int n, k;
};
void group_rows(int* count, int* first, int* distinct, const GroupProblem& a, const GroupProblem& b, int experts, cudaStream_t s);
void permute(const bf16* x, const int* expert, const int* rank, const int* first, int* row, bf16* y, long tokens, int topk, long width,
             cudaStream_t s);
void combine(const bf16* y, const int* row, const float* weight, bf16* out, long tokens, int topk, long width, cudaStream_t s);

}  // namespace harness
