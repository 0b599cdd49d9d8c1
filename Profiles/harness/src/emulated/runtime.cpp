// The fibers, and stand-ins for the CUDA runtime and NVML: device memory is host memory, and what is launched has run when the
// call returns. A captured graph has already run, and replaying it does nothing.
#include <nvml.h>
#include <ucontext.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda.hpp"

namespace emulated {
namespace {

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[kStack]};
  Here here;
  bool done = true;
  static constexpr std::size_t kStack = 64 << 10;
};
std::vector<std::unique_ptr<Fiber>> fibers;
ucontext_t scheduler;
Fiber* current;
const std::function<void()>* body;
bool waited;  // some thread of this launch did

void enter() {
  (*body)();
  current->done = true;
  swapcontext(&current->context, &scheduler);
}

}  // namespace

void wait() {
  waited = true;
  Fiber* self = current;
  self->here = here;
  swapcontext(&self->context, &scheduler);
  here = self->here;
}

void run(unsigned grid, unsigned block, const std::function<void()>& thread) {
  body = &thread;
  waited = false;
  while (fibers.size() < block) fibers.push_back(std::make_unique<Fiber>());
  for (unsigned b = 0; b < grid; ++b) {
    if (b > 0 && !waited) {  // a kernel whose first block knew no barrier needs no fibers
      for (unsigned t = 0; t < block; ++t) {
        here = {{t}, {b}, {block}, {grid}, 0};
        thread();
      }
      continue;
    }
    for (unsigned t = 0; t < block; ++t) {
      Fiber& f = *fibers[t];
      getcontext(&f.context);
      f.context.uc_stack.ss_sp = f.stack.get();
      f.context.uc_stack.ss_size = Fiber::kStack;
      f.context.uc_link = nullptr;
      makecontext(&f.context, enter, 0);
      f.here = {{t}, {b}, {block}, {grid}, 0};
      f.done = false;
    }
    for (unsigned left = block; left > 0;)
      for (unsigned t = 0; t < block; ++t) {
        current = fibers[t].get();
        if (current->done) continue;
        here = current->here;
        swapcontext(&scheduler, &current->context);
        left -= current->done;
      }
  }
}

}  // namespace emulated

extern "C" {
cudaError_t cudaMalloc(void** p, std::size_t n) {
  *p = std::aligned_alloc(256, (n + 255) / 256 * 256);
  return *p ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFree(void* p) { return std::free(p), cudaSuccess; }
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t n, cudaMemcpyKind) { return std::memcpy(to, from, n), cudaSuccess; }
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t n, cudaMemcpyKind, cudaStream_t) {
  return std::memcpy(to, from, n), cudaSuccess;
}
cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width, std::size_t height,
                         cudaMemcpyKind) {
  for (std::size_t i = 0; i < height; ++i)
    std::memcpy(static_cast<char*>(to) + i * to_pitch, static_cast<const char*>(from) + i * from_pitch, width);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* p, int v, std::size_t n, cudaStream_t) { return std::memset(p, v, n), cudaSuccess; }
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = *total = std::size_t(1) << 29;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorString(cudaError_t) { return "emulated error"; }
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* n) { return *n = 1, cudaSuccess; }
cudaError_t cudaGetDevice(int* d) { return *d = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) { return *s = nullptr, cudaSuccess; }
cudaError_t cudaDeviceGetPCIBusId(char* id, int n, int) { return std::strncpy(id, "0", std::size_t(n)), cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) { return cudaSuccess; }
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* g) { return *g = nullptr, cudaSuccess; }
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* e, cudaGraph_t, unsigned long long) { return *e = nullptr, cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaGraphDestroy(cudaGraph_t) { return cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t) { return cudaSuccess; }
cudaError_t cudaEventCreate(cudaEvent_t* e) { return *e = nullptr, cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) { return *e = nullptr, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t, cudaEvent_t) {
  static int call = 0;  // quartiles of twenty in a row: 0.05 ms apart around 1.475
  *ms = 1.f + 0.05f * float(call++ % 20);
  return cudaSuccess;
}

// A board of 300 W whose counter moves every 20 ms.
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t, unsigned long long* mj) {
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  *mj = static_cast<unsigned long long>(s / 0.02) * 6000;
  return NVML_SUCCESS;
}
nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t, nvmlClockType_t, unsigned* mhz) { return *mhz = 1980, NVML_SUCCESS; }
nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t, unsigned long long* r) { return *r = 4, NVML_SUCCESS; }
nvmlReturn_t nvmlInit_v2() { return NVML_SUCCESS; }
nvmlReturn_t nvmlShutdown() { return NVML_SUCCESS; }
nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char*, nvmlDevice_t* d) { return *d = nullptr, NVML_SUCCESS; }
const char* nvmlErrorString(nvmlReturn_t) { return "emulated error"; }
}
