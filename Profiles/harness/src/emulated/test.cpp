// Our kernels, their checks, the measuring and the whole decoder on an emulated GPU. Of the libraries' kernels this says
// nothing, and of times nothing at all.
#include <cstdio>
#include <fstream>

#include "../bench.hpp"
#include "../decoder_check.hpp"
#include "../kernels.hpp"
#include "../run.hpp"
#include "../shapes.hpp"

using namespace harness;

namespace harness {
extern float emulated_gain;
extern bool emulated_leaves_last;
}  // namespace harness

static int failures = 0;
static void expect(bool ok, const std::string& what) {
  if (ok) return;
  std::printf("failed: %s\n", what.c_str());
  ++failures;
}

// A whole sweep of one kernel: cut, torn, resumed.
static void end_to_end(Timer& timer, const std::string& path) {
  std::remove(path.c_str());
  cudaDeviceProp device{};
  device.l2CacheSize = 1;
  Options o = parse({"--quick", "--models", "qwen3-30b-a3b", "--tp", "1", "--kernels", "sampling", path});
  const Table::Provenance here{{"gpu", "emulated"}};
  o.deadline_s = 1e-9;
  expect(run_kernels(o, here, timer, device) == 75, "the deadline is kept");
  auto lines = [&] {
    std::ifstream in(path);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  };
  expect(lines().size() == 3 && lines()[1] == kKernelColumns && lines()[2].rfind("idle,none,", 0) == 0, "header and idle row come first");
  std::ofstream(path, std::ios::app) << "sampling,own,qwen3-30b-a3b,bf16,1,16,15";
  o.deadline_s = 0;
  expect(run_kernels(o, here, timer, device) == 0, "the rest is measured");
  const auto measured = lines();
  expect(measured.size() == 3 + 3, "three batches");
  for (std::size_t i = 2; i < measured.size(); ++i) expect(split(measured[i]).size() == 29, measured[i]);
  expect(run_kernels(o, here, timer, device) == 0 && lines() == measured, "nothing is measured twice");
  std::remove(path.c_str());
}

int main(int, char** arguments) {
  const Meter meter(0);
  Timer timer(meter, nullptr, 100);
  Arena input(std::size_t(160) << 20), scratch(std::size_t(96) << 20);
  fill_random(reinterpret_cast<bf16*>(input.base()), input.size() / sizeof(bf16), 1, 1.f, nullptr);
  const auto values = download_bf16(reinterpret_cast<const bf16*>(input.base()), 100000);
  double sum = 0, squares = 0;
  for (double v : values) sum += v, squares += v * v;
  expect(std::abs(sum / 1e5) < 0.01 && std::abs(squares / 1e5 - 1. / 3) < 0.01, "random data is uniform in [-1, 1)");

  // One set of buffers each: the emulated L2 has a byte. Shapes are the models' where they are small enough.
  Bench bench(timer, input, scratch, 1, 16);
  const Shapes qwen(kModels[0], 2), gpt(kModels[1], 1), llama(kModels[3], 8);
  std::vector<Key> keys{qwen.rms_norm(5), gpt.rms_norm(3), llama.rms_norm(2), qwen.silu_mul(40), qwen.qk_norm_rope_kv(7),
                        gpt.qk_norm_rope_kv(9), llama.qk_norm_rope_kv(4), qwen.router_topk(33), gpt.router_topk(100),
                        qwen.permute(21), gpt.combine(13), gpt.permute(1), qwen.sampling(3), gpt.gemm("router_gemm", 17, 32, 2880),
                        gpt.attention("prefill_attention", "cudnn_paged", 1, 30, 75, 0),
                        gpt.attention("prefill_attention", "cudnn_paged", 1, 40, 200, 128),
                        qwen.attention("decode_attention", "cudnn_paged", 3, 1, 65, 0),
                        qwen.attention("decode_attention", "cudnn", 3, 1, 65, 0)};
  Key small = qwen.embedding(6);
  small.n = 64;
  keys.push_back(small);
  Key experts = qwen.grouped("expert_gate_up", 9, 16, 1, 16);
  experts.n = 64, experts.k = 128;
  keys.push_back(experts);
  for (const Key& key : keys) try {
      const Sample s = bench.measure(key);
      expect(bench.error() < 5e-3 && s.burst_us > 0 && !s.energy, identity(key));
    } catch (const std::exception& e) {
      expect(false, e.what());
    }

  Key hot = qwen.rms_norm(2);
  hot.energy = true;
  const Sample s = bench.measure(hot);
  expect(s.energy && std::abs(s.watts - 300) < 30 && s.sm_mhz == 1980 && s.throttle == 4, "energy window");
  expect(s.burst_us > 1400 && s.burst_us < 1550 && s.spread_us > 400 && s.spread_us < 550, "median and quartiles");

  // What is wrong must be noticed: a result 2 % off, one element never written, a decoder whose projections are off.
  auto noticed = [&] {
    try {
      bench.measure(gpt.gemm("router_gemm", 17, 32, 2880));
    } catch (const Wrong&) {
      return true;
    }
    return false;
  };
  emulated_gain = 1.02f;
  expect(noticed(), "a result 2 % off is noticed");
  emulated_gain = 1.2f;
  expect(!check_decoder(16, nullptr).passed, "a decoder that is wrong is noticed");
  emulated_gain = 1;
  emulated_leaves_last = true;
  expect(noticed(), "an element never written is noticed");
  emulated_leaves_last = false;
  expect(!noticed(), "and nothing else is");

  end_to_end(timer, std::string(arguments[0]) + ".tmp.csv");

  const DecoderVerdict verdict = check_decoder(16, nullptr);
  expect(verdict.passed, "decoder: " + verdict.text());
  std::printf("decoder: %s\n", verdict.text().c_str());
  if (failures) std::printf("emulated: %d failures\n", failures);
  else std::printf("emulated: passed\n");
  return failures != 0;
}
