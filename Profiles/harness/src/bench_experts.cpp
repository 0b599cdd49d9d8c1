// Routing, and the expert GEMMs.
#include "bench.hpp"
#include "grouped_gemm.hpp"
#include "kernels.hpp"
#include "shapes.hpp"

namespace harness {

using reference::Error;
using reference::Row;

Sample Bench::grouped(const Key& key) {
  const std::vector<int> per_expert = Shapes::routing(key);
  const std::size_t experts = per_expert.size(), n = std::size_t(key.n), k = std::size_t(key.k), rows = std::size_t(key.m * key.topk);
  const int tile = std::atoi(key.impl.c_str() + std::string("cutlass_t").size());
  struct Set {
    const bf16 *x, *w;
    bf16* y;
    std::unique_ptr<GroupedGemm> kernel;
  };
  const auto set = sets<Set>(key.bytes, [&](int) {
    Set s{random(rows * k), random(experts * n * k), output(rows * n), nullptr};
    const GroupProblem p{output<int>(3 * experts), output<const bf16*>(experts), output<bf16*>(experts), s.x, s.y, int(n), int(k)};
    std::vector<const bf16*> weights;
    for (std::size_t e = 0; e < experts; ++e) weights.push_back(s.w + e * n * k);
    group_rows(upload(per_expert), output<int>(experts), nullptr, p, p, int(experts), timer_.stream());
    s.kernel = GroupedGemm::make(tile, p, upload(weights), int(experts));
    return s;
  });
  auto launch = [&](int i) { set[std::size_t(i)].kernel->launch(timer_.stream()); };

  poison(set[0].y, rows * n);
  launch(0);
  Error e;
  all_written(set[0].y, rows * n, e);
  std::vector<std::size_t> expert_of;
  for (std::size_t x = 0; x < experts; ++x) expert_of.insert(expert_of.end(), std::size_t(per_expert[x]), x);
  for (long i : pick(long(rows), 16, 1)) {
    const std::size_t row = std::size_t(i);
    const Row x = download_bf16(set[0].x + row * k, k), y = download_bf16(set[0].y + row * n, n);
    for (long j : pick(key.n, 8, unsigned(i)))
      e.compare(y[std::size_t(j)], reference::dot(x, download_bf16(set[0].w + (expert_of[row] * n + std::size_t(j)) * k, k)));
  }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

namespace {

// What the router leaves for the kernels after it.
struct Routing {
  const bf16* logits;
  int *expert, *rank, *count;
  float* weight;
};

}  // namespace

Sample Bench::router_topk(const Key& key) {
  const std::size_t experts = std::size_t(key.experts), pairs = std::size_t(key.m * key.topk);
  const auto set = sets<Routing>(key.bytes, [&](int) {
    return Routing{random(std::size_t(key.m) * experts), output<int>(pairs), output<int>(pairs),
                   upload(std::vector<int>(experts, 0)), output<float>(pairs)};
  });
  auto launch = [&](int i) {
    const Routing& r = set[i];
    harness::router_topk(r.logits, nullptr, r.expert, r.weight, r.rank, r.count, key.m, int(experts), int(key.topk), timer_.stream());
  };
  launch(0);
  CUDA_CHECK(cudaStreamSynchronize(timer_.stream()));
  Error e;
  const auto expert = download(set[0].expert, pairs), rank = download(set[0].rank, pairs), count = download(set[0].count, experts);
  const auto weight = download(set[0].weight, pairs);
  // The ranks of an expert's rows must be 0, 1, 2 and so on, each once.
  std::vector<std::vector<bool>> taken(experts);
  for (std::size_t x = 0; x < experts; ++x) taken[x].assign(std::size_t(std::max(0, count[x])), false);
  for (std::size_t i = 0; i < pairs; ++i) {
    const bool ok = expert[i] >= 0 && expert[i] < int(experts) && rank[i] >= 0 && rank[i] < count[std::size_t(expert[i])] &&
                    !taken[std::size_t(expert[i])][std::size_t(rank[i])];
    if (!ok) {
      e.fail();
      break;
    }
    taken[std::size_t(expert[i])][std::size_t(rank[i])] = true;
  }
  for (long t : pick(key.m, 16, 1)) {
    const auto want = reference::topk(download_bf16(set[0].logits + std::size_t(t) * experts, experts), int(key.topk));
    for (std::size_t r = 0; r < std::size_t(key.topk); ++r) {
      e.exact(expert[std::size_t(t * key.topk) + r], want.expert[r]);
      e.compare(double(weight[std::size_t(t * key.topk) + r]), want.weight[r]);
    }
  }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

Sample Bench::permute(const Key& key) {
  const std::size_t experts = std::size_t(key.experts), pairs = std::size_t(key.m * key.topk), width = std::size_t(key.n);
  Routing r{random(std::size_t(key.m) * experts), output<int>(pairs), output<int>(pairs), upload(std::vector<int>(experts, 0)),
            output<float>(pairs)};
  int *first = output<int>(experts), *row = output<int>(pairs);
  const GroupProblem unused{output<int>(3 * experts), output<const bf16*>(experts), output<bf16*>(experts), nullptr, nullptr, 0, 0};
  harness::router_topk(r.logits, nullptr, r.expert, r.weight, r.rank, r.count, key.m, int(experts), int(key.topk), timer_.stream());
  group_rows(r.count, first, nullptr, unused, unused, int(experts), timer_.stream());
  struct Set {
    const bf16* x;
    bf16* y;
  };
  const auto set = sets<Set>(key.bytes, [&](int) { return Set{random(std::size_t(key.m) * width), output(pairs * width)}; });
  auto launch = [&](int i) {
    harness::permute(set[i].x, r.expert, r.rank, first, row, set[i].y, key.m, int(key.topk), key.n, timer_.stream());
  };
  poison(set[0].y, pairs * width);
  launch(0);
  Error e;
  all_written(set[0].y, pairs * width, e);  // and so every row was some token's: there are as many rows as pairs
  const auto expert = download(r.expert, pairs), to = download(row, pairs), start = download(first, experts);
  for (long t : pick(key.m, 8, 1))
    for (long j = 0; j < key.topk; ++j) {
      const std::size_t pair = std::size_t(t * key.topk + j);
      const int x = expert[pair], end = x + 1 < int(experts) ? start[std::size_t(x) + 1] : int(pairs);
      if (to[pair] < start[std::size_t(x)] || to[pair] >= end) e.fail();
      else e.compare(download_bf16(set[0].y + std::size_t(to[pair]) * width, width),
                     download_bf16(set[0].x + std::size_t(t) * width, width));
    }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

Sample Bench::combine(const Key& key) {
  const std::size_t pairs = std::size_t(key.m * key.topk), width = std::size_t(key.n), tokens = std::size_t(key.m);
  std::mt19937 rng(11);
  std::vector<int> row(pairs);
  for (std::size_t i = 0; i < pairs; ++i) row[i] = int(i);
  for (std::size_t i = pairs; i > 1; --i) std::swap(row[i - 1], row[rng() % i]);
  std::vector<float> weight(pairs);
  for (float& w : weight) w = float(rng() % 1000 + 1) / 1000.f;
  const int* rows = upload(row);
  const float* weights = upload(weight);
  struct Set {
    const bf16* y;
    bf16* out;
  };
  const auto set = sets<Set>(key.bytes, [&](int) { return Set{random(pairs * width), output(tokens * width)}; });
  auto launch = [&](int i) { harness::combine(set[i].y, rows, weights, set[i].out, key.m, int(key.topk), key.n, timer_.stream()); };
  poison(set[0].out, tokens * width);
  launch(0);
  Error e;
  all_written(set[0].out, tokens * width, e);
  for (long t : pick(key.m, 8, 1)) {
    Row want(width, 0.0);
    for (long j = 0; j < key.topk; ++j) {
      const std::size_t pair = std::size_t(t * key.topk + j);
      const Row y = download_bf16(set[0].y + std::size_t(row[pair]) * width, width);
      for (std::size_t i = 0; i < width; ++i) want[i] += double(weight[pair]) * y[i];
    }
    e.compare(download_bf16(set[0].out + std::size_t(t) * width, width), want);
  }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

}  // namespace harness
