// One iteration of a decoder as a serving engine executes it: rows of [prefill | decode] tokens through the layers that each
// has to pass, in one stream of launches that can be captured.
#pragma once
#include <map>
#include <memory>

#include "attention.hpp"
#include "gemm.hpp"
#include "grouped_gemm.hpp"
#include "plans.hpp"
#include "weights.hpp"

namespace harness {

class DecoderReference;

class Decoder {
 public:
  Decoder(const Model& model, const Weights& weights, const Plan& plan, long page, cudaStream_t s);
  void forward();
  // Distinct experts, summed over layers, of the last forward. Zero for a dense model.
  long experts_used() const;
  // NaN and infinite values among what the last forward computed.
  unsigned long long bad_values();
  // Layers that have a KV cache of their own. Fewer than there are where memory does not suffice: layers then take turns,
  // which times the same, since a cache that large has left the L2 before its turn comes again.
  long caches() const { return caches_; }
  bool paged() const { return paged_; }

 private:
  friend class DecoderReference;
  struct Linear {  // the projections at one number of rows
    Linear(const Model& m, const Shard& s, long rows);
    Gemm qkv, o;
    std::unique_ptr<Gemm> router, gate_up, down;
  };
  struct Experts {
    std::unique_ptr<GroupedGemm> gate_up, down;
  };
  void layer(long index, long first_row, long rows, bool fresh);
  void mlp(long index, long first_row, long rows);
  void make_attention();
  void make_cache();
  void make_rows();
  void make_experts();
  bool in_group(long index) const { return plan_.prefill_tokens > 0 && index >= plan_.layer_begin && index < plan_.layer_end; }
  long rows_of(long index) const { return plan_.decode_batch + (in_group(index) ? plan_.prefill_tokens : 0); }
  long window_of(long index) const { return index % 2 == 0 ? model_.window : 0; }
  Linear& linear(long rows) { return *linear_.at(rows); }
  template <class T> T* take(std::size_t n) { return activations_->take<T>(n); }

  Model model_;
  Shard shard_;
  const Weights& weights_;
  Plan plan_;
  long page_;
  cudaStream_t stream_;
  bool paged_ = true;
  long caches_ = 0, cache_slots_ = 0, decode_slots_ = 0;

  std::unique_ptr<Arena> activations_;
  bf16 *residual_, *delta_, *normed_, *qkv_, *q_, *attended_;
  bf16 *stored_residual_, *stored_delta_, *leaving_residual_, *leaving_delta_;
  bf16 *router_logits_, *permuted_, *gate_up_, *activated_, *down_, *logits_;
  int *ids_, *position_, *slot_, *expert_, *rank_, *row_, *count_, *first_, *distinct_, *sampled_;
  float *weight_, *bias_;
  float2* cos_sin_;
  GroupProblem up_problem_{}, down_problem_{};

  Buffer<bf16> cache_;
  std::map<long, std::unique_ptr<Attention>> prefill_, decode_;  // by window
  std::map<long, std::unique_ptr<Linear>> linear_;               // by rows
  std::unique_ptr<Gemm> lm_head_;
  std::vector<Experts> experts_;
};

}  // namespace harness
