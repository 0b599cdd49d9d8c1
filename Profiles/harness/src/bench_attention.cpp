// Attention and the kernel before it, which fills the cache.
#include "attention.hpp"
#include "bench.hpp"
#include "kernels.hpp"
#include "models.hpp"

namespace harness {

using reference::Error;
using reference::Row;

Sample Bench::attention(const Key& key) {
  const AttentionShape a{key.batch, key.q_len, key.kv_len, key.heads, key.kv_heads, key.head_dim, key.window, page_,
                         key.impl == "cudnn_paged"};
  Attention kernel(a);
  const std::size_t d = std::size_t(a.head_dim), q_row = std::size_t(a.heads) * d, kv_row = std::size_t(a.kv_heads) * d;
  const std::size_t q_size = std::size_t(a.batch * a.q_len) * q_row, kv_size = std::size_t(a.slots()) * kv_row;
  struct Set {
    const bf16 *q, *k, *v;
    bf16* o;
  };
  const auto set = sets<Set>(key.bytes, [&](int) { return Set{random(q_size), random(kv_size), random(kv_size), output(q_size)}; });
  auto launch = [&](int i) { kernel.launch(set[i].q, set[i].k, set[i].v, set[i].o, timer_.stream()); };

  poison(set[0].o, q_size);
  launch(0);
  Error e;
  all_written(set[0].o, q_size, e);
  // Two heads of two sequences, their pages put in order first; a few queries of each.
  std::vector<std::pair<long, long>> places{{a.batch - 1, a.heads - 1}};
  if (a.batch * a.heads > 1) places.push_back({0, 0});
  for (auto [b, head] : places) {
    const std::size_t keys = std::size_t(a.kv_len);
    std::vector<int> slots(keys);
    for (std::size_t t = 0; t < keys; ++t) slots[t] = slot(a, kernel.table(), b, long(t));
    const Buffer<int> ids(slots);
    const Buffer<bf16> in_order(keys * kv_row);
    const std::size_t from = std::size_t(head / (a.heads / a.kv_heads)) * d;
    auto one_head = [&](const bf16* cache) {
      gather_rows(ids.get(), cache, in_order.get(), a.kv_len, long(kv_row), timer_.stream());
      CUDA_CHECK(cudaStreamSynchronize(timer_.stream()));
      std::vector<bf16> host(keys * d);
      CUDA_CHECK(cudaMemcpy2D(host.data(), d * sizeof(bf16), in_order.get() + from, kv_row * sizeof(bf16), d * sizeof(bf16), keys,
                              cudaMemcpyDeviceToHost));
      Row wide(host.size());
      for (std::size_t i = 0; i < host.size(); ++i) wide[i] = double(__bfloat162float(host[i]));
      return wide;
    };
    const Row k = one_head(set[0].k), v = one_head(set[0].v);
    for (long i : pick(a.q_len, 4, 1)) {
      const std::size_t at = std::size_t(b * a.q_len + i) * q_row + std::size_t(head) * d;
      const long last = a.kv_len - a.q_len + i + 1, first = a.window ? std::max(0L, last - a.window) : 0;
      e.compare(download_bf16(set[0].o + at, d),
                reference::attention(download_bf16(set[0].q + at, d), k, v, std::size_t(first), std::size_t(last)));
    }
  }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

Sample Bench::qk_norm_rope_kv(const Key& key) {
  const Model& model = *find_model(key.model);
  const long positions = 32768;
  const std::size_t d = std::size_t(key.head_dim), tokens = std::size_t(key.m), heads = std::size_t(key.heads),
                    kv_heads = std::size_t(key.kv_heads), width = (heads + 2 * kv_heads) * d;
  std::mt19937 rng(5);
  std::vector<int> position(tokens), to(tokens);
  for (std::size_t t = 0; t < tokens; ++t) position[t] = int(rng() % unsigned(positions)), to[t] = int(tokens - 1 - t);
  RopeArguments base{};
  base.cos_sin = upload(rope_table(positions, key.head_dim, model.rope_theta));
  base.position = upload(position);
  base.slot = upload(to);
  if (model.qk_norm) base.q_weight = random(d), base.k_weight = random(d);
  base.tokens = key.m;
  base.heads = int(key.heads), base.kv_heads = int(key.kv_heads), base.head_dim = int(key.head_dim);
  const auto set = sets<RopeArguments>(key.bytes, [&](int) {
    RopeArguments a = base;
    a.qkv = random(tokens * width);
    a.q_out = output(tokens * heads * d);
    a.k_cache = output(tokens * kv_heads * d);
    a.v_cache = output(tokens * kv_heads * d);
    return a;
  });
  auto launch = [&](int i) { harness::qk_norm_rope_kv(set[i], timer_.stream()); };

  const RopeArguments& s = set[0];
  poison(s.q_out, tokens * heads * d);
  poison(s.k_cache, tokens * kv_heads * d);
  poison(s.v_cache, tokens * kv_heads * d);
  launch(0);
  Error e;
  all_written(s.q_out, tokens * heads * d, e);
  all_written(s.k_cache, tokens * kv_heads * d, e);
  all_written(s.v_cache, tokens * kv_heads * d, e);
  auto turned = [&](std::size_t t, std::size_t head, const bf16* weight) {
    Row x = download_bf16(s.qkv + t * width + head * d, d);
    if (weight) x = reference::rms_norm(x, download_bf16(weight, d));
    return reference::rope(x, position[t], model.rope_theta);
  };
  for (long i : pick(key.m, 6, 1)) {
    const std::size_t t = std::size_t(i), row = std::size_t(to[t]);
    for (std::size_t h : {std::size_t(0), heads - 1}) e.compare(download_bf16(s.q_out + (t * heads + h) * d, d), turned(t, h, s.q_weight));
    for (std::size_t h : {std::size_t(0), kv_heads - 1}) {
      const std::size_t at = (row * kv_heads + h) * d;
      e.compare(download_bf16(s.k_cache + at, d), turned(t, heads + h, s.k_weight));
      e.compare(download_bf16(s.v_cache + at, d), download_bf16(s.qkv + t * width + (heads + kv_heads + h) * d, d));
    }
  }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

}  // namespace harness
