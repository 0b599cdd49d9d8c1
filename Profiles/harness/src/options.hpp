// The command line.
#pragma once
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "models.hpp"

namespace harness {

struct UsageError : std::runtime_error {
  using runtime_error::runtime_error;
};

inline constexpr const char* kKernelNames[] = {
    "embedding", "rms_norm", "qkv_gemm", "qk_norm_rope_kv", "prefill_attention", "decode_attention", "o_gemm",
    "all_reduce", "router_gemm", "router_topk", "permute", "expert_gate_up", "silu_mul", "expert_down", "combine",
    "gate_up_gemm", "down_gemm", "lm_head", "sampling"};

inline constexpr const char* kUsage =
    "usage: kernel_profile [options] OUTPUT.csv\n"
    "Measures the kernels of transformer layers, or whole decoder iterations, on one NVIDIA Hopper GPU.\n"
    "An existing OUTPUT.csv is resumed: rows it has are not measured again.\n"
    "  --iterations       whole decoder iterations instead of single kernels\n"
    "  --plans FILE       the iterations to run (CSV, see README.md), instead of the built-in list\n"
    "  --models A,B       qwen3-30b-a3b, gpt-oss-20b, qwen3-8b, llama-3.1-8b (default: the first two)\n"
    "  --tp 1,2           shapes of one rank of so many (default: 1,2; with --iterations: 1)\n"
    "  --kernels A,B      only these kernels (default: all)\n"
    "  --quick            a coarse grid: minutes instead of tens of minutes\n"
    "  --deadline S       start no row later than S seconds from now, and exit 75 if rows are left\n"
    "  --energy-ms MS     shortest energy window (default: 400)\n"
    "  --page N           tokens in a page of the KV cache (default: 64)\n"
    "  --device N         which GPU (default: 0)\n"
    "  --list             print what would be measured, and stop; needs no GPU\n"
    "  --help             print this, and stop\n"
    "exit status: 0 all measured, 1 a kernel failed or is wrong, 64 bad command line, 75 rows left at the deadline\n";

struct Options {
  std::string output, plans;
  std::vector<Model> models{kModels[0], kModels[1]};
  std::vector<int> tp{1, 2};
  std::set<std::string> kernels;  // empty: all
  double deadline_s = 0;          // 0: none
  double energy_ms = 400;
  long page = 64;
  int device = 0;
  bool iterations = false, quick = false, list = false, help = false;
};

inline std::vector<std::string> split(const std::string& text, char separator = ',') {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

inline double number(const std::string& name, const std::string& text, double least, double most) {
  char* end = nullptr;
  const double v = std::strtod(text.c_str(), &end);
  if (text.empty() || *end || !(v >= least && v <= most)) throw UsageError(name + ": '" + text + "' is not a number in range");
  return v;
}
inline long integer(const std::string& name, const std::string& text, long least, long most) {
  const double v = number(name, text, double(least), double(most));
  if (v != double(long(v))) throw UsageError(name + ": '" + text + "' is not a whole number");
  return long(v);
}

inline Options parse(const std::vector<std::string>& arguments) {
  Options o;
  bool tp_given = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string name = arguments[i], inline_value;
    const bool has_inline = name.rfind("--", 0) == 0 && name.find('=') != std::string::npos;
    if (has_inline) {
      inline_value = name.substr(name.find('=') + 1);
      name.resize(name.find('='));
    }
    auto flag = [&] {
      if (has_inline) throw UsageError(name + " takes no value");
      return true;
    };
    auto value = [&]() -> std::string {
      if (has_inline) return inline_value;
      if (i + 1 >= arguments.size()) throw UsageError(name + " needs a value");
      return arguments[++i];
    };
    if (name == "--help" || name == "-h") o.help = flag();
    else if (name == "--iterations") o.iterations = flag();
    else if (name == "--quick") o.quick = flag();
    else if (name == "--list") o.list = flag();
    else if (name == "--plans") o.plans = value();
    else if (name == "--deadline") o.deadline_s = number(name, value(), 1, 1e6);
    else if (name == "--energy-ms") o.energy_ms = number(name, value(), 100, 60e3);
    else if (name == "--device") o.device = int(integer(name, value(), 0, 63));
    else if (name == "--page") {
      o.page = integer(name, value(), 8, 1024);
      if (o.page & (o.page - 1)) throw UsageError("--page: " + std::to_string(o.page) + " is not a power of two");
    } else if (name == "--models") {
      o.models.clear();
      for (auto& m : split(value())) {
        const Model* model = find_model(m);
        if (!model) throw UsageError("--models: no model '" + m + "'; there are qwen3-30b-a3b, gpt-oss-20b, qwen3-8b, llama-3.1-8b");
        o.models.push_back(*model);
      }
    } else if (name == "--tp") {
      o.tp.clear();
      tp_given = true;
      for (auto& t : split(value())) {
        o.tp.push_back(int(integer(name, t, 1, 8)));
        if (o.tp.back() & (o.tp.back() - 1)) throw UsageError("--tp: " + t + " is not 1, 2, 4 or 8");
      }
    } else if (name == "--kernels") {
      for (auto& k : split(value())) {
        if (std::find(std::begin(kKernelNames), std::end(kKernelNames), k) == std::end(kKernelNames))
          throw UsageError("--kernels: no kernel '" + k + "'");
        o.kernels.insert(k);
      }
    } else if (name.size() > 1 && name[0] == '-') throw UsageError("no option '" + name + "'");
    else if (!o.output.empty()) throw UsageError("more than one output file: '" + o.output + "' and '" + name + "'");
    else o.output = name;
  }
  if (o.help) return o;
  if (!o.plans.empty() && !o.iterations) throw UsageError("--plans goes with --iterations");
  if (!o.kernels.empty() && o.iterations) throw UsageError("--kernels does not go with --iterations");
  if (o.output.empty() && !o.list) throw UsageError("no output file given");
  if (o.iterations && !tp_given) o.tp = {1};
  return o;
}

}  // namespace harness
