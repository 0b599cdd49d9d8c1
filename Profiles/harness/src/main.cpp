// kernel_profile: see options.hpp for the command line and README.md for what it writes.
#include <cublasLt.h>

#include <ctime>

#include "attention.hpp"
#include "plans.hpp"
#include "run.hpp"
#include "sweep.hpp"

#ifndef CUTLASS_VERSION_TEXT
#define CUTLASS_VERSION_TEXT "unknown"
#endif

namespace harness {
namespace {

constexpr int kUsageStatus = 64;  // EX_USAGE

// What would be measured, without touching a GPU.
void list(const Options& o) {
  if (o.iterations) {
    std::printf("%s\n", kPlanColumns);
    const std::vector<Plan> plans = o.plans.empty() ? PlanList(o.models, o.tp, o.quick).plans() : read_plans(o.plans);
    for (const Plan& p : plans) std::printf("%s\n", identity(p).c_str());
    return;
  }
  const std::string columns = kKernelColumns;
  std::printf("%s\n", columns.substr(0, columns.find(",bytes")).c_str());
  const Sweep sweep(o.models, o.tp, o.quick, o.kernels, 8);
  for (const Key& k : sweep.keys()) std::printf("%s\n", identity(k).c_str());
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

std::string cuda_version(int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); }

Table::Provenance provenance(const Options& o, const cudaDeviceProp& p, const Meter& meter) {
  int runtime = 0, driver = 0;
  CUDA_CHECK(cudaRuntimeGetVersion(&runtime));
  CUDA_CHECK(cudaDriverGetVersion(&driver));
  const std::size_t lt = cublasLtGetVersion();
  return {{"table", o.iterations ? "iterations" : "kernels"},
          {"gpu", p.name},
          {"compute_capability", format("%d.%d", p.major, p.minor)},
          {"multiprocessors", std::to_string(p.multiProcessorCount)},
          {"l2_bytes", std::to_string(p.l2CacheSize)},
          {"memory_bytes", std::to_string(p.totalGlobalMem)},
          {"driver", meter.driver() + ", CUDA " + cuda_version(driver)},
          {"cuda_runtime", cuda_version(runtime)},
          {"cublaslt", format("%zu.%zu.%zu", lt / 10000, lt / 100 % 100, lt % 100)},
          {"cudnn", cudnn_version()},
          {"cutlass", CUTLASS_VERSION_TEXT},
          {"power_limit", meter.power_limit()},
          {"sm_clock_max", meter.max_clock(NVML_CLOCK_SM)},
          {"memory_clock_max", meter.max_clock(NVML_CLOCK_MEM)},
          {"sm_clock_at_start", std::to_string(meter.clock_mhz(NVML_CLOCK_SM)) + " MHz"},
          {"memory_clock_at_start", std::to_string(meter.clock_mhz(NVML_CLOCK_MEM)) + " MHz"},
          {"temperature_at_start", meter.temperature()},
          {"page_tokens", std::to_string(o.page)},
          {"energy_window_ms", format("%g", o.energy_ms)},
          {"date", date()}};
}

int run(const Options& o) {
  CUDA_CHECK(cudaSetDevice(o.device));
  cudaDeviceProp device;
  CUDA_CHECK(cudaGetDeviceProperties(&device, o.device));
  if (device.major != 9) throw std::runtime_error(std::string(device.name) + " is no Hopper GPU; the kernels are built for sm_90a");
  const Meter meter(o.device);
  cudaStream_t stream;
  CUDA_CHECK(cudaStreamCreate(&stream));
  if (!meter.has_energy()) std::fprintf(stderr, "no energy counter on this machine: times only\n");
  Timer timer(meter, stream, o.energy_ms);
  const auto header = provenance(o, device, meter);
  return o.iterations ? run_iterations(o, header, timer) : run_kernels(o, header, timer, device);
}

}  // namespace
}  // namespace harness

int main(int count, char** arguments) try {
  using namespace harness;
  const Options options = parse(std::vector<std::string>(arguments + 1, arguments + count));
  if (options.help) return std::fputs(kUsage, stdout), 0;
  if (options.list) return list(options), 0;
  return run(options);
} catch (const harness::UsageError& e) {
  std::fprintf(stderr, "kernel_profile: %s (--help lists the options)\n", e.what());
  return harness::kUsageStatus;
} catch (const std::exception& e) {
  std::fprintf(stderr, "kernel_profile: %s\n", e.what());
  return 1;
}
