#include "all_reduce.hpp"
#include "bench.hpp"
#include "kernels.hpp"
#include "run.hpp"
#include "sweep.hpp"

namespace harness {

int run_kernels(const Options& options, const Table::Provenance& provenance, Timer& timer, const cudaDeviceProp& device) {
  int gpus = 0;
  CUDA_CHECK(cudaGetDeviceCount(&gpus));
  const Sweep sweep(options.models, options.tp, options.quick, options.kernels, gpus);
  Table table(options.output, kKernelColumns, kKernelKeyColumns, provenance, kMustMatch);
  Progress progress(options, sweep.keys().size());

  Key idle;
  idle.kernel = "idle", idle.impl = "none";
  if (timer.has_energy() && !table.has(identity(idle))) table.append(kernel_row(idle, timer.idle(1500)));

  std::size_t free = 0, total = 0;
  CUDA_CHECK(cudaMemGetInfo(&free, &total));
  Arena input(std::min<std::size_t>(std::size_t(14) << 30, free / 2)), scratch(std::min<std::size_t>(std::size_t(6) << 30, free / 4));
  fill_random(reinterpret_cast<bf16*>(input.base()), input.size() / sizeof(bf16) / 8 * 8, 1, 1.f, timer.stream());
  CUDA_CHECK(cudaStreamSynchronize(timer.stream()));
  Bench bench(timer, input, scratch, std::size_t(device.l2CacheSize), options.page);

  for (const Key& key : sweep.keys()) {
    if (!progress.next()) break;
    const std::string row = identity(key);
    if (table.has(row)) {
      progress.skipped();
      continue;
    }
    try {
      const bool collective = key.kernel == "all_reduce";
      const Sample sample = collective ? all_reduce(key) : bench.measure(key);
      table.append(kernel_row(key, sample));
      progress.done(row, format("  %.2f us, error %.1e", sample.burst_us, collective ? 0 : bench.error()).c_str());
    } catch (const Unsupported& e) {
      progress.unsupported(row, e.what());
    } catch (const Wrong& e) {
      progress.wrong(e.what());
    } catch (const std::exception& e) {
      progress.failed(row, e.what());
    }
  }
  return progress.finish();
}

}  // namespace harness
