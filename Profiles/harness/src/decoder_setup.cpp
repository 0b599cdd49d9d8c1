// What an iteration needs before it can run: buffers for its rows, a cache filled as by earlier iterations, plans of kernels.
#include <cmath>
#include <numeric>
#include <random>

#include "decoder.hpp"

namespace harness {

Decoder::Decoder(const Model& model, const Weights& weights, const Plan& plan, long page, cudaStream_t s)
    : model_(model), shard_(model, plan.tp), weights_(weights), plan_(plan), page_(page), stream_(s) {
  make_attention();
  make_rows();
  make_cache();
  for (long l : {plan_.layer_begin, 0L, plan_.layers - 1})
    if (rows_of(l) && !linear_.count(rows_of(l))) linear_[rows_of(l)] = std::make_unique<Linear>(model_, shard_, rows_of(l));
  lm_head_ = std::make_unique<Gemm>(plan_.decode_batch + (plan_.prefill_tokens > 0), shard_.vocab, shard_.hidden);
  if (model_.moe()) make_experts();
  CUDA_CHECK(cudaStreamSynchronize(stream_));
}

// Paged where cuDNN has a plan for that, else in one run per sequence; all of a kind, since they share the cache.
void Decoder::make_attention() {
  auto make = [&] {
    prefill_.clear();
    decode_.clear();
    for (long window : {model_.window, 0L}) {
      const AttentionShape base{1, 0, 0, shard_.heads, shard_.kv_heads, shard_.head_dim, window, page_, paged_};
      if (plan_.prefill_tokens) {
        AttentionShape a = base;
        a.q_len = plan_.prefill_tokens, a.kv_len = plan_.prefill_prefix + plan_.prefill_tokens;
        if (!prefill_.count(window)) prefill_[window] = std::make_unique<Attention>(a);
      }
      if (plan_.decode_batch) {
        AttentionShape a = base;
        a.batch = plan_.decode_batch, a.q_len = 1, a.kv_len = plan_.decode_context;
        if (!decode_.count(window)) decode_[window] = std::make_unique<Attention>(a);
      }
    }
  };
  try {
    make();
  } catch (const Unsupported&) {
    paged_ = false;
    make();
  }
  decode_slots_ = decode_.empty() ? 0 : decode_.at(0)->shape().slots();
  cache_slots_ = decode_slots_ + (prefill_.empty() ? 0 : prefill_.at(0)->shape().slots());
}

void Decoder::make_cache() {
  const std::size_t each = std::size_t(2 * cache_slots_ * shard_.kv_heads * shard_.head_dim);
  std::size_t free = 0, total = 0;
  CUDA_CHECK(cudaMemGetInfo(&free, &total));
  const std::size_t reserve = std::min(std::size_t(3) << 30, total / 8);  // for workspaces, modules and graphs
  const std::size_t room = free > reserve ? (free - reserve) / (each * sizeof(bf16)) : 0;
  if (room == 0) throw Unsupported("not even one layer's KV cache fits in memory");
  caches_ = std::min(plan_.layers, long(room));
  cache_ = Buffer<bf16>(each * std::size_t(caches_));
  fill_random(cache_.get(), cache_.size(), 99, 1.f, stream_);
}

void Decoder::make_rows() {
  const std::size_t prefill = std::size_t(plan_.prefill_tokens), batch = std::size_t(plan_.decode_batch), rows = prefill + batch;
  const std::size_t h = std::size_t(shard_.hidden), q = std::size_t(shard_.o_width()), inter = std::size_t(shard_.inter);
  const std::size_t experts = std::size_t(model_.experts), layers = std::size_t(plan_.layers);
  const std::size_t pairs = rows * std::size_t(std::max(1L, model_.topk)), sequences = batch + (prefill > 0);
  const long positions = std::max(plan_.prefill_prefix + plan_.prefill_tokens, plan_.decode_context);

  const std::size_t elements = rows * (3 * h + std::size_t(shard_.qkv_width()) + 2 * q + experts) + 4 * prefill * h +
                               pairs * (2 * h + 3 * inter) + sequences * std::size_t(shard_.vocab);
  const std::size_t small = rows * 3 + pairs * 4 + experts * (16 + layers) + layers + sequences + std::size_t(positions) * 2 * 64;
  activations_ = std::make_unique<Arena>(elements * sizeof(bf16) + small * sizeof(int) + (1u << 20));

  residual_ = take<bf16>(rows * h), delta_ = take<bf16>(rows * h), normed_ = take<bf16>(rows * h);
  qkv_ = take<bf16>(rows * std::size_t(shard_.qkv_width())), q_ = take<bf16>(rows * q), attended_ = take<bf16>(rows * q);
  stored_residual_ = take<bf16>(prefill * h), stored_delta_ = take<bf16>(prefill * h);
  leaving_residual_ = take<bf16>(prefill * h), leaving_delta_ = take<bf16>(prefill * h);
  router_logits_ = take<bf16>(rows * experts);
  permuted_ = take<bf16>(pairs * h), down_ = take<bf16>(pairs * h);
  gate_up_ = take<bf16>(pairs * 2 * inter), activated_ = take<bf16>(pairs * inter);
  logits_ = take<bf16>(sequences * std::size_t(shard_.vocab));
  expert_ = take<int>(pairs), rank_ = take<int>(pairs), row_ = take<int>(pairs), weight_ = take<float>(pairs);
  count_ = take<int>(experts), first_ = take<int>(experts), distinct_ = take<int>(layers), sampled_ = take<int>(sequences);
  CUDA_CHECK(cudaMemsetAsync(count_, 0, experts * sizeof(int), stream_));
  const float unit = std::sqrt(3.f);
  fill_random(stored_residual_, prefill * h, 41, unit, stream_);
  fill_random(stored_delta_, prefill * h, 42, unit, stream_);
  fill_random(normed_, rows * h, 43, unit, stream_);  // the rows that a layered stage's LM head reads before they are real

  std::mt19937 rng(17);
  std::vector<int> ids, position, slots;
  for (std::size_t i = 0; i < rows; ++i) ids.push_back(int(rng() % unsigned(model_.vocab)));
  for (long i = 0; i < plan_.prefill_tokens; ++i) {
    const Attention& a = *prefill_.at(0);
    position.push_back(int(plan_.prefill_prefix + i));
    slots.push_back(int(decode_slots_) + slot(a.shape(), a.table(), 0, plan_.prefill_prefix + i));
  }
  for (long b = 0; b < plan_.decode_batch; ++b) {
    const Attention& a = *decode_.at(0);
    position.push_back(int(plan_.decode_context - 1));
    slots.push_back(slot(a.shape(), a.table(), b, plan_.decode_context - 1));
  }
  auto upload = [&](auto& host) {
    using T = typename std::decay_t<decltype(host)>::value_type;
    T* p = take<T>(host.size());
    CUDA_CHECK(cudaMemcpy(p, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
    return p;
  };
  ids_ = upload(ids), position_ = upload(position), slot_ = upload(slots);
  auto table = rope_table(positions, shard_.head_dim, model_.rope_theta);
  cos_sin_ = upload(table);
  // Popularity that differs between the experts of a layer, in an order that differs between layers.
  std::vector<float> bias;
  std::vector<int> order(experts);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t l = 0; l < layers && experts; ++l) {
    for (std::size_t i = experts; i > 1; --i) std::swap(order[i - 1], order[rng() % i]);
    for (std::size_t e = 0; e < experts; ++e) bias.push_back(float(-plan_.skew * std::log(order[e] + 1.0)));
  }
  bias_ = upload(bias);
}

void Decoder::make_experts() {
  const std::size_t experts = std::size_t(model_.experts);
  auto problem = [&](const bf16* x, bf16* y, long n, long k) {
    return GroupProblem{take<int>(3 * experts), take<const bf16*>(experts), take<bf16*>(experts), x, y, int(n), int(k)};
  };
  up_problem_ = problem(permuted_, gate_up_, 2 * shard_.inter, shard_.hidden);
  down_problem_ = problem(activated_, down_, shard_.hidden, shard_.inter);
  experts_.resize(std::size_t(plan_.layers));
  for (long l = 0; l < plan_.layers; ++l) {
    if (rows_of(l) == 0) continue;
    const int tile = tile_for(double(rows_of(l) * model_.topk) / double(model_.experts));
    Experts& e = experts_[std::size_t(l)];
    e.gate_up = GroupedGemm::make(tile, up_problem_, weights_.layer(l).gate_up, int(experts));
    e.down = GroupedGemm::make(tile, down_problem_, weights_.layer(l).down, int(experts));
  }
}

}  // namespace harness
