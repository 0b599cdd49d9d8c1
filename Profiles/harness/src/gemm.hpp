// Dense projections: y[m, n] = x[m, k] W[n, k]^T in BF16 with float sums, by cuBLASLt with its first heuristic, which is what
// an engine's linear layers call.
#pragma once
#include <cublasLt.h>

#include "device.hpp"

namespace harness {

class Gemm {
 public:
  Gemm(long m, long n, long k);
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;
  ~Gemm();
  void launch(const bf16* x, const bf16* w, bf16* y, cudaStream_t s);

 private:
  cublasLtMatmulDesc_t operation_{};
  cublasLtMatrixLayout_t w_{}, x_{}, y_{};
  cublasLtMatmulAlgo_t algorithm_{};
  std::size_t workspace_ = 0;
};

}  // namespace harness
