"""What no GPU can do: rows that imply it are not believed.

A row's bytes must not come faster than the memory gives them, and its operations must not be faster than the tensor cores. Bytes
count only where they are several times the cache, since the collectors repeat a kernel without flushing it.
"""

from dataclasses import dataclass

TOLERANCE = 1.05
CACHES = 3
# Bytes of a weight, scales included, and the tensor-core rate that multiplies it.
FORMATS = {
    "bf16": (2, "bf16"), "fp8": (1, "fp8"), "fp8_block": (1, "fp8"), "nvfp4": (0.5625, "fp4"), "mxfp4": (0.53125, "bf16"),
    "mxfp4_mxfp8": (0.53125, "fp8"), "int4": (0.515625, "bf16"), "int8": (1, "bf16"), "int8_w8a8": (1, "int8"),
}


@dataclass(frozen=True)
class GPU:
    """Data-sheet figures: bytes/s, bytes, operations/s without sparsity, bytes/s of the link in one direction."""

    system: str
    bandwidth: float
    l2: int
    multiprocessors: int
    flops: dict
    link: float


GPUS = {
    "a100-sxm": GPU("a100_sxm", 2.039e12, 41943040, 108, {"bf16": 312e12, "int8": 624e12}, 300e9),
    "l40s": GPU("l40s", 864e9, 100663296, 142, {"bf16": 362.05e12, "fp8": 733e12, "int8": 733e12}, 32e9),
    "rtx-pro-6000": GPU("rtx_pro_6000_server", 1.597e12, 134217728, 188,
                        {"bf16": 503.8e12, "fp8": 1007.6e12, "fp4": 2015.2e12, "int8": 1007.6e12}, 64e9),
    "h100-sxm": GPU("h100_sxm", 3.35e12, 52428800, 132, {"bf16": 989.4e12, "fp8": 1978.9e12, "int8": 1978.9e12}, 450e9),
    "h200-sxm": GPU("h200_sxm", 4.8e12, 52428800, 132, {"bf16": 989.4e12, "fp8": 1978.9e12, "int8": 1978.9e12}, 450e9),
    "b200-sxm": GPU("b200_sxm", 8e12, 132120576, 148, {"bf16": 2250e12, "fp8": 4500e12, "fp4": 9000e12, "int8": 4500e12}, 900e9),
    "b300-sxm": GPU("b300_sxm", 8e12, 132120576, 148, {"bf16": 2250e12, "fp8": 4500e12, "fp4": 14000e12, "int8": 154e12}, 900e9),
    "gb200": GPU("gb200", 8e12, 132120576, 152, {"bf16": 2500e12, "fp8": 5000e12, "fp4": 10000e12, "int8": 5000e12}, 900e9),
    "gb300": GPU("gb300", 8e12, 132120576, 152, {"bf16": 2500e12, "fp8": 5000e12, "fp4": 15000e12, "int8": 165e12}, 900e9),
}


def impossible(gpu, milliseconds, moved=0.0, operations=0.0, rate="bf16"):
    """What a row claims beyond the data sheet, or None."""
    seconds = milliseconds / 1000
    if not seconds > 0:
        return "no positive time"
    if moved > CACHES * gpu.l2 and moved > TOLERANCE * gpu.bandwidth * seconds:
        return "memory faster than the data sheet's"
    if operations > TOLERANCE * gpu.flops.get(rate, gpu.flops["bf16"]) * seconds:
        return "operations faster than the data sheet's"
    return None
