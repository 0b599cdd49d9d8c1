#include "gemm.hpp"

namespace harness {
namespace {

#define LT_CHECK(x)                                                                                        \
  do {                                                                                                     \
    const cublasStatus_t status_ = (x);                                                                    \
    if (status_ != CUBLAS_STATUS_SUCCESS) fail(#x, cublasLtGetStatusString(status_), __FILE__, __LINE__);  \
  } while (0)

constexpr std::size_t kWorkspace = 32u << 20;  // what PyTorch gives cuBLASLt on Hopper

// One handle and one workspace for all GEMMs: they run one after another, on one stream. Never destroyed, since a
// destructor at exit could run after the driver has shut down.
struct Shared {
  cublasLtHandle_t handle{};
  Buffer<char> workspace{kWorkspace};
};
Shared& shared() {
  static Shared* s = [] {
    auto* made = new Shared;
    LT_CHECK(cublasLtCreate(&made->handle));
    return made;
  }();
  return *s;
}

}  // namespace

// Row-major y = x W^T is column-major y^T[n, m] = W[n, k] x^T[k, m]: the library's A is W, transposed, and its B is x.
Gemm::Gemm(long m, long n, long k) {
  LT_CHECK(cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  const cublasOperation_t transposed = CUBLAS_OP_T, plain = CUBLAS_OP_N;
  LT_CHECK(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed));
  LT_CHECK(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSB, &plain, sizeof plain));
  const auto un = std::uint64_t(n), um = std::uint64_t(m), uk = std::uint64_t(k);
  LT_CHECK(cublasLtMatrixLayoutCreate(&w_, CUDA_R_16BF, uk, un, k));
  LT_CHECK(cublasLtMatrixLayoutCreate(&x_, CUDA_R_16BF, uk, um, k));
  LT_CHECK(cublasLtMatrixLayoutCreate(&y_, CUDA_R_16BF, un, um, n));
  cublasLtMatmulPreference_t preference;
  LT_CHECK(cublasLtMatmulPreferenceCreate(&preference));
  const std::size_t most = kWorkspace;
  LT_CHECK(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most));
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(shared().handle, operation_, w_, x_, y_, y_, preference, 1, &result, &found);
  LT_CHECK(cublasLtMatmulPreferenceDestroy(preference));
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || found == 0) throw Unsupported("cuBLASLt has no algorithm for this GEMM");
  LT_CHECK(status);
  algorithm_ = result.algo;
  workspace_ = result.workspaceSize;
}

Gemm::~Gemm() {
  cublasLtMatrixLayoutDestroy(w_);
  cublasLtMatrixLayoutDestroy(x_);
  cublasLtMatrixLayoutDestroy(y_);
  cublasLtMatmulDescDestroy(operation_);
}

void Gemm::launch(const bf16* x, const bf16* w, bf16* y, cudaStream_t s) {
  const float one = 1, zero = 0;
  LT_CHECK(cublasLtMatmul(shared().handle, operation_, &one, w, w_, x, x_, &zero, y, y_, y, y_, &algorithm_,
                          shared().workspace.get(), workspace_, s));
}

}  // namespace harness
