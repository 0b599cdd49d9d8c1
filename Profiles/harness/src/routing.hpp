// How many tokens each expert gets in a grouped GEMM under test.
#pragma once
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

namespace harness {

// Rows per expert: `tokens` tokens choose `topk` distinct experts each, over exactly `active` of `experts`, with popularity
// 1/(rank+1)^skew. As in any real routing no expert gets more than `tokens` rows and every active one gets at least one.
inline std::vector<int> route(long tokens, long topk, long experts, long active, double skew, unsigned seed) {
  const long rows = tokens * topk;
  if (active < topk || active > experts || rows < active) throw std::invalid_argument("no such routing");
  std::vector<long> count(std::size_t(active), 1);
  long left = rows - active;
  // Shares are given out in rounds, since what an expert at its cap of `tokens` rows cannot take goes to the others.
  while (left > 0) {
    double sum = 0;
    for (long i = 0; i < active; ++i)
      if (count[i] < tokens) sum += std::pow(double(i + 1), -skew);
    const long round = left;
    for (long i = 0; i < active && left > 0; ++i) {
      if (count[i] >= tokens) continue;
      const long share = std::max(1L, long(double(round) * std::pow(double(i + 1), -skew) / sum));
      const long take = std::min({share, tokens - count[i], left});
      count[i] += take;
      left -= take;
    }
  }
  // Which experts these are is drawn at random, so that the chosen weights lie scattered in memory.
  std::vector<long> id(static_cast<std::size_t>(experts));
  std::iota(id.begin(), id.end(), 0L);
  std::mt19937 rng(seed);
  for (long i = experts - 1; i > 0; --i) std::swap(id[i], id[long(rng() % unsigned(i + 1))]);
  std::vector<int> out(std::size_t(experts), 0);
  for (long i = 0; i < active; ++i) out[id[i]] = int(count[i]);
  return out;
}

inline int largest(const std::vector<int>& rows) { return *std::max_element(rows.begin(), rows.end()); }

}  // namespace harness
