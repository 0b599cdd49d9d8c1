"""Compiles every kernel for compute capability 9.0 ahead of time, as they are launched; needs no GPU.

    PYTHONPATH=Scripts python3 -m measure.ahead
"""

import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from . import experts, kernels

_B, _F, _I, _U = "*bf16", "*fp32", "*i32", "*u8"


def cases():
    """(kernel, types of its arguments, constants, warps, stages)."""
    k = kernels
    for n in (2048, 4096):
        B, warps = n, 4 if n <= 2048 else 8
        yield k.add_rms_kernel, [_B, _B, _B, _B, "i32"], dict(B=B), warps, 3
    yield k.spin_kernel, [_F, "i32"], dict(B=128), 4, 3
    yield k.copy_kernel, [_B, _B, "i32"], dict(B=4096), 8, 3
    yield k.silu_mul_kernel, [_B, _B, "i32"], dict(B=1024), 4, 3
    yield k.rope_kernel, [_B, _B, _B, _F, _I, *[_B] * 5, *["i32"] * 4], dict(H=32, G=4, D2=64), 1, 3
    yield k.topk_kernel, [_B, _I, _F, _I, _I], dict(E=128, K=8), 1, 3
    yield k.offsets_kernel, [_I] * 5, dict(E=128, BM=16), 4, 3
    yield k.permute_kernel, [_B, _I, _I, _I, _B, _I, "i32"], dict(K=8, B=2048), 4, 3
    yield k.combine_kernel, [_B, _I, _F, _B, "i32"], dict(K=8, B=1024), 4, 3
    yield k.embed_kernel, ["*i64", _B, _B, "i32"], dict(B=2048), 4, 3
    for BM, BN, BK, warps, stages in experts.all_tiles():
        yield k.grouped_kernel, [_B, _B, _B, _I, _I, _I, "i32", "i32"], dict(E=128, BM=BM, BN=BN, BK=BK), warps, stages
    for BM in (16, 32, 64):
        yield k.dequantise_kernel, [_B, _B, _U, _U, _B, "i32", "i32", "i32"], dict(BM=BM, BN=64, BK=64), 4, 3


def main():
    target = GPUTarget("cuda", 90, 32)
    for kernel, types, constants, warps, stages in cases():
        names = kernel.arg_names
        signature = dict(zip(names, types)) | {name: "constexpr" for name in constants}
        # Pointers, and sizes that are multiples of 16, as the launches have them.
        free = {"decoders", "context", "keys", "prefix", "M", "blocks"}
        attributes = {(i,): [["tt.divisibility", 16]] for i, name in enumerate(names) if name not in constants and name not in free}
        source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=attributes)
        built = triton.compile(source, target=target, options=dict(num_warps=warps, num_stages=stages))
        shared, text = built.metadata.shared, built.asm["ptx"]
        how = "wgmma" if "wgmma.mma_async" in text else "mma" if "mma.sync" in text else ""
        print(f"{kernel.__name__:18s} {' '.join(f'{k}={v}' for k, v in constants.items()):28s} warps {warps} stages {stages}: "
              f"{len(built.asm['cubin']):6d} bytes, {shared:6d} of shared memory {how}".rstrip())
        if shared > 227 * 1024:
            sys.exit(f"{kernel.__name__}: {shared} bytes of shared memory, at most {227 * 1024}")


if __name__ == "__main__":
    main()
