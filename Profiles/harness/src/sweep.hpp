// Which kernels are measured at which shapes, in the order of measuring: a coarse grid over everything first, with the energy
// windows, then the fine grid, so that a run cut at any point leaves a table that covers what there is.
#pragma once
#include <initializer_list>
#include <set>
#include <vector>

#include "shapes.hpp"

namespace harness {

class Sweep {
 public:
  Sweep(const std::vector<Model>& models, const std::vector<int>& tps, bool quick, const std::set<std::string>& only, int gpus)
      : only_(only) {
    for (bool coarse : {true, false}) {
      if (!coarse && quick) break;
      for (const Model& m : models)
        for (int tp : tps) {
          const Shapes s(m, tp);
          for (long t : tokens(coarse)) layer(s, t);
          if (m.moe()) experts(s, coarse);
          attention(s, coarse);
          if (tp > 1 && tp <= gpus)
            for (long t : tokens(coarse)) add(s.all_reduce(t));
        }
    }
  }
  const std::vector<Key>& keys() const { return keys_; }

 private:
  static std::vector<long> tokens(bool coarse) {
    if (coarse) return {1, 16, 128, 1024, 8192};
    return {2, 4, 8, 32, 48, 64, 96, 192, 256, 384, 512, 768, 1536, 2048, 3072, 4096, 6144, 16384};
  }

  // Energy is measured on the coarse grid alone: a window costs as much time as fifteen timings.
  void add(Key k, bool energy = false) {
    if (!only_.empty() && !only_.count(k.kernel)) return;
    k.energy = energy;
    if (seen_.insert(identity(k)).second) keys_.push_back(k);
  }

  void layer(const Shapes& s, long t) {
    const Shard& h = s.shard;
    const bool e = t == 1 || t == 128 || t == 1024 || t == 8192;
    const bool some = t == 16 || t == 8192;
    add(s.gemm("qkv_gemm", t, h.qkv_width(), h.hidden), e);
    add(s.gemm("o_gemm", t, h.hidden, h.o_width()), some);
    if (s.model.moe()) {
      add(s.gemm("router_gemm", t, s.model.experts, h.hidden, false));
      add(s.router_topk(t), t == 8192);
      add(s.permute(t), t == 8192);
      add(s.combine(t), t == 8192);
      if (t * s.model.topk <= 131072) add(s.silu_mul(t * s.model.topk), t == 8192);
    } else {
      add(s.gemm("gate_up_gemm", t, 2 * h.inter, h.hidden), e);
      add(s.gemm("down_gemm", t, h.hidden, h.inter), some);
      add(s.silu_mul(t), t == 8192);
    }
    add(s.qk_norm_rope_kv(t), t == 8192);
    add(s.rms_norm(t), t == 8192);
    add(s.embedding(t));
    if (t <= 512) {  // one row per sequence, and no more sequences than that
      add(s.gemm("lm_head", t, h.vocab, h.hidden), t == 1 || t == 128);
      add(s.sampling(t));
    }
  }

  // Token tiles worth trying: the tile is filled by the mean rows of an active expert, give or take a step.
  static std::vector<int> tiles(double mean) {
    if (mean <= 8) return {16};
    if (mean <= 24) return {16, 32};
    if (mean <= 48) return {32, 64};
    if (mean <= 96) return {64, 128};
    return {128};
  }

  void experts(const Shapes& s, bool coarse) {
    const long k = s.model.topk, all = s.model.experts;
    for (long t : tokens(coarse)) point(s, t, 0, coarse);
    if (coarse) return;
    // the active experts are a second axis at every token count, the coarse ones too
    for (bool c : {true, false})
      for (long t : tokens(c)) {
        for (long active = k; active <= all; active *= 2) cell(s, t, active, 0, false);
        if (t >= 16) point(s, t, 1, false);
      }
  }
  // All experts that so many tokens can reach, and a quarter of them.
  void point(const Shapes& s, long t, double skew, bool energy) {
    const long most = std::min(s.model.experts, t * s.model.topk);
    cell(s, t, most, skew, energy && t != 8192 && t != 1);
    const long quarter = std::max(s.model.topk, s.model.experts / 4);
    if (quarter < most) cell(s, t, quarter, skew, energy && t == 128);
  }
  void cell(const Shapes& s, long t, long active, double skew, bool energy) {
    if (active > t * s.model.topk) return;
    bool first = energy;
    for (int tile : tiles(double(t) * double(s.model.topk) / double(active)))
      for (const char* kernel : {"expert_gate_up", "expert_down"})
        add(s.grouped(kernel, t, active, skew, tile), first), first = first && kernel == std::string("expert_gate_up");
  }

  void attention(const Shapes& s, bool coarse) {
    std::vector<long> windows{0};
    if (s.model.window) windows.push_back(s.model.window);
    for (long w : windows) {
      auto prefill = [&](long q, long kv, bool e = false) {
        if (q <= kv) add(s.attention("prefill_attention", "cudnn_paged", 1, q, kv, w), e);
      };
      auto decode = [&](long b, long kv, bool e = false) {
        if (b * kv <= (1L << 20)) add(s.attention("decode_attention", "cudnn_paged", b, 1, kv, w), e);
      };
      if (coarse) {
        for (long q : {512L, 2048L, 8192L}) prefill(q, q, q != 2048);
        prefill(512, 4096, true);
        prefill(512, 8192);
        for (long b : {1L, 16L, 64L, 256L})
          for (long kv : {1024L, 4096L, 16384L}) decode(b, kv, kv == 4096 && b >= 16);
      } else {
        for (long q : {64L, 128L, 256L, 512L, 1024L, 2048L, 4096L, 8192L}) {
          prefill(q, q);
          for (long kv : {2048L, 8192L, 32768L}) prefill(q, kv);
        }
        for (long b : {1L, 4L, 16L, 64L, 128L, 256L})
          for (long kv : {256L, 1024L, 2048L, 4096L, 8192L, 16384L, 32768L}) decode(b, kv);
        // The same without pages: what the page table costs, and what there is where cuDNN refuses it.
        if (w == 0) {
          for (long q : {512L, 8192L}) add(s.attention("prefill_attention", "cudnn", 1, q, 8192, w));
          for (long b : {16L, 128L}) add(s.attention("decode_attention", "cudnn", b, 1, 4096, w));
        }
      }
    }
  }

  const std::set<std::string> only_;
  std::vector<Key> keys_;
  std::set<std::string> seen_;
};

}  // namespace harness
