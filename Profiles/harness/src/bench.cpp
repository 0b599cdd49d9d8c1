#include "bench.hpp"

#include "gemm.hpp"
#include "kernels.hpp"

namespace harness {

using reference::Error;
using reference::Row;

void Bench::all_written(const bf16* p, std::size_t n, Error& e) {
  CUDA_CHECK(cudaMemsetAsync(bad_.get(), 0, sizeof(unsigned long long), timer_.stream()));
  add_count_of_bad(p, n, bad_.get(), timer_.stream());
  CUDA_CHECK(cudaStreamSynchronize(timer_.stream()));
  if (download(bad_.get(), 1)[0] != 0) e.fail();
}

void Bench::accept(const Key& key, const Error& e) {
  error_ = e.value();
  if (!(error_ < reference::kTolerance))
    throw Wrong(identity(key) + format(": relative error %.3g against the reference, %.0e allowed", error_, reference::kTolerance));
}

Sample Bench::measure(const Key& key) {
  input_.reset();
  scratch_.reset();
  const std::string& k = key.kernel;
  if (k == "expert_gate_up" || k == "expert_down") return grouped(key);
  if (k == "prefill_attention" || k == "decode_attention") return attention(key);
  if (k == "embedding") return embedding(key);
  if (k == "rms_norm") return rms_norm(key);
  if (k == "silu_mul") return silu_mul(key);
  if (k == "sampling") return sampling(key);
  if (k == "qk_norm_rope_kv") return qk_norm_rope_kv(key);
  if (k == "router_topk") return router_topk(key);
  if (k == "permute") return permute(key);
  if (k == "combine") return combine(key);
  return gemm(key);
}

Sample Bench::gemm(const Key& key) {
  const std::size_t m = std::size_t(key.m), n = std::size_t(key.n), k = std::size_t(key.k);
  Gemm kernel(key.m, key.n, key.k);
  struct Set {
    const bf16 *x, *w;
    bf16* y;
  };
  const auto set = sets<Set>(key.bytes, [&](int) { return Set{random(m * k), random(n * k), output(m * n)}; });
  auto launch = [&](int i) { kernel.launch(set[i].x, set[i].w, set[i].y, timer_.stream()); };

  poison(set[0].y, m * n);
  launch(0);
  Error e;
  all_written(set[0].y, m * n, e);
  const auto columns = pick(key.n, 24, 2);
  std::vector<Row> w;
  for (long j : columns) w.push_back(download_bf16(set[0].w + std::size_t(j) * k, k));
  for (long i : pick(key.m, 12, 1)) {
    const Row x = download_bf16(set[0].x + std::size_t(i) * k, k), y = download_bf16(set[0].y + std::size_t(i) * n, n);
    for (std::size_t j = 0; j < columns.size(); ++j) e.compare(y[std::size_t(columns[j])], reference::dot(x, w[j]));
  }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

Sample Bench::embedding(const Key& key) {
  const long vocab = 128256;  // any of the models': only the rows asked for are read
  const std::size_t width = std::size_t(key.n), rows = std::size_t(key.m);
  const bf16* table = random(std::size_t(vocab) * width);
  std::mt19937 rng(3);
  struct Set {
    int* id;
    bf16* y;
  };
  const auto set = sets<Set>(key.bytes, [&](int) {
    std::vector<int> id(rows);
    for (int& v : id) v = int(rng() % unsigned(vocab));
    return Set{upload(id), output(rows * width)};
  });
  auto launch = [&](int i) { gather_rows(set[i].id, table, set[i].y, key.m, key.n, timer_.stream()); };
  poison(set[0].y, rows * width);
  launch(0);
  Error e;
  all_written(set[0].y, rows * width, e);
  const auto id = download(set[0].id, rows);
  for (long i : pick(key.m, 8, 1))
    e.compare(download_bf16(set[0].y + std::size_t(i) * width, width),
              download_bf16(table + std::size_t(id[std::size_t(i)]) * width, width));
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

Sample Bench::rms_norm(const Key& key) {
  const std::size_t width = std::size_t(key.n), all = std::size_t(key.m) * width;
  const bf16* weight = random(width);
  struct Set {
    const bf16 *x, *residual;
    bf16 *sum, *y;
  };
  const auto set = sets<Set>(key.bytes, [&](int) { return Set{random(all), random(all), output(all), output(all)}; });
  auto launch = [&](int i) {
    harness::rms_norm(set[i].x, set[i].residual, weight, set[i].sum, set[i].y, key.m, key.n, timer_.stream());
  };
  poison(set[0].sum, all);
  poison(set[0].y, all);
  launch(0);
  Error e, sums;
  all_written(set[0].sum, all, e);
  all_written(set[0].y, all, e);
  const Row w = download_bf16(weight, width);
  for (long i : pick(key.m, 8, 1)) {
    const std::size_t at = std::size_t(i) * width;
    Row x = download_bf16(set[0].x + at, width);
    const Row r = download_bf16(set[0].residual + at, width);
    for (std::size_t j = 0; j < width; ++j) x[j] += r[j];
    sums.compare(download_bf16(set[0].sum + at, width), x);
    e.compare(download_bf16(set[0].y + at, width), reference::rms_norm(x, w));
  }
  accept(key, sums);
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

Sample Bench::silu_mul(const Key& key) {
  const std::size_t width = std::size_t(key.n), rows = std::size_t(key.m);
  struct Set {
    const bf16* x;
    bf16* y;
  };
  const auto set = sets<Set>(key.bytes, [&](int) { return Set{random(rows * 2 * width), output(rows * width)}; });
  auto launch = [&](int i) { harness::silu_mul(set[i].x, set[i].y, key.m, key.n, timer_.stream()); };
  poison(set[0].y, rows * width);
  launch(0);
  Error e;
  all_written(set[0].y, rows * width, e);
  for (long i : pick(key.m, 8, 1)) {
    const bf16* x = set[0].x + std::size_t(i) * 2 * width;
    e.compare(download_bf16(set[0].y + std::size_t(i) * width, width),
              reference::silu_mul(download_bf16(x, width), download_bf16(x + width, width)));
  }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

Sample Bench::sampling(const Key& key) {
  const std::size_t vocab = std::size_t(key.n), rows = std::size_t(key.m);
  struct Set {
    const bf16* logits;
    int* id;
  };
  const auto set = sets<Set>(key.bytes, [&](int) { return Set{random(rows * vocab), output<int>(rows)}; });
  auto launch = [&](int i) { argmax(set[i].logits, set[i].id, key.m, key.n, timer_.stream()); };
  CUDA_CHECK(cudaMemsetAsync(set[0].id, 0xff, rows * sizeof(int), timer_.stream()));
  launch(0);
  CUDA_CHECK(cudaStreamSynchronize(timer_.stream()));
  Error e;
  const auto id = download(set[0].id, rows);
  for (long i : pick(key.m, 8, 1)) {
    const Row logits = download_bf16(set[0].logits + std::size_t(i) * vocab, vocab);
    e.exact(id[std::size_t(i)], std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
  accept(key, e);
  return timer_.run(launch, int(set.size()), key.energy);
}

}  // namespace harness
