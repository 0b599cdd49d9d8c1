// The library kernels on the host, plainly: what cuBLASLt, CUTLASS and cuDNN are asked for, in float.
#include "../attention.hpp"
#include "../gemm.hpp"
#include "../grouped_gemm.hpp"
#include "../reference.hpp"

#include <map>

namespace harness {

float emulated_gain = 1;        // 1 is right; the test makes it wrong to see whether that is noticed
bool emulated_leaves_last = false;  // leaves the last element of a GEMM unwritten

namespace {

struct Dimensions {
  long m, n, k;
};
std::map<const Gemm*, Dimensions>& dimensions() {
  static std::map<const Gemm*, Dimensions> all;
  return all;
}
void multiply(const bf16* x, const bf16* w, bf16* y, long m, long n, long k) {
  for (long i = 0; i < m; ++i)
    for (long j = 0; j < n; ++j) {
      float sum = 0;
      for (long l = 0; l < k; ++l) sum += __bfloat162float(x[i * k + l]) * __bfloat162float(w[j * k + l]);
      if (emulated_leaves_last && i == m - 1 && j == n - 1) return;
      y[i * n + j] = __float2bfloat16(sum * emulated_gain);
    }
}

class HostGrouped final : public GroupedGemm {
 public:
  HostGrouped(const GroupProblem& p, const bf16* const* weights, int experts) : p_(p), weights_(weights), experts_(experts) {}
  void launch(cudaStream_t) override {
    for (int e = 0; e < experts_; ++e) multiply(p_.x[e], weights_[e], p_.y[e], p_.shape[3 * e + 1], p_.shape[3 * e], p_.shape[3 * e + 2]);
  }

 private:
  GroupProblem p_;
  const bf16* const* weights_;
  int experts_;
};

}  // namespace

Gemm::Gemm(long m, long n, long k) { dimensions()[this] = {m, n, k}; }
Gemm::~Gemm() { dimensions().erase(this); }
void Gemm::launch(const bf16* x, const bf16* w, bf16* y, cudaStream_t) {
  const Dimensions d = dimensions().at(this);
  multiply(x, w, y, d.m, d.n, d.k);
}

std::unique_ptr<GroupedGemm> make_grouped_16(const GroupProblem& p, const bf16* const* w, int e) { return std::make_unique<HostGrouped>(p, w, e); }
std::unique_ptr<GroupedGemm> make_grouped_32(const GroupProblem& p, const bf16* const* w, int e) { return make_grouped_16(p, w, e); }
std::unique_ptr<GroupedGemm> make_grouped_64(const GroupProblem& p, const bf16* const* w, int e) { return make_grouped_16(p, w, e); }
std::unique_ptr<GroupedGemm> make_grouped_128(const GroupProblem& p, const bf16* const* w, int e) { return make_grouped_16(p, w, e); }

struct Attention::State {
  AttentionShape shape;
  std::vector<int> pages;
};
Attention::Attention(const AttentionShape& shape) : state_(new State{shape, page_table(shape)}) {}
Attention::~Attention() = default;
const AttentionShape& Attention::shape() const { return state_->shape; }
const std::vector<int>& Attention::table() const { return state_->pages; }
void Attention::launch(const bf16* q, const bf16* k, const bf16* v, bf16* o, cudaStream_t) {
  const AttentionShape& a = state_->shape;
  const long d = a.head_dim;
  for (long b = 0; b < a.batch; ++b)
    for (long h = 0; h < a.heads; ++h) {
      reference::Row keys, values;
      for (long t = 0; t < a.kv_len; ++t) {
        const long from = (slot(a, state_->pages, b, t) * a.kv_heads + h / (a.heads / a.kv_heads)) * d;
        for (long i = 0; i < d; ++i) {
          keys.push_back(double(__bfloat162float(k[from + i])));
          values.push_back(double(__bfloat162float(v[from + i])));
        }
      }
      for (long i = 0; i < a.q_len; ++i) {
        const long row = ((b * a.q_len + i) * a.heads + h) * d, last = a.kv_len - a.q_len + i + 1;
        const long first = a.window ? std::max(0L, last - a.window) : 0;
        const auto out = reference::attention(download_bf16(q + row, std::size_t(d)), keys, values, std::size_t(first), std::size_t(last));
        for (long j = 0; j < d; ++j) o[row + j] = __float2bfloat16(float(out[std::size_t(j)]));
      }
    }
}

}  // namespace harness
