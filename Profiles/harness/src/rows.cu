// Kernels that work on each row by itself: norm, activation, gather, sampling; and the filling and checking of buffers.
#include <algorithm>

#include "kernels.hpp"
#include "pack.cuh"

namespace harness {
namespace {

constexpr int kThreads = 256;
constexpr int kKeep = 4;  // packs of a row that a thread holds in registers: rows of up to 8192

__device__ std::uint64_t hash(std::uint64_t z) {  // SplitMix64
  z += 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

__global__ void fill_kernel(Pack* p, std::size_t n, std::uint64_t seed, float scale) {
  const std::size_t step = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = blockIdx.x * std::size_t(blockDim.x) + threadIdx.x; i < n; i += step) {
    Pack out;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      std::uint64_t bits = hash(hash(seed) + 2 * i + half);
#pragma unroll
      for (int j = 0; j < 4; ++j, bits >>= 16)
        out.v[half * 4 + j] = __float2bfloat16(scale * (float(bits & 0xffff) + 0.5f - 32768.f) * (1.f / 32768.f));
    }
    p[i] = out;
  }
}

__global__ void bad_kernel(const bf16* p, std::size_t n, unsigned long long* bad) {
  unsigned long long mine = 0;
  const std::size_t step = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = blockIdx.x * std::size_t(blockDim.x) + threadIdx.x; i < n; i += step) mine += !isfinite(__bfloat162float(p[i]));
  if (mine) atomicAdd(bad, mine);
}

__global__ void gather_kernel(const int* id, const Pack* table, Pack* y, int width) {
  const std::size_t from = std::size_t(id[blockIdx.x]) * width, to = std::size_t(blockIdx.x) * width;
  for (int i = threadIdx.x; i < width; i += kThreads) y[to + i] = table[from + i];
}

__global__ void __launch_bounds__(kThreads)
rms_norm_kernel(const Pack* x, const Pack* residual_in, const Pack* weight, Pack* residual_out, Pack* y, int width) {
  const std::size_t row = std::size_t(blockIdx.x) * width;
  Pack keep[kKeep];
  float sum = 0;
#pragma unroll
  for (int c = 0; c < kKeep; ++c) {
    const int i = threadIdx.x + c * kThreads;
    if (i >= width) break;
    const Pack b = residual_in[row + i];
    Pack a{};
    if (x) a = x[row + i];
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const float v = __bfloat162float(a.v[j]) + __bfloat162float(b.v[j]);
      keep[c].v[j] = __float2bfloat16(v);
      sum += v * v;
    }
    residual_out[row + i] = keep[c];
  }
  const float scale = rsqrtf(block_sum<kThreads>(sum) / float(width * 8) + 1e-6f);
#pragma unroll
  for (int c = 0; c < kKeep; ++c) {
    const int i = threadIdx.x + c * kThreads;
    if (i >= width) break;
    const Pack w = weight[i];
    Pack out;
#pragma unroll
    for (int j = 0; j < 8; ++j) out.v[j] = __float2bfloat16(__bfloat162float(keep[c].v[j]) * scale * __bfloat162float(w.v[j]));
    y[row + i] = out;
  }
}

__global__ void silu_mul_kernel(const Pack* gate_up, Pack* y, int width, std::size_t total) {
  const std::size_t step = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t at = blockIdx.x * std::size_t(blockDim.x) + threadIdx.x; at < total; at += step) {
    const std::size_t row = at / width, i = at % width;
    Pack g = gate_up[row * 2 * width + i];
    const Pack u = gate_up[row * 2 * width + width + i];
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const float a = __bfloat162float(g.v[j]);
      g.v[j] = __float2bfloat16(a / (1.f + __expf(-a)) * __bfloat162float(u.v[j]));
    }
    y[at] = g;
  }
}

constexpr int kVocabThreads = 1024;  // few rows and long ones: as many loads in flight per row as a block can have

__device__ bool better(float v, int at, float best, int best_at) { return v > best || (v == best && at < best_at); }

__global__ void __launch_bounds__(kVocabThreads) argmax_kernel(const Pack* logits, int* id, int width) {
  const Pack* row = logits + std::size_t(blockIdx.x) * width;
  float best = -INFINITY;
  int at = 0;
  for (int i = threadIdx.x; i < width; i += kVocabThreads) {
    const Pack p = row[i];
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const float v = __bfloat162float(p.v[j]);
      if (v > best) best = v, at = i * 8 + j;
    }
  }
  __shared__ float value[kVocabThreads];
  __shared__ int index[kVocabThreads];
  value[threadIdx.x] = best;
  index[threadIdx.x] = at;
  for (int o = kVocabThreads / 2; o; o >>= 1) {
    __syncthreads();
    if (int(threadIdx.x) < o && better(value[threadIdx.x + o], index[threadIdx.x + o], value[threadIdx.x], index[threadIdx.x])) {
      value[threadIdx.x] = value[threadIdx.x + o];
      index[threadIdx.x] = index[threadIdx.x + o];
    }
  }
  if (threadIdx.x == 0) id[blockIdx.x] = index[0];
}

// For kernels that stride over their data: a thread for each piece, up to what fills any GPU several times.
unsigned blocks_for(std::size_t pieces) { return unsigned(std::min<std::size_t>((pieces + kThreads - 1) / kThreads, 8192)); }

}  // namespace

void fill_random(bf16* p, std::size_t n, std::uint64_t seed, float scale, cudaStream_t s) {
  if (n == 0) return;
  if (n % 8) fail("fill_random", "the length is no multiple of 8", __FILE__, __LINE__);
  fill_kernel<<<blocks_for(n / 8), kThreads, 0, s>>>(packs(p), n / 8, seed, scale);
  CUDA_CHECK(cudaGetLastError());
}

void add_count_of_bad(const bf16* p, std::size_t n, unsigned long long* bad, cudaStream_t s) {
  if (n == 0) return;
  bad_kernel<<<blocks_for(n), kThreads, 0, s>>>(p, n, bad);
  CUDA_CHECK(cudaGetLastError());
}

void gather_rows(const int* id, const bf16* table, bf16* y, long rows, long width, cudaStream_t s) {
  if (rows == 0) return;
  gather_kernel<<<unsigned(rows), kThreads, 0, s>>>(id, packs(table), packs(y), pack_count(width));
  CUDA_CHECK(cudaGetLastError());
}

void rms_norm(const bf16* x, const bf16* residual_in, const bf16* weight, bf16* residual_out, bf16* y, long rows, long width,
              cudaStream_t s) {
  if (rows == 0) return;
  if (pack_count(width) > kKeep * kThreads) throw Unsupported("rms_norm: the row is too long");
  rms_norm_kernel<<<unsigned(rows), kThreads, 0, s>>>(packs(x), packs(residual_in), packs(weight), packs(residual_out), packs(y),
                                                      pack_count(width));
  CUDA_CHECK(cudaGetLastError());
}

void silu_mul(const bf16* gate_up, bf16* y, long rows, long inter, cudaStream_t s) {
  const std::size_t total = std::size_t(rows) * pack_count(inter);
  if (total == 0) return;
  silu_mul_kernel<<<blocks_for(total), kThreads, 0, s>>>(packs(gate_up), packs(y), pack_count(inter), total);
  CUDA_CHECK(cudaGetLastError());
}

void argmax(const bf16* logits, int* id, long rows, long vocab, cudaStream_t s) {
  if (rows == 0) return;
  argmax_kernel<<<unsigned(rows), kVocabThreads, 0, s>>>(packs(logits), id, pack_count(vocab));
  CUDA_CHECK(cudaGetLastError());
}

}  // namespace harness
