// All-reduce over key.tp GPUs of this machine by NCCL, which is loaded only where it is needed.
#pragma once
#include "key.hpp"

namespace harness {

// Checks the sum, then times it. Throws Unsupported where libnccl.so.2 cannot be loaded.
Sample all_reduce(const Key& key);

}  // namespace harness
