// Scaled-dot-product attention by cuDNN over a KV cache: `q_len` queries at the end of `kv_len` keys of each of `batch`
// sequences of one length, causal, grouped query heads, with or without a sliding window. Decode is q_len 1.
#pragma once
#include <memory>
#include <numeric>
#include <random>

#include "device.hpp"

namespace harness {

struct AttentionShape {
  long batch, q_len, kv_len, heads, kv_heads, head_dim, window, page;
  bool paged;  // else the sequences lie one after another in the same cache, as with an identity page table
  long pages_per_sequence() const { return (kv_len + page - 1) / page; }
  long slots() const { return batch * pages_per_sequence() * page; }
};

// The pages of all sequences, scattered over the cache as after some time of serving; in order where there are no pages.
inline std::vector<int> page_table(const AttentionShape& a) {
  std::vector<int> table(std::size_t(a.batch * a.pages_per_sequence()));
  std::iota(table.begin(), table.end(), 0);
  std::mt19937 rng(7);
  if (a.paged)
    for (std::size_t i = table.size(); i > 1; --i) std::swap(table[i - 1], table[rng() % i]);
  return table;
}
// Cache row of token `t` of sequence `b`.
inline int slot(const AttentionShape& a, const std::vector<int>& table, long b, long t) {
  return int(table[std::size_t(b * a.pages_per_sequence() + t / a.page)] * a.page + t % a.page);
}

class Attention {
 public:
  explicit Attention(const AttentionShape& shape);  // throws Unsupported where cuDNN has no plan
  ~Attention();
  // q, o: [batch * q_len, heads, head_dim]; k, v: [slots, kv_heads, head_dim]
  void launch(const bf16* q, const bf16* k, const bf16* v, bf16* o, cudaStream_t s);
  const AttentionShape& shape() const;
  const std::vector<int>& table() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string cudnn_version();

}  // namespace harness
