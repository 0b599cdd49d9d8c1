#include "decoder_check.hpp"

#include "decoder.hpp"
#include "reference.hpp"

namespace harness {

using reference::Row;

// Rounding to BF16 between some ten kernels a layer adds up to a percent or so; a wrong wire is wrong by all there is. The
// median over rows, because rounding may tip a close choice of experts, which makes that one row another.
constexpr double kWholeTolerance = 3e-2;

// The same iteration in double precision, from the decoder's own weights, tokens and cache.
class DecoderReference {
 public:
  explicit DecoderReference(const Decoder& d)
      : d_(d), m_(d.model_), s_(d.shard_), prefill_(d.plan_.prefill_tokens), batch_(d.plan_.decode_batch),
        rows_(prefill_ + batch_), cache_(download_bf16(d.cache_.get(), d.cache_.size())),
        position_(download(d.position_, std::size_t(rows_))), slot_(download(d.slot_, std::size_t(rows_))) {}

  void forward() {
    for (int id : download(d_.ids_, std::size_t(rows_)))
      residual_.push_back(download_bf16(d_.weights_.embedding() + std::size_t(id * s_.hidden), std::size_t(s_.hidden)));
    delta_.assign(std::size_t(rows_), Row(std::size_t(s_.hidden), 0.0));
    for (long l = 0; l < d_.plan_.layers; ++l) {
      if (prefill_ && l > 0 && l == d_.plan_.layer_begin)
        for (long r = 0; r < prefill_; ++r) residual_[at(r)] = row(d_.stored_residual_, r), delta_[at(r)] = row(d_.stored_delta_, r);
      layer(l, d_.in_group(l) ? 0 : prefill_);
    }
  }

  // Median over rows of the relative error of the logits, of rows that went through the last layer.
  double logits_error() const {
    const bool leaves = prefill_ && d_.plan_.layer_end < d_.plan_.layers;
    const long head = prefill_ ? prefill_ - 1 : 0;
    std::vector<double> errors;
    for (long r = leaves ? prefill_ : head; r < rows_; ++r) {
      const Row y = reference::rms_norm(sum(residual_[at(r)], delta_[at(r)]), matrix(d_.weights_.norm(), s_.hidden));
      const Row want = product(d_.weights_.lm_head(), s_.vocab, y);
      errors.push_back(error(download_bf16(d_.logits_ + std::size_t((r - head) * s_.vocab), std::size_t(s_.vocab)), want));
    }
    return median(errors);
  }
  // The same of the hidden states that leave the group.
  double leaving_error() const {
    std::vector<double> errors;
    for (long r = 0; r < prefill_; ++r)
      errors.push_back(error(sum(row(d_.leaving_residual_, r), row(d_.leaving_delta_, r)), sum(residual_[at(r)], delta_[at(r)])));
    return median(errors);
  }

 private:
  static std::size_t at(long r) { return std::size_t(r); }
  static Row sum(Row a, const Row& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  static double error(const Row& got, const Row& want) {
    reference::Error e;
    e.compare(got, want);
    return e.value();
  }
  static double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v.empty() ? 0 : v[v.size() / 2];
  }
  Row row(const bf16* p, long r) const { return download_bf16(p + std::size_t(r * s_.hidden), std::size_t(s_.hidden)); }
  const Row& matrix(const bf16* p, long n) const {
    Row& m = matrices_[p];
    if (m.empty()) m = download_bf16(p, std::size_t(n));
    return m;
  }
  Row product(const bf16* w, long n, const Row& x) const {
    const Row& all = matrix(w, n * long(x.size()));
    Row y(std::size_t(n), 0.0);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::inner_product(x.begin(), x.end(), all.begin() + long(i * x.size()), 0.0);
    return y;
  }

  void layer(long index, long first_row) {
    const LayerWeights& w = d_.weights_.layer(index);
    const std::size_t d = std::size_t(s_.head_dim), width = std::size_t(s_.kv_heads) * d;
    const std::size_t k_base = std::size_t(index % d_.caches_) * 2 * std::size_t(d_.cache_slots_) * width;
    const std::size_t v_base = k_base + std::size_t(d_.cache_slots_) * width;
    std::vector<std::vector<Row>> queries(at(rows_));
    for (long r = first_row; r < rows_; ++r) {
      residual_[at(r)] = sum(residual_[at(r)], delta_[at(r)]);
      const Row qkv = product(w.qkv, s_.qkv_width(), reference::rms_norm(residual_[at(r)], matrix(w.norm1, s_.hidden)));
      for (long h = 0; h < s_.heads + 2 * s_.kv_heads; ++h) {
        Row x(qkv.begin() + h * long(d), qkv.begin() + (h + 1) * long(d));
        const bool is_q = h < s_.heads, is_v = h >= s_.heads + s_.kv_heads;
        if (!is_v) {
          if (w.q_norm) x = reference::rms_norm(x, matrix(is_q ? w.q_norm : w.k_norm, s_.head_dim));
          x = reference::rope(x, position_[at(r)], m_.rope_theta);
        }
        if (is_q) queries[at(r)].push_back(x);
        else std::copy(x.begin(), x.end(), cache_.begin() + long((is_v ? v_base : k_base) + std::size_t(slot_[at(r)]) * width +
                                                                 std::size_t((h - s_.heads) % s_.kv_heads) * d));
      }
    }
    for (long r = first_row; r < rows_; ++r) {
      const Row o = product(w.o, s_.hidden, attend(index, r, queries[at(r)], k_base, v_base));
      residual_[at(r)] = sum(residual_[at(r)], o);
      delta_[at(r)] = mlp(w, reference::rms_norm(residual_[at(r)], matrix(w.norm2, s_.hidden)));
    }
  }

  Row attend(long index, long r, const std::vector<Row>& queries, std::size_t k_base, std::size_t v_base) const {
    const bool prompt = r < prefill_;
    const Attention& a = *(prompt ? d_.prefill_ : d_.decode_).at(0);
    const long keys = prompt ? d_.plan_.prefill_prefix + r + 1 : d_.plan_.decode_context, window = d_.window_of(index);
    const std::size_t d = std::size_t(s_.head_dim);
    Row out;
    for (long h = 0; h < s_.heads; ++h) {
      Row k, v;
      for (long t = window ? std::max(0L, keys - window) : 0; t < keys; ++t) {
        const std::size_t slot_at = std::size_t(slot(a.shape(), a.table(), prompt ? 0 : r - prefill_, t) + (prompt ? d_.decode_slots_ : 0));
        const std::size_t head = std::size_t(h / (s_.heads / s_.kv_heads));
        const auto from = [&](std::size_t base) { return cache_.begin() + long(base + (slot_at * std::size_t(s_.kv_heads) + head) * d); };
        k.insert(k.end(), from(k_base), from(k_base) + long(d));
        v.insert(v.end(), from(v_base), from(v_base) + long(d));
      }
      const Row one = reference::attention(queries[std::size_t(h)], k, v, 0, k.size() / d);
      out.insert(out.end(), one.begin(), one.end());
    }
    return out;
  }

  Row gated(const bf16* gate_up, const bf16* down, const Row& x) const {
    const Row both = product(gate_up, 2 * s_.inter, x);
    const auto middle = both.begin() + s_.inter;
    return product(down, s_.hidden, reference::silu_mul(Row(both.begin(), middle), Row(middle, both.end())));
  }
  Row mlp(const LayerWeights& w, const Row& x) const {
    if (!m_.moe()) return gated(w.dense_gate_up, w.dense_down, x);
    const auto gate_up = download(w.gate_up, std::size_t(m_.experts)), down = download(w.down, std::size_t(m_.experts));
    const auto choice = reference::topk(product(w.router, m_.experts, x), int(m_.topk));
    Row y(x.size(), 0.0);
    for (std::size_t i = 0; i < choice.expert.size(); ++i) {
      const std::size_t e = std::size_t(choice.expert[i]);
      const Row one = gated(gate_up[e], down[e], x);
      for (std::size_t j = 0; j < y.size(); ++j) y[j] += choice.weight[i] * one[j];
    }
    return y;
  }

  const Decoder& d_;
  const Model& m_;
  const Shard& s_;
  long prefill_, batch_, rows_;
  Row cache_;
  std::vector<int> position_, slot_;
  std::vector<Row> residual_, delta_;
  mutable std::map<const bf16*, Row> matrices_;
};

DecoderVerdict check_decoder(long page, cudaStream_t s) {
  const Model moe{"small-moe", 4, 256, 128, 512, 4, 2, 64, 16, 4, true, 1e4, 16};
  const Model dense{"small-dense", 3, 256, 384, 512, 4, 2, 128, 0, 0, false, 1e4, 0};
  auto plan = [](const Model& m, const char* kind, long begin, long end) {
    Plan p;
    p.kind = kind, p.model = m.name, p.decode_batch = 5, p.decode_context = 150, p.prefill_tokens = 40, p.prefill_prefix = 100;
    p.layer_begin = begin, p.layer_end = end, p.layers = m.layers;
    return p;
  };
  double worst = 0;
  auto compare = [&](const Model& m, const Plan& p) {
    const Weights weights(m, 1, s);
    Decoder decoder(m, weights, p, page, s);
    DecoderReference reference(decoder);  // reads the cache before the decoder writes to it
    decoder.forward();
    CUDA_CHECK(cudaStreamSynchronize(s));
    reference.forward();
    worst = std::max(worst, reference.logits_error());
    if (p.layer_end < p.layers) worst = std::max(worst, reference.leaving_error());
  };
  try {
    compare(moe, plan(moe, "layered", 1, 3));
    compare(moe, plan(moe, "layered", 2, 4));
    compare(dense, plan(dense, "chunked", 0, 3));
  } catch (const Unsupported& e) {  // small shapes may lack what the models' have
    std::fprintf(stderr, "the decoder cannot be checked: %s\n", e.what());
    worst = INFINITY;
  }
  return {worst < kWholeTolerance, worst};
}

std::string DecoderVerdict::text() const {
  char buffer[80];
  std::snprintf(buffer, sizeof buffer, "%s, median relative error %.2g of %.0e allowed", passed ? "passed" : "FAILED", error,
                kWholeTolerance);
  return buffer;
}

}  // namespace harness
