#include "all_reduce.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <memory>

#include "bench.hpp"
#include "kernels.hpp"

namespace harness {
namespace {

// The five functions needed, declared here: their binary interface has been the same since NCCL 2.10, and so one-GPU machines
// need neither header nor library.
using Comm = struct Opaque*;
constexpr int kBf16 = 9, kSum = 0;
struct Nccl {
  int (*init_all)(Comm*, int, const int*);
  int (*all_reduce)(const void*, void*, std::size_t, int, int, Comm, cudaStream_t);
  int (*group_start)();
  int (*group_end)();
  const char* (*error)(int);

  static const Nccl& get() {
    static const Nccl n = [] {
      void* library = dlopen("libnccl.so.2", RTLD_NOW);
      if (!library) throw Unsupported("all_reduce: libnccl.so.2 cannot be loaded");
      auto symbol = [&](const char* name) {
        void* p = dlsym(library, name);
        if (!p) throw Unsupported(std::string("all_reduce: NCCL has no ") + name);
        return p;
      };
      return Nccl{reinterpret_cast<decltype(init_all)>(symbol("ncclCommInitAll")),
                  reinterpret_cast<decltype(all_reduce)>(symbol("ncclAllReduce")),
                  reinterpret_cast<decltype(group_start)>(symbol("ncclGroupStart")),
                  reinterpret_cast<decltype(group_end)>(symbol("ncclGroupEnd")),
                  reinterpret_cast<decltype(error)>(symbol("ncclGetErrorString"))};
    }();
    return n;
  }
  void check(int status, const char* what) const {
    if (status != 0) fail(what, error(status), __FILE__, __LINE__);
  }
};

struct Rank {
  Comm comm{};
  cudaStream_t stream{};
};

// The communicators of one group size, made once and kept: setting up takes longer than all that is measured with it.
const std::vector<Rank>& ranks(int count) {
  static std::vector<std::pair<int, std::unique_ptr<std::vector<Rank>>>> made;
  for (auto& [n, group] : made)
    if (n == count) return *group;
  std::vector<int> devices;
  std::vector<Comm> comms(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) devices.push_back(i);
  Nccl::get().check(Nccl::get().init_all(comms.data(), count, devices.data()), "ncclCommInitAll");
  auto group = std::make_unique<std::vector<Rank>>(std::size_t(count));
  for (int i = 0; i < count; ++i) {
    CUDA_CHECK(cudaSetDevice(i));
    (*group)[std::size_t(i)].comm = comms[std::size_t(i)];
    CUDA_CHECK(cudaStreamCreateWithFlags(&(*group)[std::size_t(i)].stream, cudaStreamNonBlocking));
  }
  made.emplace_back(count, std::move(group));
  return *made.back().second;
}

}  // namespace

Sample all_reduce(const Key& key) {
  constexpr int kEach = 20, kReplays = 20, kWarm = 3;
  const std::size_t n = std::size_t(key.m * key.n);
  int home = 0;
  CUDA_CHECK(cudaGetDevice(&home));
  const Nccl& nccl = Nccl::get();
  const auto& group = ranks(key.tp);
  std::vector<Buffer<bf16>> in, out;
  std::vector<cudaGraphExec_t> graph(group.size());
  auto on_each = [&](auto body) {
    for (std::size_t i = 0; i < group.size(); ++i) {
      CUDA_CHECK(cudaSetDevice(int(i)));
      body(i);
    }
  };
  auto launch = [&] {
    nccl.check(nccl.group_start(), "ncclGroupStart");
    for (std::size_t i = 0; i < group.size(); ++i)
      nccl.check(nccl.all_reduce(in[i].get(), out[i].get(), n, kBf16, kSum, group[i].comm, group[i].stream), "ncclAllReduce");
    nccl.check(nccl.group_end(), "ncclGroupEnd");
  };

  on_each([&](std::size_t i) {
    in.emplace_back(n);
    out.emplace_back(n);
    fill_random(in[i].get(), n, 7 + i, 1.f, group[i].stream);
    CUDA_CHECK(cudaMemsetAsync(out[i].get(), 0xff, n * sizeof(bf16), group[i].stream));
    CUDA_CHECK(cudaStreamSynchronize(group[i].stream));
  });
  launch();
  on_each([&](std::size_t i) { CUDA_CHECK(cudaStreamSynchronize(group[i].stream)); });
  const std::size_t checked = std::min<std::size_t>(n, 1 << 16);
  reference::Row sum(checked, 0.0);
  for (auto& b : in) {
    const auto part = download_bf16(b.get(), checked);
    for (std::size_t j = 0; j < checked; ++j) sum[j] += part[j];
  }
  reference::Error e;
  for (auto& b : out) e.compare(download_bf16(b.get(), checked), sum);
  if (!(e.value() < reference::kTolerance)) throw Wrong(identity(key) + format(": relative error %.3g", e.value()));

  // One graph per GPU; the collectives of a round meet each other across them.
  on_each([&](std::size_t i) { CUDA_CHECK(cudaStreamBeginCapture(group[i].stream, cudaStreamCaptureModeThreadLocal)); });
  for (int r = 0; r < kEach; ++r) launch();
  on_each([&](std::size_t i) {
    cudaGraph_t captured;
    CUDA_CHECK(cudaStreamEndCapture(group[i].stream, &captured));
    CUDA_CHECK(cudaGraphInstantiate(&graph[i], captured, 0));
    CUDA_CHECK(cudaGraphDestroy(captured));
  });
  cudaEvent_t begin, end;
  CUDA_CHECK(cudaSetDevice(0));
  CUDA_CHECK(cudaEventCreate(&begin));
  CUDA_CHECK(cudaEventCreate(&end));
  std::vector<double> us;
  for (int r = 0; r < kWarm + kReplays; ++r) {
    on_each([&](std::size_t i) {
      if (i == 0) CUDA_CHECK(cudaEventRecord(begin, group[0].stream));
      CUDA_CHECK(cudaGraphLaunch(graph[i], group[i].stream));
      if (i == 0) CUDA_CHECK(cudaEventRecord(end, group[0].stream));
    });
    on_each([&](std::size_t i) { CUDA_CHECK(cudaStreamSynchronize(group[i].stream)); });
    float ms = 0;
    CUDA_CHECK(cudaEventElapsedTime(&ms, begin, end));
    if (r >= kWarm) us.push_back(double(ms) * 1e3 / kEach);
  }
  on_each([&](std::size_t i) { CUDA_CHECK(cudaGraphExecDestroy(graph[i])); });
  CUDA_CHECK(cudaEventDestroy(begin));
  CUDA_CHECK(cudaEventDestroy(end));
  CUDA_CHECK(cudaSetDevice(home));
  std::sort(us.begin(), us.end());
  Sample sample;  // no energy: the counter of one board would miss the others
  sample.burst_us = us[us.size() / 2];
  sample.spread_us = us[us.size() * 3 / 4] - us[us.size() / 4];
  return sample;
}

}  // namespace harness
