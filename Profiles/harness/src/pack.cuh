// Eight BF16 values moved as one 16-byte access, and sums over a warp or a block.
#pragma once
#include "device.hpp"

namespace harness {

struct alignas(16) Pack {
  bf16 v[8];
};
inline const Pack* packs(const bf16* p) { return reinterpret_cast<const Pack*>(p); }
inline Pack* packs(bf16* p) { return reinterpret_cast<Pack*>(p); }
inline int pack_count(long width) {
  if (width % 8) fail("row", "its length is no multiple of 8", __FILE__, __LINE__);
  return int(width / 8);
}

__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
  for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(~0u, v, o);
  return v;
}

template <int Threads> __device__ __forceinline__ float block_sum(float v) {
  static_assert(Threads % 32 == 0 && Threads <= 1024, "whole warps");
  __shared__ float part[Threads / 32];
  v = warp_sum(v);
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  float sum = 0;
#pragma unroll
  for (int i = 0; i < Threads / 32; ++i) sum += part[i];
  return sum;
}

}  // namespace harness
