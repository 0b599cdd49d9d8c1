// The board's own instruments, through NVML.
#pragma once
#include <cuda_runtime.h>
#include <nvml.h>

#include <string>

#include "device.hpp"

namespace harness {

#define NVML_CHECK(x)                                                                           \
  do {                                                                                          \
    const nvmlReturn_t status_ = (x);                                                           \
    if (status_ != NVML_SUCCESS) ::harness::fail(#x, nvmlErrorString(status_), __FILE__, __LINE__); \
  } while (0)

class Meter {
 public:
  explicit Meter(int cuda_device) {
    char bus[32];
    CUDA_CHECK(cudaDeviceGetPCIBusId(bus, sizeof bus, cuda_device));
    NVML_CHECK(nvmlInit_v2());
    NVML_CHECK(nvmlDeviceGetHandleByPciBusId_v2(bus, &device_));
  }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;
  ~Meter() { nvmlShutdown(); }

  // Energy since the driver was loaded. The only exact source: the power reading is a mean over the second before.
  unsigned long long millijoules() const {
    unsigned long long e = 0;
    NVML_CHECK(nvmlDeviceGetTotalEnergyConsumption(device_, &e));
    return e;
  }
  // A virtual machine may not pass the counter on. Then times are measured all the same.
  bool has_energy() const {
    unsigned long long e = 0;
    return nvmlDeviceGetTotalEnergyConsumption(device_, &e) == NVML_SUCCESS;
  }
  // Zero where it cannot be read.
  unsigned clock_mhz(nvmlClockType_t which) const {
    unsigned mhz = 0;
    return nvmlDeviceGetClockInfo(device_, which, &mhz) == NVML_SUCCESS ? mhz : 0;
  }
  unsigned long long throttle() const {
    unsigned long long reasons = 0;
    return nvmlDeviceGetCurrentClocksEventReasons(device_, &reasons) == NVML_SUCCESS ? reasons : 0;
  }
  // What follows is for the provenance header alone.
  std::string max_clock(nvmlClockType_t which) const {
    unsigned mhz = 0;
    return nvmlDeviceGetMaxClockInfo(device_, which, &mhz) == NVML_SUCCESS ? std::to_string(mhz) + " MHz" : "unknown";
  }
  std::string power_limit() const {
    unsigned mw = 0;
    return nvmlDeviceGetEnforcedPowerLimit(device_, &mw) == NVML_SUCCESS ? std::to_string(mw / 1000) + " W" : "unknown";
  }
  std::string temperature() const {
    nvmlTemperature_t t{};
    t.version = nvmlTemperature_v1;
    t.sensorType = NVML_TEMPERATURE_GPU;
    return nvmlDeviceGetTemperatureV(device_, &t) == NVML_SUCCESS ? std::to_string(t.temperature) + " C" : "unknown";
  }
  std::string driver() const {
    char version[NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE] = "";
    return nvmlSystemGetDriverVersion(version, sizeof version) == NVML_SUCCESS ? version : "unknown";
  }

 private:
  nvmlDevice_t device_{};
};

}  // namespace harness
