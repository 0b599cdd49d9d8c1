// Query and key normalisation, rotary embedding and the write into the KV cache, in one pass over the QKV projection.
#include <cmath>

#include "kernels.hpp"
#include "pack.cuh"

namespace harness {
namespace {

constexpr int kThreads = 256;

template <int N> struct alignas(2 * N) Few {
  bf16 v[N];
};

// One warp per token and head. A lane holds elements i.. of the first half of the head and the same of the second, which are
// the pairs that the rotation mixes.
template <int HeadDim> __global__ void __launch_bounds__(kThreads) rope_kernel(RopeArguments a) {
  constexpr int kHalf = HeadDim / 2, kEach = kHalf / 32;
  using Part = Few<kEach>;
  const int per_token = a.heads + 2 * a.kv_heads;
  const long warp = (blockIdx.x * long(kThreads) + threadIdx.x) / 32;
  const long t = warp / per_token;
  if (t >= a.tokens) return;
  const int h = int(warp % per_token), lane = threadIdx.x % 32, i = lane * kEach;
  const bf16* in = a.qkv + (t * per_token + h) * HeadDim;
  Part low = *reinterpret_cast<const Part*>(in + i), high = *reinterpret_cast<const Part*>(in + kHalf + i);

  const bool is_q = h < a.heads, is_v = h >= a.heads + a.kv_heads;
  bf16* out;
  if (is_q) {
    out = a.q_out + (t * a.heads + h) * HeadDim;
  } else {
    const long at = (long(a.slot[t]) * a.kv_heads + (h - a.heads) % a.kv_heads) * HeadDim;
    out = (is_v ? a.v_cache : a.k_cache) + at;
  }
  if (!is_v) {
    float x[kEach], y[kEach], sum = 0;
#pragma unroll
    for (int j = 0; j < kEach; ++j) {
      x[j] = __bfloat162float(low.v[j]);
      y[j] = __bfloat162float(high.v[j]);
      sum += x[j] * x[j] + y[j] * y[j];
    }
    if (const bf16* weight = is_q ? a.q_weight : a.k_weight) {
      const float scale = rsqrtf(warp_sum(sum) / HeadDim + 1e-6f);
#pragma unroll
      for (int j = 0; j < kEach; ++j) {
        x[j] *= scale * __bfloat162float(weight[i + j]);
        y[j] *= scale * __bfloat162float(weight[kHalf + i + j]);
      }
    }
    const float2* angle = a.cos_sin + long(a.position[t]) * kHalf + i;
#pragma unroll
    for (int j = 0; j < kEach; ++j) {
      const float2 cs = angle[j];
      low.v[j] = __float2bfloat16(x[j] * cs.x - y[j] * cs.y);
      high.v[j] = __float2bfloat16(y[j] * cs.x + x[j] * cs.y);
    }
  }
  *reinterpret_cast<Part*>(out + i) = low;
  *reinterpret_cast<Part*>(out + kHalf + i) = high;
}

}  // namespace

void qk_norm_rope_kv(const RopeArguments& a, cudaStream_t s) {
  if (a.tokens == 0) return;
  const long warps = a.tokens * (a.heads + 2 * a.kv_heads);
  const unsigned blocks = unsigned((warps * 32 + kThreads - 1) / kThreads);
  if (a.head_dim == 128) rope_kernel<128><<<blocks, kThreads, 0, s>>>(a);
  else if (a.head_dim == 64) rope_kernel<64><<<blocks, kThreads, 0, s>>>(a);
  else throw Unsupported("qk_norm_rope_kv: head_dim is neither 64 nor 128");
  CUDA_CHECK(cudaGetLastError());
}

// A table, as engines keep it: sines of large angles computed in float on the fly would be off by more than BF16 rounds.
std::vector<float2> rope_table(long positions, long head_dim, double theta) {
  const long half = head_dim / 2;
  std::vector<float2> table(std::size_t(positions * half));
  std::vector<double> frequency(static_cast<std::size_t>(half));
  for (long i = 0; i < half; ++i) frequency[std::size_t(i)] = std::pow(theta, -2.0 * double(i) / double(head_dim));
  for (long p = 0; p < positions; ++p)
    for (long i = 0; i < half; ++i) {
      const double angle = double(p) * frequency[std::size_t(i)];
      table[std::size_t(p * half + i)] = make_float2(float(std::cos(angle)), float(std::sin(angle)));
    }
  return table;
}

}  // namespace harness
