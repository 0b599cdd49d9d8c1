// Whole iterations to be measured: which tokens pass which layers.
#pragma once
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "key.hpp"
#include "options.hpp"

namespace harness {

// `decode_batch` sequences of `decode_context` tokens (the new one counted) take one step through all layers, and
// `prefill_tokens` tokens of one prompt, after `prefill_prefix` tokens already in the cache, pass layers [begin, end).
struct Plan {
  std::string kind, model;  // kind: decode, chunked or layered
  int tp = 1;
  long decode_batch = 0, decode_context = 0, prefill_tokens = 0, prefill_prefix = 0;
  long layer_begin = 0, layer_end = 0, layers = 0;
  double skew = 0;  // popularity of experts: the router's bias is -skew ln(rank+1)
};

inline constexpr const char* kIterationColumns =
    "kind,model,tp,decode_batch,decode_context,prefill_tokens,prefill_prefix,layer_begin,layer_end,layers,skew,"
    "experts,seconds,spread_s,sustained_s,watts,joules,sm_mhz,throttle";
inline constexpr const char* kPlanColumns =
    "kind,model,tp,decode_batch,decode_context,prefill_tokens,prefill_prefix,layer_begin,layer_end,layers,skew";
inline constexpr int kIterationKeyColumns = 11;

inline std::string identity(const Plan& p) {
  return p.kind + "," + p.model +
         format(",%d,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%g", p.tp, p.decode_batch, p.decode_context, p.prefill_tokens,
                p.prefill_prefix, p.layer_begin, p.layer_end, p.layers, p.skew);
}

inline void validate(const Plan& p) {
  const Model* m = find_model(p.model);
  auto need = [&](bool ok, const char* why) {
    if (!ok) throw UsageError("plan '" + identity(p) + "': " + why);
  };
  need(m, "no such model");
  need(p.layers >= 1 && p.layers <= m->layers, "layers must be 1 to the model's");
  need(p.kind == "decode" || p.kind == "chunked" || p.kind == "layered", "kind must be decode, chunked or layered");
  need(p.tp == 1 || p.tp == 2 || p.tp == 4 || p.tp == 8, "tp must be 1, 2, 4 or 8");
  need(p.decode_batch >= 0 && p.decode_context >= (p.decode_batch > 0) && p.prefill_prefix >= 0 && p.skew >= 0, "negative size");
  need(p.decode_batch + p.prefill_tokens > 0, "no tokens");
  need((p.kind == "decode") == (p.prefill_tokens == 0), "prefill tokens go with chunked and layered");
  if (p.kind == "chunked") need(p.layer_begin == 0 && p.layer_end == p.layers, "a chunk passes all layers");
  if (p.kind == "layered") need(0 <= p.layer_begin && p.layer_begin < p.layer_end && p.layer_end <= p.layers, "no such layers");
}

// Group `index` of `groups` contiguous ones; the first have a layer more where they do not divide.
inline void set_group(Plan& p, long groups, long index) {
  const long size = p.layers / groups, more = p.layers % groups;
  p.layer_begin = index * size + std::min(index, more);
  p.layer_end = p.layer_begin + size + (index < more);
}

class PlanList {
 public:
  // Few of every kind first, so that a run cut at any point leaves a table with all kinds.
  PlanList(const std::vector<Model>& models, const std::vector<int>& tps, bool quick) {
    list(models, tps, true);
    if (!quick) list(models, tps, false);
  }
  const std::vector<Plan>& plans() const { return plans_; }

 private:
  void list(const std::vector<Model>& models, const std::vector<int>& tps, bool quick) {
    for (const Model& m : models)
      for (int tp : tps) {
        for (long b : quick ? std::vector<long>{1, 16, 64, 256} : std::vector<long>{1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256})
          for (long context : quick ? std::vector<long>{1024, 4096} : std::vector<long>{512, 1024, 4096, 8192}) decode(m, tp, b, context);
        for (long b : {16L, 64L, 256L}) decode(m, tp, b, 1024, 1);
        mixed(m, tp, quick);
      }
  }
  Plan base(const Model& m, int tp, const char* kind, long b, long context) const {
    Plan p;
    p.kind = kind, p.model = m.name, p.tp = tp, p.decode_batch = b, p.decode_context = b ? context : 0, p.layers = m.layers;
    return p;
  }
  void decode(const Model& m, int tp, long b, long context, double skew = 0) {
    Plan p = base(m, tp, "decode", b, context);
    p.skew = m.moe() ? skew : 0;
    add(p);
  }
  void chunked(const Model& m, int tp, long chunk, long prefix, long b, long context, double skew = 0) {
    Plan p = base(m, tp, "chunked", b, context);
    p.prefill_tokens = chunk, p.prefill_prefix = prefix, p.layer_end = p.layers, p.skew = m.moe() ? skew : 0;
    add(p);
  }
  void layered(const Model& m, int tp, long tokens, long prefix, long groups, long index, long b, long context, double skew = 0) {
    Plan p = base(m, tp, "layered", b, context);
    p.prefill_tokens = tokens, p.prefill_prefix = prefix, p.skew = m.moe() ? skew : 0;
    groups = std::min(groups, m.layers % 16 ? m.layers / 2 : 16L);
    set_group(p, groups, std::min(index, groups - 1));
    add(p);
  }
  void mixed(const Model& m, int tp, bool quick) {
    const std::vector<long> batches = quick ? std::vector<long>{16, 128} : std::vector<long>{0, 1, 16, 64, 128, 256};
    for (long b : batches) {
      for (long prefix : quick ? std::vector<long>{0, 4096} : std::vector<long>{0, 2048, 7680}) chunked(m, tp, 512 - b, prefix, b, 2048);
      for (long index : quick ? std::vector<long>{7} : std::vector<long>{0, 7, 15}) layered(m, tp, 8192, 0, 16, index, b, 2048);
      layered(m, tp, 2048, 0, 4, 1, b, 2048);
    }
    if (quick) return;
    for (long chunk : {1024L, 2048L, 4096L, 8192L}) chunked(m, tp, chunk, 0, 64, 2048);
    for (long context : {512L, 8192L}) {
      chunked(m, tp, 448, 2048, 64, context);
      layered(m, tp, 8192, 0, 16, 7, 64, context);
    }
    layered(m, tp, 1024, 0, 2, 0, 64, 2048);
    layered(m, tp, 4096, 0, 8, 3, 64, 2048);
    layered(m, tp, 8192, 8192, 16, 7, 64, 2048);  // the second pass of a long prompt
    chunked(m, tp, 448, 2048, 64, 2048, 1);
    layered(m, tp, 8192, 0, 16, 7, 64, 2048, 1);
  }
  void add(const Plan& p) {
    if (seen_.insert(identity(p)).second) plans_.push_back(p);
  }
  std::vector<Plan> plans_;
  std::set<std::string> seen_;
};

// A file of plans: the key columns of the iteration table under their header; further columns are ignored, so that a
// measured table can be given again.
inline std::vector<Plan> read_plans(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw UsageError("--plans: cannot read " + path);
  std::vector<Plan> plans;
  bool header = false;
  for (std::string row; std::getline(in, row);) {
    if (row.empty() || row[0] == '#') continue;
    if (!header) {
      if (row.rfind(kPlanColumns, 0) != 0) throw UsageError("--plans: " + path + " must begin with " + kPlanColumns);
      header = true;
      continue;
    }
    const auto f = split(row);
    if (f.size() < std::size_t(kIterationKeyColumns)) throw UsageError("--plans: too few fields in '" + row + "'");
    Plan p;
    p.kind = f[0], p.model = f[1], p.tp = int(integer("tp", f[2], 1, 8));
    long* fields[] = {&p.decode_batch, &p.decode_context, &p.prefill_tokens, &p.prefill_prefix, &p.layer_begin, &p.layer_end, &p.layers};
    for (int i = 0; i < 7; ++i) *fields[i] = integer("--plans", f[std::size_t(3 + i)], 0, 1L << 30);
    p.skew = number("skew", f[10], 0, 10);
    validate(p);
    plans.push_back(p);
  }
  if (!header) throw UsageError("--plans: " + path + " must begin with " + kPlanColumns);
  return plans;
}

}  // namespace harness
