// Enough of CUDA to run our kernels on the host, for tests without a GPU: included before the sources, in which the build has
// turned `kernel<<<grid, block, 0, s>>>(` into `emulated::launch(kernel, grid, block, s)(`. A block's threads are fibers; each
// runs to its next barrier or shuffle, then the next one does, which keeps the lanes of a warp in step.
#pragma once
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <math.h>

#include <functional>

#undef __shared__
#define __shared__ static  // one block runs at a time
#undef __launch_bounds__
#define __launch_bounds__(...)

namespace emulated {

struct Index {
  unsigned x = 0;
};
struct Here {  // of the fiber that runs
  Index thread, block, block_size, grid_size;
  unsigned parity = 0;  // of its barriers and shuffles so far: what the others still read is not overwritten
};
inline Here here;
inline double exchange[2][1024];  // a value of every thread

void run(unsigned grid, unsigned block, const std::function<void()>& thread);
void wait();  // until all threads of the block are here

template <class... P> auto launch(void (*kernel)(P...), unsigned grid, unsigned block, cudaStream_t) {
  return [=](P... arguments) { run(grid, block, [&] { kernel(arguments...); }); };
}

inline void offer(double v) {
  here.parity ^= 1;
  exchange[here.parity][here.thread.x] = v;
  wait();
}

}  // namespace emulated

#define threadIdx (::emulated::here.thread)
#define blockIdx (::emulated::here.block)
#define blockDim (::emulated::here.block_size)
#define gridDim (::emulated::here.grid_size)

inline void __syncthreads() { emulated::offer(0); }
inline int __syncthreads_count(bool mine) {
  emulated::offer(mine);
  int sum = 0;
  for (unsigned i = 0; i < blockDim.x; ++i) sum += emulated::exchange[emulated::here.parity][i] != 0;
  return sum;
}
template <class T> T __shfl_xor_sync(unsigned, T v, int lanes) {  // a double holds an int and a float exactly
  emulated::offer(double(v));
  return T(emulated::exchange[emulated::here.parity][threadIdx.x ^ unsigned(lanes)]);
}
template <class T> T atomicAdd(T* p, T v) {
  const T old = *p;
  *p = T(old + v);
  return old;
}
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
