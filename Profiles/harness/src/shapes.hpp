// Builds the keys of single kernels: their shapes, and bytes and flops counted from the shapes. Bytes are those of device
// memory, each operand read or written once; 2 is the size of a BF16 element throughout.
#pragma once
#include "key.hpp"
#include "models.hpp"
#include "routing.hpp"

namespace harness {

struct Shapes {
  Shapes(const Model& model, int tp) : model(model), shard(model, tp) {}
  Model model;
  Shard shard;

  // The kernels that no rank splits are written with tp 1.
  Key named(const char* kernel, const char* impl, int tp) const {
    Key k;
    k.kernel = kernel;
    k.impl = impl;
    k.model = model.name;
    k.tp = tp;
    return k;
  }

  Key gemm(const char* kernel, long m, long n, long k, bool split = true) const {
    Key s = named(kernel, "cublaslt", split ? shard.tp : 1);
    s.m = m, s.n = n, s.k = k;
    s.bytes = 2. * (double(m) * k + double(n) * k + double(m) * n);
    s.flops = 2. * m * n * k;
    return s;
  }

  Key grouped(const char* kernel, long tokens, long active, double skew, int tile) const {
    const bool up = std::string(kernel) == "expert_gate_up";
    Key s = named(kernel, "", shard.tp);
    s.impl = "cutlass_t" + std::to_string(tile);
    s.m = tokens;
    s.n = up ? 2 * shard.inter : shard.hidden;
    s.k = up ? shard.hidden : shard.inter;
    s.experts = model.experts, s.active = active, s.topk = model.topk, s.skew = skew;
    s.max_per_expert = largest(routing(s));
    const double rows = double(tokens) * model.topk;
    s.bytes = 2. * (double(active) * s.n * s.k + rows * (s.n + s.k));  // only experts with a token are read
    s.flops = 2. * rows * s.n * s.k;
    return s;
  }
  static std::vector<int> routing(const Key& s) {
    return route(s.m, s.topk, s.experts, s.active, s.skew, unsigned(s.m * 131 + s.active));
  }

  // q_len queries at the end of kv_len keys, for each of `batch` sequences; decode is q_len 1.
  Key attention(const char* kernel, const char* impl, long batch, long q_len, long kv_len, long window) const {
    Key s = named(kernel, impl, shard.tp);
    s.batch = batch, s.q_len = q_len, s.kv_len = kv_len, s.window = window;
    s.heads = shard.heads, s.kv_heads = shard.kv_heads, s.head_dim = shard.head_dim;
    double visible = 0;
    for (long i = 0; i < q_len; ++i) {
      const long keys = kv_len - q_len + i + 1;
      visible += double(window ? std::min(keys, window) : keys);
    }
    const double keys_read = double(window ? std::min(kv_len, window + q_len - 1) : kv_len);
    s.flops = 4. * batch * s.heads * s.head_dim * visible;
    s.bytes = 2. * batch * s.head_dim * (2. * q_len * s.heads + 2. * keys_read * s.kv_heads);
    return s;
  }

  Key qk_norm_rope_kv(long m) const {
    Key s = named("qk_norm_rope_kv", "own", shard.tp);
    s.m = m, s.heads = shard.heads, s.kv_heads = shard.kv_heads, s.head_dim = shard.head_dim;
    // q, k, v read and written, and a row of the float table of sines and cosines
    s.bytes = double(m) * (4. * shard.qkv_width() + 4. * shard.head_dim);
    s.flops = 10. * m * (shard.heads + shard.kv_heads) * shard.head_dim;
    return s;
  }

  Key rows(const char* kernel, long m, long n, double bytes_per_element, double flops_per_element, bool split) const {
    Key s = named(kernel, "own", split ? shard.tp : 1);
    s.m = m, s.n = n;
    s.bytes = bytes_per_element * m * n;
    s.flops = flops_per_element * m * n;
    return s;
  }
  Key embedding(long m) const { return rows("embedding", m, shard.hidden, 4, 0, false); }
  Key rms_norm(long m) const { return rows("rms_norm", m, shard.hidden, 8, 6, false); }  // x, residual; residual, y
  Key silu_mul(long m) const { return rows("silu_mul", m, shard.inter, 6, 6, true); }
  Key sampling(long m) const { return rows("sampling", m, model.vocab, 2, 1, false); }

  // bytes: the logits read, ids, weights and ranks written
  Key router_topk(long m) const {
    Key s = rows("router_topk", m, model.experts, 2, double(model.topk), false);
    s.experts = model.experts, s.topk = model.topk;
    s.bytes += 12. * m * model.topk;
    return s;
  }
  Key permute(long m) const {
    Key s = rows("permute", m, shard.hidden, 2. + 2. * double(model.topk), 0, false);  // one read, topk writes
    s.experts = model.experts, s.topk = model.topk;
    return s;
  }
  Key combine(long m) const {
    Key s = rows("combine", m, shard.hidden, 2. * double(model.topk) + 2, 2. * double(model.topk), false);
    s.experts = model.experts, s.topk = model.topk;
    return s;
  }
  Key all_reduce(long m) const {
    Key s = rows("all_reduce", m, shard.hidden, 2, 1, true);  // bytes: of the message
    s.impl = "nccl";
    return s;
  }
};

}  // namespace harness
