// The two sweeps over a table: which rows are left, how each went, and when to stop.
#pragma once
#include <chrono>

#include "device.hpp"
#include "options.hpp"
#include "table.hpp"
#include "timer.hpp"

namespace harness {

class Progress {
 public:
  Progress(const Options& options, std::size_t rows) : deadline_(options.deadline_s), rows_(rows) {}

  // False once no further row may start.
  bool next() {
    if (deadline_ > 0 && seconds() > deadline_) {
      cut_ = true;
      return false;
    }
    ++at_;
    return true;
  }
  void skipped() { ++kept_; }
  void done(const std::string& row, const char* note) {
    ++measured_;
    std::printf("[%zu/%zu %.0f s] %s%s\n", at_, rows_, seconds(), row.c_str(), note);
    std::fflush(stdout);
  }
  void unsupported(const std::string& row, const char* why) {
    ++unsupported_;
    std::fprintf(stderr, "left out: %s: %s\n", row.c_str(), why);
  }
  void wrong(const char* why) {
    ++wrong_;
    std::fprintf(stderr, "WRONG: %s\n", why);
  }
  // Anything else that went wrong with one row. The run goes on if the GPU does; after some errors it takes no more work.
  void failed(const std::string& row, const char* why) {
    ++wrong_;
    std::fprintf(stderr, "FAILED: %s: %s\n", row.c_str(), why);
    cudaGetLastError();
    CUDA_CHECK(cudaDeviceSynchronize());
  }
  // Prints the tally; returns the exit status.
  int finish() const {
    std::printf("%zu rows measured, %zu already there, %zu not supported, %zu wrong or failed, %.0f s%s\n", measured_, kept_, unsupported_, wrong_,
                seconds(), cut_ ? "; stopped at the deadline: run again with the same output to go on" : "");
    return wrong_ ? 1 : cut_ ? 75 : 0;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double deadline_;
  std::size_t rows_, at_ = 0, measured_ = 0, kept_ = 0, unsupported_ = 0, wrong_ = 0;
  bool cut_ = false;
};

int run_kernels(const Options& options, const Table::Provenance& provenance, Timer& timer, const cudaDeviceProp& device);
int run_iterations(const Options& options, const Table::Provenance& provenance, Timer& timer);

inline const std::set<std::string> kMustMatch{"gpu", "driver", "cublaslt", "cudnn"};

}  // namespace harness
