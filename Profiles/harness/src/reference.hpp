// What each kernel must compute, in double precision on the host, one row at a time.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

namespace harness::reference {

using Row = std::vector<double>;

inline constexpr double kEpsilon = 1e-6;  // of every RMS norm

inline double from_bf16(std::uint16_t bits) {
  const std::uint32_t wide = std::uint32_t(bits) << 16;
  float f;
  std::memcpy(&f, &wide, sizeof f);
  return f;
}

inline double dot(const Row& a, const Row& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

inline Row rms_norm(const Row& x, const Row& weight) {
  const double scale = 1 / std::sqrt(dot(x, x) / double(x.size()) + kEpsilon);
  Row y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scale * weight[i];
  return y;
}

// Rotates the pairs (i, i + d/2), as Llama and Qwen do, by position / theta^(2i/d).
inline double angle(long position, std::size_t i, std::size_t d, double theta) {
  return double(position) * std::pow(theta, -2.0 * double(i) / double(d));
}
inline Row rope(const Row& x, long position, double theta) {
  const std::size_t half = x.size() / 2;
  Row y(x.size());
  for (std::size_t i = 0; i < half; ++i) {
    const double a = angle(position, i, x.size(), theta), c = std::cos(a), s = std::sin(a);
    y[i] = x[i] * c - x[i + half] * s;
    y[i + half] = x[i + half] * c + x[i] * s;
  }
  return y;
}

// One query of one head over the `visible` last of its keys; k and v are row-major [keys, d].
inline Row attention(const Row& q, const Row& k, const Row& v, std::size_t first, std::size_t last) {
  const std::size_t d = q.size();
  std::vector<double> score(last - first);
  double top = -INFINITY, sum = 0;
  for (std::size_t j = first; j < last; ++j) {
    double s = 0;
    for (std::size_t i = 0; i < d; ++i) s += q[i] * k[j * d + i];
    top = std::max(top, score[j - first] = s / std::sqrt(double(d)));
  }
  Row out(d, 0.0);
  for (std::size_t j = first; j < last; ++j) {
    const double p = std::exp(score[j - first] - top);
    sum += p;
    for (std::size_t i = 0; i < d; ++i) out[i] += p * v[j * d + i];
  }
  for (double& x : out) x /= sum;
  return out;
}

struct Choice {
  std::vector<int> expert;
  Row weight;  // softmax over the chosen, which is softmax over all renormalised
};
inline Choice topk(const Row& logits, int k) {
  Choice c;
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[std::size_t(a)] > logits[std::size_t(b)]; });
  double sum = 0;
  for (int i = 0; i < k; ++i) {
    c.expert.push_back(order[std::size_t(i)]);
    c.weight.push_back(std::exp(logits[std::size_t(order[std::size_t(i)])] - logits[std::size_t(order[0])]));
    sum += c.weight.back();
  }
  for (double& w : c.weight) w /= sum;
  return c;
}

inline Row silu_mul(const Row& gate, const Row& up) {
  Row y(gate.size());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
  return y;
}

// Relative error over everything compared, ||got - want|| / ||want||; anything that is not a number makes it infinite.
class Error {
 public:
  void compare(double got, double want) {
    difference_ += (got - want) * (got - want);
    norm_ += want * want;
    ++count_;
    if (!std::isfinite(got)) broken_ = true;
  }
  void compare(const Row& got, const Row& want) {
    for (std::size_t i = 0; i < want.size(); ++i) compare(i < got.size() ? got[i] : NAN, want[i]);
  }
  // For ids and indices: one wrong value fails.
  void exact(long got, long want) {
    if (got != want) broken_ = true;
    ++count_;
  }
  void fail() { broken_ = true; }
  double value() const {
    if (broken_ || count_ == 0) return INFINITY;
    return norm_ > 0 ? std::sqrt(difference_ / norm_) : std::sqrt(difference_);
  }

 private:
  double difference_ = 0, norm_ = 0;
  long count_ = 0;
  bool broken_ = false;
};

inline constexpr double kTolerance = 1e-2;  // BF16 operands and results with wider sums stay well under this

}  // namespace harness::reference
