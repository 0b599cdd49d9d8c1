// The expert GEMMs of one layer in one launch: for each expert e, y_e[rows_e, n] = x_e[rows_e, k] W_e[n, k]^T. How many rows
// each expert has is read from device memory, so that routing needs no help from the host; experts without rows cost nothing
// and their weights are not read.
#pragma once
#include <memory>

#include "kernels.hpp"

namespace harness {

class GroupedGemm {
 public:
  virtual ~GroupedGemm() = default;
  virtual void launch(cudaStream_t s) = 0;

  // `weights`: device array of one pointer per expert. Arrays and buffers must outlive the object.
  // `tile_tokens` (16, 32, 64 or 128): rows of one expert that a thread block computes at a time.
  static std::unique_ptr<GroupedGemm> make(int tile_tokens, const GroupProblem& p, const bf16* const* weights, int experts);
};

// The smallest tile that an expert's mean number of rows does not overflow, as tuned serving kernels choose it.
inline int tile_for(double mean_rows) { return mean_rows <= 16 ? 16 : mean_rows <= 32 ? 32 : mean_rows <= 64 ? 64 : 128; }

// Defined by compiling grouped_cutlass.cu once for each tile, which takes a minute or more apiece.
std::unique_ptr<GroupedGemm> make_grouped_16(const GroupProblem& p, const bf16* const* weights, int experts);
std::unique_ptr<GroupedGemm> make_grouped_32(const GroupProblem& p, const bf16* const* weights, int experts);
std::unique_ptr<GroupedGemm> make_grouped_64(const GroupProblem& p, const bf16* const* weights, int experts);
std::unique_ptr<GroupedGemm> make_grouped_128(const GroupProblem& p, const bf16* const* weights, int experts);

inline std::unique_ptr<GroupedGemm> GroupedGemm::make(int tile, const GroupProblem& p, const bf16* const* weights, int experts) {
  switch (tile) {
    case 16: return make_grouped_16(p, weights, experts);
    case 32: return make_grouped_32(p, weights, experts);
    case 64: return make_grouped_64(p, weights, experts);
    case 128: return make_grouped_128(p, weights, experts);
  }
  throw Unsupported("grouped GEMM: no such tile");
}

}  // namespace harness
