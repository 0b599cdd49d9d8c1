// Routing of tokens to experts and back.
#include "kernels.hpp"
#include "pack.cuh"

namespace harness {
namespace {

constexpr int kThreads = 256, kMostExperts = 128;

// One warp per token, four experts to a lane. The largest is taken topk times; the weights are a softmax over the chosen.
__global__ void __launch_bounds__(kThreads) topk_kernel(const bf16* logits, const float* bias, int* expert, float* weight, int* rank,
                                                        int* count, long tokens, int experts, int topk) {
  constexpr int kEach = kMostExperts / 32;
  const long t = (blockIdx.x * long(kThreads) + threadIdx.x) / 32;
  const int lane = threadIdx.x % 32;
  if (t >= tokens) return;
  float v[kEach];
#pragma unroll
  for (int j = 0; j < kEach; ++j) {
    const int e = lane + 32 * j;
    v[j] = -INFINITY;
    if (e < experts) v[j] = __bfloat162float(logits[t * experts + e]) + (bias ? bias[e] : 0.f);
  }
  float top = 0, mine = 0, sum = 0;
  int chosen = 0;
  for (int r = 0; r < topk; ++r) {
    float best = -INFINITY;
    int id = kMostExperts;
#pragma unroll
    for (int j = 0; j < kEach; ++j)
      if (v[j] > best) best = v[j], id = lane + 32 * j;
#pragma unroll
    for (int o = 16; o; o >>= 1) {
      const float b = __shfl_xor_sync(~0u, best, o);
      const int i = __shfl_xor_sync(~0u, id, o);
      if (b > best || (b == best && i < id)) best = b, id = i;
    }
#pragma unroll
    for (int j = 0; j < kEach; ++j)
      if (lane + 32 * j == id) v[j] = -INFINITY;
    if (r == 0) top = best;
    const float p = __expf(best - top);
    sum += p;
    if (lane == r) mine = p, chosen = id;
  }
  if (lane < topk) {
    const long at = t * topk + lane;
    expert[at] = chosen;
    weight[at] = mine / sum;
    rank[at] = atomicAdd(&count[chosen], 1);
  }
}

__device__ void describe(const GroupProblem& p, int e, int first, int rows) {
  p.shape[3 * e] = p.n;
  p.shape[3 * e + 1] = rows;
  p.shape[3 * e + 2] = p.k;
  p.x[e] = p.x_base + std::size_t(first) * p.k;
  p.y[e] = p.y_base + std::size_t(first) * p.n;
}

__global__ void group_kernel(int* count, int* first, int* distinct, GroupProblem a, GroupProblem b, int experts) {
  __shared__ int rows[kMostExperts];
  const int e = threadIdx.x;
  rows[e] = e < experts ? count[e] : 0;
  __syncthreads();
  if (e < experts) {
    int before = 0;
    for (int i = 0; i < e; ++i) before += rows[i];
    first[e] = before;
    describe(a, e, before, rows[e]);
    describe(b, e, before, rows[e]);
    count[e] = 0;
  }
  const int active = __syncthreads_count(rows[e] > 0);
  if (e == 0 && distinct) *distinct = active;
}

__global__ void permute_kernel(const Pack* x, const int* expert, const int* rank, const int* first, int* row, Pack* y, int topk,
                               int width) {
  const long t = blockIdx.x;
  __shared__ int to[32];
  if (int(threadIdx.x) < topk) {
    const long at = t * topk + threadIdx.x;
    row[at] = to[threadIdx.x] = first[expert[at]] + rank[at];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < width; i += kThreads) {
    const Pack p = x[t * width + i];
    for (int r = 0; r < topk; ++r) y[std::size_t(to[r]) * width + i] = p;
  }
}

__global__ void combine_kernel(const Pack* y, const int* row, const float* weight, Pack* out, int topk, int width) {
  const long t = blockIdx.x;
  for (int i = threadIdx.x; i < width; i += kThreads) {
    float sum[8] = {};
#pragma unroll 4
    for (int r = 0; r < topk; ++r) {  // several rows' loads in flight
      const float w = weight[t * topk + r];
      const Pack p = y[std::size_t(row[t * topk + r]) * width + i];
#pragma unroll
      for (int j = 0; j < 8; ++j) sum[j] += w * __bfloat162float(p.v[j]);
    }
    Pack o;
#pragma unroll
    for (int j = 0; j < 8; ++j) o.v[j] = __float2bfloat16(sum[j]);
    out[t * width + i] = o;
  }
}

}  // namespace

void router_topk(const bf16* logits, const float* bias, int* expert, float* weight, int* rank, int* count, long tokens, int experts,
                 int topk, cudaStream_t s) {
  if (tokens == 0) return;
  if (experts > kMostExperts || topk > 32 || topk > experts) throw Unsupported("router_topk: too many experts");
  const unsigned blocks = unsigned((tokens * 32 + kThreads - 1) / kThreads);
  topk_kernel<<<blocks, kThreads, 0, s>>>(logits, bias, expert, weight, rank, count, tokens, experts, topk);
  CUDA_CHECK(cudaGetLastError());
}

void group_rows(int* count, int* first, int* distinct, const GroupProblem& a, const GroupProblem& b, int experts, cudaStream_t s) {
  if (experts > kMostExperts) throw Unsupported("group_rows: too many experts");
  group_kernel<<<1, kMostExperts, 0, s>>>(count, first, distinct, a, b, experts);
  CUDA_CHECK(cudaGetLastError());
}

void permute(const bf16* x, const int* expert, const int* rank, const int* first, int* row, bf16* y, long tokens, int topk, long width,
             cudaStream_t s) {
  if (tokens == 0) return;
  permute_kernel<<<unsigned(tokens), kThreads, 0, s>>>(packs(x), expert, rank, first, row, packs(y), topk, pack_count(width));
  CUDA_CHECK(cudaGetLastError());
}

void combine(const bf16* y, const int* row, const float* weight, bf16* out, long tokens, int topk, long width, cudaStream_t s) {
  if (tokens == 0) return;
  combine_kernel<<<unsigned(tokens), kThreads, 0, s>>>(packs(y), row, weight, packs(out), topk, pack_count(width));
  CUDA_CHECK(cudaGetLastError());
}

}  // namespace harness
