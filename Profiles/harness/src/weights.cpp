#include "weights.hpp"

#include <cmath>

#include "kernels.hpp"

namespace harness {

// Scaled so that a product with rows of unit variance has unit variance again: activations keep their size through the layers
// and tokens keep apart, so that the router spreads them as widely as random tokens can be spread.
bf16* Weights::matrix(long rows, long columns, float gain) {
  bf16* p = arena_.take<bf16>(std::size_t(rows * columns));
  fill_random(p, std::size_t(rows * columns), seed_++, gain * std::sqrt(3.f / float(columns)), stream_);
  return p;
}

std::size_t Weights::bytes(const Model& m, const Shard& s) {
  const long experts = std::max(1L, m.experts);
  const long layer = s.hidden * (s.qkv_width() + s.o_width() + m.experts + 2) + 2 * s.head_dim + experts * 3 * s.inter * s.hidden;
  const long total = m.layers * layer + (m.vocab + s.vocab + 1) * s.hidden;
  return std::size_t(total) * sizeof(bf16) + (32u << 20);  // and the pointers, and rounding up
}

Weights::Weights(const Model& m, int tp, cudaStream_t stream) : arena_(bytes(m, Shard(m, tp))), stream_(stream) {
  const Shard s(m, tp);
  auto norm = [&](long width) { return matrix(1, width, std::sqrt(float(width))); };  // gains of unit variance
  auto pointers = [&](const bf16* base, long each) {
    std::vector<const bf16*> at;
    for (long e = 0; e < m.experts; ++e) at.push_back(base + e * each);
    const bf16** p = arena_.take<const bf16*>(at.size());
    CUDA_CHECK(cudaMemcpy(p, at.data(), at.size() * sizeof *p, cudaMemcpyHostToDevice));
    return p;
  };
  embedding_ = matrix(m.vocab, s.hidden, std::sqrt(float(s.hidden)));
  norm_ = norm(s.hidden);
  lm_head_ = matrix(s.vocab, s.hidden);
  for (long l = 0; l < m.layers; ++l) {
    LayerWeights w{};
    w.norm1 = norm(s.hidden);
    w.qkv = matrix(s.qkv_width(), s.hidden);
    if (m.qk_norm) w.q_norm = norm(s.head_dim), w.k_norm = norm(s.head_dim);
    w.o = matrix(s.hidden, s.o_width());
    w.norm2 = norm(s.hidden);
    if (m.moe()) {
      w.router = matrix(m.experts, s.hidden);
      w.gate_up = pointers(matrix(m.experts * 2 * s.inter, s.hidden), 2 * s.inter * s.hidden);
      w.down = pointers(matrix(m.experts * s.hidden, s.inter), s.hidden * s.inter);
    } else {
      w.dense_gate_up = matrix(2 * s.inter, s.hidden);
      w.dense_down = matrix(s.hidden, s.inter);
    }
    layers_.push_back(w);
  }
  CUDA_CHECK(cudaStreamSynchronize(stream));
}

}  // namespace harness
