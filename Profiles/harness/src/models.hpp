// The models whose kernels are profiled, and their shapes on one rank of a tensor-parallel group.
#pragma once
#include <algorithm>
#include <array>
#include <string_view>

namespace harness {

struct Model {
  const char* name;
  long layers, hidden, inter, vocab;  // inter: of one expert, or of the dense MLP
  long heads, kv_heads, head_dim;
  long experts, topk;  // 0 for a dense model
  bool qk_norm;
  double rope_theta;
  long window;  // sliding window of every other layer, beginning with the first; 0 for none
  bool moe() const { return experts > 0; }
};

// From the public configurations. The biases and attention sinks of gpt-oss are left out: their bytes are negligible.
inline constexpr std::array<Model, 4> kModels{{
    {"qwen3-30b-a3b", 48, 2048, 768, 151936, 32, 4, 128, 128, 8, true, 1e6, 0},
    {"gpt-oss-20b", 24, 2880, 2880, 201088, 64, 8, 64, 32, 4, false, 150e3, 128},
    {"qwen3-8b", 36, 4096, 12288, 151936, 32, 8, 128, 0, 0, true, 1e6, 0},
    {"llama-3.1-8b", 32, 4096, 14336, 128256, 32, 8, 128, 0, 0, false, 500e3, 0},
}};

inline const Model* find_model(std::string_view name) {
  auto it = std::find_if(kModels.begin(), kModels.end(), [&](const Model& m) { return name == m.name; });
  return it == kModels.end() ? nullptr : &*it;
}

// What one of `tp` ranks computes: heads, MLP width and vocabulary are split, the hidden size and the router are not.
struct Shard {
  Shard(const Model& m, int tp)
      : tp(tp), heads(m.heads / tp), kv_heads(std::max(1L, m.kv_heads / tp)), head_dim(m.head_dim),
        inter(m.inter / tp), vocab(m.vocab / tp), hidden(m.hidden) {}
  int tp;
  long heads, kv_heads, head_dim, inter, vocab, hidden;
  long qkv_width() const { return (heads + 2 * kv_heads) * head_dim; }
  long o_width() const { return heads * head_dim; }
};

}  // namespace harness
