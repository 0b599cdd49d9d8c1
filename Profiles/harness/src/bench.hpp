// Measures one row of the kernel table: buffers, the check against the double-precision reference, then the timing.
#pragma once
#include <random>

#include "device.hpp"
#include "key.hpp"
#include "reference.hpp"
#include "timer.hpp"

namespace harness {

// A kernel computed something else than its reference.
struct Wrong : std::runtime_error {
  using runtime_error::runtime_error;
};

class Bench {
 public:
  // `input` is filled with random data once and never written again; results go to `scratch`.
  Bench(Timer& timer, Arena& input, Arena& scratch, std::size_t l2_bytes, long page)
      : timer_(timer), input_(input), scratch_(scratch), l2_(l2_bytes), page_(page), bad_(1) {}
  // Throws Unsupported or Wrong for a row that has to be left out.
  Sample measure(const Key& key);
  // Of the last row's check.
  double error() const { return error_; }

 private:
  Sample gemm(const Key& key);
  Sample grouped(const Key& key);
  Sample attention(const Key& key);
  Sample embedding(const Key& key);
  Sample rms_norm(const Key& key);
  Sample silu_mul(const Key& key);
  Sample sampling(const Key& key);
  Sample qk_norm_rope_kv(const Key& key);
  Sample router_topk(const Key& key);
  Sample permute(const Key& key);
  Sample combine(const Key& key);

  bf16* random(std::size_t n) { return input_.take<bf16>(n); }
  template <class T = bf16> T* output(std::size_t n) { return scratch_.take<T>(n); }
  template <class T> T* upload(const std::vector<T>& host) {
    T* p = scratch_.take<T>(host.size());
    CUDA_CHECK(cudaMemcpy(p, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
    return p;
  }

  // As many sets as the rotation asks for, or as fit.
  template <class Set, class Make> std::vector<Set> sets(double bytes, Make make) {
    std::vector<Set> made;
    for (int i = 0, want = rotation(bytes, l2_); i < want; ++i) try {
        made.push_back(make(i));
      } catch (const Unsupported&) {
        if (made.empty()) throw;
        break;
      }
    return made;
  }

  // Every element of a result starts as NaN, so that one never written is seen.
  void poison(bf16* p, std::size_t n) { CUDA_CHECK(cudaMemsetAsync(p, 0xff, n * sizeof(bf16), timer_.stream())); }
  // Adds to `e` that all of [p, p + n) was written, once the stream has run dry.
  void all_written(const bf16* p, std::size_t n, reference::Error& e);
  void accept(const Key& key, const reference::Error& e);

  Timer& timer_;
  Arena &input_, &scratch_;
  std::size_t l2_;
  long page_;
  Buffer<unsigned long long> bad_;
  double error_ = 0;
};

// Up to `count` of [0, n), the first and the last among them.
inline std::vector<long> pick(long n, long count, unsigned seed) {
  std::vector<long> at{0};
  if (n > 1) at.push_back(n - 1);
  std::mt19937_64 rng(seed);
  while (long(at.size()) < std::min(n, count)) at.push_back(long(rng() % std::uint64_t(n)));
  return at;
}

}  // namespace harness
