// Grouped expert GEMM by CUTLASS's Hopper pointer-array kernels, compiled once for each TILE_TOKENS. The operands are swapped:
// output features lie on the matrix unit's M, which is at least 64, and tokens on its N, which goes down to 8, so that experts
// with few tokens waste little.
#include <algorithm>

#include "cute/tensor.hpp"
#include "cutlass/cutlass.h"
#include "cutlass/epilogue/collective/collective_builder.hpp"
#include "cutlass/gemm/collective/collective_builder.hpp"
#include "cutlass/gemm/device/gemm_universal_adapter.h"
#include "cutlass/gemm/group_array_problem_shape.hpp"
#include "cutlass/gemm/kernel/gemm_universal.hpp"
#include "cutlass/util/packed_stride.hpp"

#include "grouped_gemm.hpp"

#ifndef TILE_TOKENS
#error "compile with -DTILE_TOKENS=16, 32, 64 or 128"
#endif

namespace harness {
namespace {

using Element = cutlass::bfloat16_t;
using Problem = cutlass::gemm::GroupProblemShape<cute::Shape<int, int, int>>;  // (output features, tokens, k)
using Tile = cute::Shape<cute::_128, cute::Int<TILE_TOKENS>, cute::_64>;
using Cluster = cute::Shape<cute::_1, cute::_1, cute::_1>;
using Epilogue = typename cutlass::epilogue::collective::CollectiveBuilder<
    cutlass::arch::Sm90, cutlass::arch::OpClassTensorOp, Tile, Cluster, cutlass::epilogue::collective::EpilogueTileAuto, float, float,
    void, cutlass::layout::ColumnMajor*, 8, Element, cutlass::layout::ColumnMajor*, 8,
    cutlass::epilogue::PtrArrayTmaWarpSpecializedCooperative>::CollectiveOp;
using Mainloop = typename cutlass::gemm::collective::CollectiveBuilder<
    cutlass::arch::Sm90, cutlass::arch::OpClassTensorOp, Element, cutlass::layout::RowMajor*, 8, Element,
    cutlass::layout::ColumnMajor*, 8, float, Tile, Cluster,
    cutlass::gemm::collective::StageCountAutoCarveout<static_cast<int>(sizeof(typename Epilogue::SharedStorage))>,
    cutlass::gemm::KernelPtrArrayTmaWarpSpecializedCooperative>::CollectiveOp;
using Kernel = cutlass::gemm::kernel::GemmUniversal<Problem, Mainloop, Epilogue>;
using Gemm = cutlass::gemm::device::GemmUniversalAdapter<Kernel>;
using Shape = Problem::UnderlyingProblemShape;
static_assert(sizeof(Shape) == 3 * sizeof(int), "group_rows writes shapes as three integers");

class CutlassGrouped final : public GroupedGemm {
 public:
  CutlassGrouped(const GroupProblem& p, const bf16* const* weights, int experts)
      : stride_w_(same<typename Kernel::InternalStrideA>({p.n, p.k, 1}, experts)),
        stride_x_(same<typename Kernel::InternalStrideB>({1, p.k, 1}, experts)),
        stride_y_(same<typename Kernel::InternalStrideD>({p.n, 1, 1}, experts)) {
    int device = 0;
    CUDA_CHECK(cudaGetDevice(&device));
    cutlass::KernelHardwareInfo hardware{};
    hardware.device_id = device;
    hardware.sm_count = cutlass::KernelHardwareInfo::query_device_multiprocessor_count(device);
    typename Gemm::Arguments arguments{
        cutlass::gemm::GemmUniversalMode::kGrouped,
        {experts, reinterpret_cast<Shape*>(p.shape), nullptr},
        {reinterpret_cast<const Element**>(const_cast<const bf16**>(weights)), stride_w_.get(),
         reinterpret_cast<const Element**>(p.x), stride_x_.get()},
        {{1.f, 0.f}, nullptr, nullptr, reinterpret_cast<Element**>(p.y), stride_y_.get()},
        hardware};
    workspace_ = Buffer<char>(std::max<std::size_t>(1, Gemm::get_workspace_size(arguments)));
    expect(gemm_.can_implement(arguments), "shape not supported");
    expect(gemm_.initialize(arguments, workspace_.get()), "initialize");
  }
  void launch(cudaStream_t s) override { expect(gemm_.run(s), "run"); }

 private:
  static void expect(cutlass::Status status, const char* what) {
    if (status != cutlass::Status::kSuccess)
      throw Unsupported(std::string("CUTLASS grouped GEMM: ") + what + ": " + cutlass::cutlassGetStatusString(status));
  }
  // The leading dimensions do not depend on an expert's number of rows.
  template <class Stride> static Buffer<Stride> same(cute::Shape<int, int, int> shape, int experts) {
    return Buffer<Stride>(std::vector<Stride>(std::size_t(experts), cutlass::make_cute_packed_stride(Stride{}, shape)));
  }
  Buffer<typename Kernel::InternalStrideA> stride_w_;
  Buffer<typename Kernel::InternalStrideB> stride_x_;
  Buffer<typename Kernel::InternalStrideD> stride_y_;
  Buffer<char> workspace_;
  Gemm gemm_;
};

}  // namespace

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
std::unique_ptr<GroupedGemm> JOIN(make_grouped_, TILE_TOKENS)(const GroupProblem& p, const bf16* const* weights, int experts) {
  return std::make_unique<CutlassGrouped>(p, weights, experts);
}

}  // namespace harness
