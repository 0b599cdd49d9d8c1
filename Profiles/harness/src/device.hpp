// Device memory and error checking.
#pragma once
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace harness {

using bf16 = __nv_bfloat16;

[[noreturn]] inline void fail(const char* what, const char* why, const char* file, int line) {
  throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + what + ": " + why);
}
#define CUDA_CHECK(x)                                                                               \
  do {                                                                                              \
    const cudaError_t status_ = (x);                                                                \
    if (status_ != cudaSuccess) ::harness::fail(#x, cudaGetErrorString(status_), __FILE__, __LINE__); \
  } while (0)

// A kernel or a library does not do this shape: the row is left out and the run goes on.
struct Unsupported : std::runtime_error {
  using runtime_error::runtime_error;
};

template <class T> class Buffer {
 public:
  explicit Buffer(std::size_t n = 0) : n_(n) {
    if (n == 0) return;
    const cudaError_t status = cudaMalloc(&p_, n * sizeof(T));
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();  // clears it: a smaller row may still fit
      throw Unsupported("does not fit in the GPU's memory");
    }
    CUDA_CHECK(status);
  }
  explicit Buffer(const std::vector<T>& host) : Buffer(host.size()) { upload(host); }
  Buffer(Buffer&& o) noexcept : p_(std::exchange(o.p_, nullptr)), n_(std::exchange(o.n_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(p_, o.p_);
    std::swap(n_, o.n_);
    return *this;
  }
  ~Buffer() { cudaFree(p_); }
  T* get() const { return p_; }
  std::size_t size() const { return n_; }
  void upload(const std::vector<T>& host) {
    if (host.size() > n_) fail("upload", "larger than its buffer", __FILE__, __LINE__);
    CUDA_CHECK(cudaMemcpy(p_, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
  }

 private:
  T* p_ = nullptr;
  std::size_t n_ = 0;
};

template <class T> std::vector<T> download(const T* p, std::size_t n) {
  std::vector<T> host(n);
  CUDA_CHECK(cudaMemcpy(host.data(), p, n * sizeof(T), cudaMemcpyDeviceToHost));
  return host;
}
// BF16 values as doubles, for the references.
inline std::vector<double> download_bf16(const bf16* p, std::size_t n) {
  std::vector<double> wide(n);
  const std::vector<bf16> host = download(p, n);
  for (std::size_t i = 0; i < n; ++i) wide[i] = double(__bfloat162float(host[i]));
  return wide;
}

// One big allocation that every row of the sweep carves its buffers from, since allocating and filling anew for each of some
// thousand rows would take longer than timing them.
class Arena {
 public:
  explicit Arena(std::size_t bytes) : bytes_(bytes) {}
  void reset() { used_ = 0; }
  std::size_t size() const { return bytes_.size(); }
  char* base() const { return bytes_.get(); }
  template <class T> T* take(std::size_t n) {
    const std::size_t need = (n * sizeof(T) + 255) / 256 * 256;
    if (used_ + need > bytes_.size()) throw Unsupported("needs more memory than the arena has");
    T* p = reinterpret_cast<T*>(bytes_.get() + used_);
    used_ += need;
    return p;
  }

 private:
  Buffer<char> bytes_;
  std::size_t used_ = 0;
};

}  // namespace harness
