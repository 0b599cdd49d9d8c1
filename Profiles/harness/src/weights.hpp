// Random weights of a whole model, or of one rank's share of it, on the GPU.
#pragma once
#include "device.hpp"
#include "models.hpp"

namespace harness {

struct LayerWeights {
  bf16 *norm1, *qkv, *q_norm, *k_norm, *o, *norm2;  // q_norm and k_norm null where the model has none
  bf16* router;
  const bf16 *const *gate_up, *const *down;  // device arrays of one pointer per expert; for a dense model, `dense_*`
  bf16 *dense_gate_up, *dense_down;
};

class Weights {
 public:
  Weights(const Model& model, int tp, cudaStream_t s);
  const LayerWeights& layer(long i) const { return layers_[std::size_t(i)]; }
  const bf16* embedding() const { return embedding_; }
  const bf16* norm() const { return norm_; }
  const bf16* lm_head() const { return lm_head_; }
  long layers() const { return long(layers_.size()); }

 private:
  bf16* matrix(long rows, long columns, float gain = 1);
  static std::size_t bytes(const Model& model, const Shard& s);

  Arena arena_;
  cudaStream_t stream_;
  std::uint64_t seed_ = 1;
  std::vector<LayerWeights> layers_;
  bf16 *embedding_, *norm_, *lm_head_;
};

}  // namespace harness
