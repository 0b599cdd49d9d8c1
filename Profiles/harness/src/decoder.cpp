#include "decoder.hpp"

namespace harness {

Decoder::Linear::Linear(const Model& m, const Shard& s, long rows)
    : qkv(rows, s.qkv_width(), s.hidden), o(rows, s.hidden, s.o_width()) {
  if (m.moe()) {
    router = std::make_unique<Gemm>(rows, m.experts, s.hidden);
  } else {
    gate_up = std::make_unique<Gemm>(rows, 2 * s.inter, s.hidden);
    down = std::make_unique<Gemm>(rows, s.hidden, s.inter);
  }
}

// Rows that pass no layer before the group or after it wait in `stored`, as the state between two stages of a layered pass
// does. The state that leaves the group goes elsewhere, so that every replay starts from the same.
void Decoder::forward() {
  const long prefill = plan_.prefill_tokens, batch = plan_.decode_batch, h = shard_.hidden;
  const std::size_t state = std::size_t(prefill * h) * sizeof(bf16);
  const bool resumes = prefill && plan_.layer_begin > 0, leaves = prefill && plan_.layer_end < plan_.layers;
  auto copy = [&](bf16* to, const bf16* from) { CUDA_CHECK(cudaMemcpyAsync(to, from, state, cudaMemcpyDeviceToDevice, stream_)); };

  gather_rows(ids_, weights_.embedding(), residual_, prefill + batch, h, stream_);
  for (long l = 0; l < plan_.layers; ++l) {
    if (resumes && l == plan_.layer_begin) copy(residual_, stored_residual_), copy(delta_, stored_delta_);
    const long first = in_group(l) ? 0 : prefill;
    if (rows_of(l)) layer(l, first, rows_of(l), l == 0);
    if (leaves && l + 1 == plan_.layer_end) copy(leaving_residual_, residual_), copy(leaving_delta_, delta_);
  }
  const long normed = leaves ? prefill : 0;  // first row that went through the last layer
  rms_norm(delta_ + normed * h, residual_ + normed * h, weights_.norm(), residual_ + normed * h, normed_ + normed * h,
           prefill + batch - normed, h, stream_);
  // One row per sequence; a prefill's last row is taken in every stage, as engines do, though only the last one counts.
  const long head = prefill ? prefill - 1 : 0, sequences = prefill + batch - head;
  lm_head_->launch(normed_ + head * h, weights_.lm_head(), logits_, stream_);
  argmax(logits_, sampled_, sequences, shard_.vocab, stream_);
}

// `fresh`: the rows come from the embedding and have no pending output of a layer to add.
void Decoder::layer(long index, long first_row, long rows, bool fresh) {
  const LayerWeights& w = weights_.layer(index);
  const long h = shard_.hidden, prefill = in_group(index) ? plan_.prefill_tokens : 0;
  bf16 *residual = residual_ + first_row * h, *delta = delta_ + first_row * h, *normed = normed_ + first_row * h;
  bf16 *qkv = qkv_ + first_row * shard_.qkv_width(), *q = q_ + first_row * shard_.o_width();
  bf16* attended = attended_ + first_row * shard_.o_width();
  Linear& at = linear(rows);

  rms_norm(fresh ? nullptr : delta, residual, w.norm1, residual, normed, rows, h, stream_);
  at.qkv.launch(normed, w.qkv, qkv, stream_);
  const std::size_t slot_width = std::size_t(shard_.kv_heads * shard_.head_dim), half = std::size_t(cache_slots_) * slot_width;
  bf16* k = cache_.get() + std::size_t(index % caches_) * 2 * half;
  bf16* v = k + half;
  qk_norm_rope_kv({qkv, w.q_norm, w.k_norm, cos_sin_, position_ + first_row, slot_ + first_row, q, k, v, rows, int(shard_.heads),
                   int(shard_.kv_heads), int(shard_.head_dim)},
                  stream_);
  const long window = window_of(index);
  const std::size_t prefill_cache = std::size_t(decode_slots_) * slot_width;  // the prompt's pages lie behind the others'
  if (prefill) prefill_.at(window)->launch(q, k + prefill_cache, v + prefill_cache, attended, stream_);
  if (plan_.decode_batch) {
    const std::size_t skip = std::size_t(prefill * shard_.o_width());
    decode_.at(window)->launch(q + skip, k, v, attended + skip, stream_);
  }
  at.o.launch(attended, w.o, delta, stream_);
  rms_norm(delta, residual, w.norm2, residual, normed, rows, h, stream_);
  mlp(index, first_row, rows);
}

void Decoder::mlp(long index, long first_row, long rows) {
  const LayerWeights& w = weights_.layer(index);
  const long h = shard_.hidden;
  bf16 *delta = delta_ + first_row * h, *normed = normed_ + first_row * h;
  Linear& at = linear(rows);
  if (!model_.moe()) {
    at.gate_up->launch(normed, w.dense_gate_up, gate_up_, stream_);
    silu_mul(gate_up_, activated_, rows, shard_.inter, stream_);
    at.down->launch(activated_, w.dense_down, delta, stream_);
    return;
  }
  const int experts = int(model_.experts), topk = int(model_.topk);
  at.router->launch(normed, w.router, router_logits_, stream_);
  router_topk(router_logits_, bias_ + index * experts, expert_, weight_, rank_, count_, rows, experts, topk, stream_);
  group_rows(count_, first_, distinct_ + index, up_problem_, down_problem_, experts, stream_);
  permute(normed, expert_, rank_, first_, row_, permuted_, rows, topk, h, stream_);
  experts_[std::size_t(index)].gate_up->launch(stream_);
  silu_mul(gate_up_, activated_, rows * topk, shard_.inter, stream_);
  experts_[std::size_t(index)].down->launch(stream_);
  combine(down_, row_, weight_, delta, rows, topk, h, stream_);
}

long Decoder::experts_used() const {
  if (!model_.moe()) return 0;
  long sum = 0;
  for (int n : download(distinct_, std::size_t(plan_.layers))) sum += n;
  return sum;
}

unsigned long long Decoder::bad_values() {
  const Buffer<unsigned long long> bad(std::vector<unsigned long long>{0});
  const long sequences = plan_.decode_batch + (plan_.prefill_tokens > 0);
  add_count_of_bad(logits_, std::size_t(sequences * shard_.vocab), bad.get(), stream_);
  add_count_of_bad(residual_, std::size_t((plan_.prefill_tokens + plan_.decode_batch) * shard_.hidden), bad.get(), stream_);
  CUDA_CHECK(cudaStreamSynchronize(stream_));
  return download(bad.get(), 1)[0];
}

}  // namespace harness
