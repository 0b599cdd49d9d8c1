// Time by CUDA-graph replay, and energy by the board's counter.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>

#include "key.hpp"
#include "meter.hpp"

namespace harness {

class Timer {
 public:
  Timer(const Meter& meter, cudaStream_t stream, double energy_ms);
  ~Timer();
  // launch(i) enqueues the work on buffer set i of `sets`; one replay runs all sets. With `energy`, an energy window follows.
  Sample run(const std::function<void(int)>& launch, int sets, bool energy);
  // Board power with the context alive and nothing running.
  Sample idle(double least_ms);
  bool has_energy() const { return meter_.has_energy(); }
  cudaStream_t stream() const { return stream_; }

 private:
  struct Edge {
    unsigned long long millijoules;
    double seconds;
  };
  template <class Feed> Edge edge(Feed feed);
  void window(const std::function<void()>& round, double round_us, int sets, Sample& out);
  const Meter& meter_;
  cudaStream_t stream_;
  double energy_ms_;
  cudaEvent_t begin_{}, end_{};
};

// Buffer sets, so that one round touches at least three times the L2 and every launch finds its operands in device memory.
// Kernels that would need more sets than can be captured stay warm in part; in an engine, too, such small data is.
inline int rotation(double bytes_per_set, std::size_t l2_bytes) {
  const double need = 3. * double(l2_bytes) / std::max(1., bytes_per_set);
  return int(std::min(256., std::max(1., std::ceil(need))));
}

}  // namespace harness
