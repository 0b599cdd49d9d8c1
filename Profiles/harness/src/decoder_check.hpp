// Whether the decoder as a whole computes what its layers composed in double precision compute, on models small enough for that.
#pragma once
#include <cuda_runtime.h>

#include <string>

namespace harness {

struct DecoderVerdict {
  bool passed;
  double error;  // the largest median over rows of a row's relative error
  std::string text() const;
};

DecoderVerdict check_decoder(long page, cudaStream_t s);

}  // namespace harness
