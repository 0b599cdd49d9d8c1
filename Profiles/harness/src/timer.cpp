#include "timer.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace harness {
namespace {

constexpr int kReplays = 20, kWarmReplays = 3;
constexpr double kRampSeconds = 0.12;   // for clocks and power to settle before the window
constexpr double kFeedMicroseconds = 4000;  // work enqueued between two looks at the counter
constexpr int kChunks = 5;  // enqueued at most: a reading of NVML takes a millisecond on some machines, and the load must not run dry
constexpr double kStandstillSeconds = 5;
constexpr double kClockSeconds = 0.02;  // between two readings of clock and throttle reasons

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double quantile(const std::vector<float>& sorted, double q) {
  const double at = q * double(sorted.size() - 1);
  const std::size_t low = std::size_t(at), high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - double(low)) * (sorted[high] - sorted[low]);
}

// A captured round of launches.
class Graph {
 public:
  Graph(const std::function<void(int)>& launch, int sets, cudaStream_t s) {
    CUDA_CHECK(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal));
    cudaGraph_t graph = nullptr;
    try {
      for (int i = 0; i < sets; ++i) launch(i);
    } catch (...) {  // leave the stream usable for the next row
      cudaStreamEndCapture(s, &graph);
      if (graph) cudaGraphDestroy(graph);
      cudaGetLastError();
      throw;
    }
    CUDA_CHECK(cudaStreamEndCapture(s, &graph));
    const cudaError_t status = cudaGraphInstantiate(&exec_, graph, 0);
    cudaGraphDestroy(graph);
    CUDA_CHECK(status);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() { cudaGraphExecDestroy(exec_); }
  void replay(cudaStream_t s) const { CUDA_CHECK(cudaGraphLaunch(exec_, s)); }

 private:
  cudaGraphExec_t exec_{};
};

}  // namespace

Timer::Timer(const Meter& meter, cudaStream_t stream, double energy_ms) : meter_(meter), stream_(stream), energy_ms_(energy_ms) {
  CUDA_CHECK(cudaEventCreate(&begin_));
  CUDA_CHECK(cudaEventCreate(&end_));
}
Timer::~Timer() {
  cudaEventDestroy(begin_);
  cudaEventDestroy(end_);
}

Sample Timer::run(const std::function<void(int)>& launch, int sets, bool energy) {
  launch(0);  // the first launch loads modules, which a capture must not
  CUDA_CHECK(cudaStreamSynchronize(stream_));
  const Graph graph(launch, sets, stream_);
  std::vector<float> us;
  for (int r = 0; r < kWarmReplays + kReplays; ++r) {
    CUDA_CHECK(cudaEventRecord(begin_, stream_));
    graph.replay(stream_);
    CUDA_CHECK(cudaEventRecord(end_, stream_));
    CUDA_CHECK(cudaEventSynchronize(end_));
    float ms = 0;
    CUDA_CHECK(cudaEventElapsedTime(&ms, begin_, end_));
    if (r >= kWarmReplays) us.push_back(ms * 1e3f / float(sets));
  }
  std::sort(us.begin(), us.end());
  Sample out;
  out.burst_us = quantile(us, 0.5);
  out.spread_us = quantile(us, 0.75) - quantile(us, 0.25);
  if (energy && meter_.has_energy()) window([&] { graph.replay(stream_); }, out.burst_us * sets, sets, out);
  return out;
}

// Calls `feed` until the energy counter steps. It is refreshed every 20 to 100 ms only: a window from one step to a later one
// has no error from that.
template <class Feed> Timer::Edge Timer::edge(Feed feed) {
  const auto before = meter_.millijoules();
  const double start = now();
  for (;;) {
    feed();
    const auto after = meter_.millijoules();
    if (after != before) return {after, now()};
    if (now() - start > kStandstillSeconds) throw std::runtime_error("the GPU's energy counter stands still");
  }
}

void Timer::window(const std::function<void()>& round, double round_us, int sets, Sample& out) {
  const long chunk = std::max(1L, long(kFeedMicroseconds / round_us));
  long rounds = 0, readings = 0;
  double clock_sum = 0, next_reading = 0;
  bool counting = false;
  cudaEvent_t fence[kChunks];
  for (auto& f : fence) {
    CUDA_CHECK(cudaEventCreateWithFlags(&f, cudaEventDisableTiming));
    CUDA_CHECK(cudaEventRecord(f, stream_));
  }
  int turn = 0;
  // Never more than so many chunks are queued, so that rounds enqueued track rounds done to within 20 ms; and the same lag
  // stands at both edges.
  auto feed = [&] {
    CUDA_CHECK(cudaEventSynchronize(fence[turn]));
    for (long i = 0; i < chunk; ++i) round();
    CUDA_CHECK(cudaEventRecord(fence[turn], stream_));
    turn = (turn + 1) % kChunks;
    rounds += chunk;
    if (counting && now() >= next_reading) {
      clock_sum += meter_.clock_mhz(NVML_CLOCK_SM);
      out.throttle |= meter_.throttle();
      ++readings;
      next_reading = now() + kClockSeconds;
    }
  };
  for (const double start = now(); now() - start < kRampSeconds;) feed();
  const Edge first = edge(feed);
  const long first_round = rounds;
  counting = true;
  Edge last = first;
  while (last.seconds - first.seconds < energy_ms_ * 1e-3) last = edge(feed);
  const long done = rounds - first_round;
  CUDA_CHECK(cudaStreamSynchronize(stream_));
  for (auto& f : fence) CUDA_CHECK(cudaEventDestroy(f));

  const double seconds = last.seconds - first.seconds;
  out.energy = true;
  out.watts = double(last.millijoules - first.millijoules) * 1e-3 / seconds;
  out.sustained_us = seconds * 1e6 / (double(done) * sets);
  out.joules = out.watts * out.sustained_us * 1e-6;
  out.sm_mhz = readings ? clock_sum / double(readings) : 0;
}

Sample Timer::idle(double least_ms) {
  CUDA_CHECK(cudaStreamSynchronize(stream_));
  const auto wait = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  const Edge first = edge(wait);
  Edge last = first;
  while (last.seconds - first.seconds < least_ms * 1e-3) last = edge(wait);
  Sample out;
  out.energy = true;
  out.watts = double(last.millijoules - first.millijoules) * 1e-3 / (last.seconds - first.seconds);
  out.sm_mhz = meter_.clock_mhz(NVML_CLOCK_SM);
  out.throttle = meter_.throttle();
  return out;
}

}  // namespace harness
