// What one row of the kernel table measures: the kernel, its shape, and the bytes and flops counted from the shape.
#pragma once
#include <algorithm>
#include <cstdio>
#include <string>

namespace harness {

// Fields that a kernel does not have stay 0. README.md says what each means for each kernel.
struct Key {
  std::string kernel, impl, model, dtype = "bf16";
  int tp = 1;
  long m = 0, n = 0, k = 0;
  long batch = 0, q_len = 0, kv_len = 0, heads = 0, kv_heads = 0, head_dim = 0, window = 0;
  long experts = 0, active = 0, topk = 0, max_per_expert = 0;
  double skew = 0;
  double bytes = 0, flops = 0;
  bool energy = false;  // whether an energy window is wanted; not part of the identity
};

struct Sample {
  double burst_us = 0;   // median over graph replays, each launch on another buffer set
  double spread_us = 0;  // distance between the quartiles of those replays
  bool energy = false;   // whether the fields below were measured
  double sustained_us = 0, watts = 0, joules = 0;  // inside the energy window; joules are per launch, idle included
  double sm_mhz = 0;             // mean over the window
  unsigned long long throttle = 0;  // NVML clock event reasons, or-ed over the window
};

inline constexpr const char* kKernelColumns =
    "kernel,impl,model,dtype,tp,m,n,k,batch,q_len,kv_len,heads,kv_heads,head_dim,window,experts,active,topk,"
    "max_per_expert,skew,bytes,flops,burst_us,spread_us,sustained_us,watts,joules,sm_mhz,throttle";
inline constexpr int kKernelKeyColumns = 20;  // kernel..skew identify a row

template <class... T> std::string format(const char* pattern, T... value) {
  char buffer[512];
  const int n = std::snprintf(buffer, sizeof buffer, pattern, value...);
  return std::string(buffer, std::size_t(n < 0 ? 0 : std::min<int>(n, sizeof buffer - 1)));
}

inline std::string identity(const Key& s) {
  return s.kernel + "," + s.impl + "," + s.model + "," + s.dtype +
         format(",%d,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%g", s.tp, s.m, s.n, s.k, s.batch, s.q_len,
                s.kv_len, s.heads, s.kv_heads, s.head_dim, s.window, s.experts, s.active, s.topk, s.max_per_expert, s.skew);
}

// The fields of an energy window are empty where none was measured: a zero would read as a measurement.
inline std::string energy_fields(const Sample& t, double sustained, const char* precision) {
  if (!t.energy) return ",,,,,";
  return format(precision, sustained) + format(",%.2f,%.6g,%.0f,%llu", t.watts, t.joules, t.sm_mhz, t.throttle);
}
inline std::string kernel_row(const Key& s, const Sample& t) {
  const std::string shape = identity(s) + format(",%.0f,%.0f", s.bytes, s.flops);
  if (t.burst_us > 0) return shape + format(",%.4f,%.4f", t.burst_us, t.spread_us) + energy_fields(t, t.sustained_us, ",%.4f");
  return shape + format(",,,,%.2f,,%.0f,%llu", t.watts, t.sm_mhz, t.throttle);  // the idle row: power alone
}

}  // namespace harness
