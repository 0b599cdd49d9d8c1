"""Dense products y[m,n] = x[m,k] W[n,k]^T: cuBLAS through PyTorch in BF16, its FP8 product, and our dequantising one."""

import torch

from . import kernels
from .run import BF16, key
from .timing import measure

#: Shapes of the models whose products and iterations are measured.
MODELS = {
    "qwen3-30b-a3b": dict(layers=48, hidden=2048, inter=768, vocab=151936, heads=32, kv_heads=4, experts=128, topk=8),
    "llama-3.1-8b": dict(layers=32, hidden=4096, inter=14336, vocab=128256, heads=32, kv_heads=8, experts=0, topk=0),
}


def row_of(kernel, impl, model, m, n, k, dtype="bf16", size=2):
    return key(kernel, impl, model, dtype, m=m, n=n, k=k, bytes=size * (m * k + n * k) + 2 * m * n, flops=2 * m * n * k)


def calls(run, m, n, k, most=64):
    sets = run.sets(2 * (m * k + n * k + m * n), most)
    buffers = [(run.random(m, k), run.random(n, k, scale=0.02), run.empty(m, n)) for _ in range(sets)]
    return [lambda x=x, w=w, y=y: torch.mm(x, w.t(), out=y) for x, w, y in buffers]


def fp8_calls(run, m, n, k):
    """The calls, and the operands of the first."""
    float8 = torch.float8_e4m3fn
    sets = [(run.random(m, k, dtype=float8), run.random(n, k, dtype=float8)) for _ in range(run.sets(m * k + n * k, 16))]
    one = torch.ones((), device=run.device, dtype=torch.float32)
    return [lambda x=x, w=w: torch._scaled_mm(x, w.t(), scale_a=one, scale_b=one, out_dtype=BF16, use_fast_accum=not run.dry) for x, w in sets], sets[0]


def mx_calls(run, experts, m, n, k):
    """Dequantising products of that many experts with m rows each: the calls, and the buffers of the first."""
    sets = []
    for _ in range(run.sets(experts * n * k * 0.53, 8)):
        sets.append((run.random(experts, m, k // 2), run.random(experts, m, k // 2), run.integers(0, 256, (experts, n, k // 2), torch.uint8),
                     run.integers(118, 124, (experts, n, k // 32), torch.uint8), run.empty(experts, m, n)))
    return [lambda s=s: kernels.dequantise(*s) for s in sets], sets[0]


def check_once(run):
    if not getattr(run, "products_checked", False):
        run.products_checked = True
        check(run)


def check(run):
    x, w = run.random(33, 64), run.random(48, 64)
    run.check("dense product", torch.mm(x, w.t()), x.double() @ w.double().t())
    with run.attempt("fp8 product"):
        m, n, k = (16, 32, 64) if run.dry else (64, 512, 1024)
        calls, (x, w) = fp8_calls(run, m, n, k)
        run.check("fp8 product", calls[0](), x.double() @ w.double().t(), 2e-2, kernel="fp8_gemm")  # it sums in less than float32
    run.wrong.add("expert_mx")  # until it was right
    with run.attempt("dequantising product"):
        for m in (20,) if run.dry else (5, 20, 70):  # each number of rows in a tile
            calls, (xe, xo, w, scale, y) = mx_calls(run, 2, m, 64 if run.dry else 128, 128)
            y.fill_(float("nan"))
            calls[0]()
            run.sync()
            values = torch.tensor([0, .5, 1, 1.5, 2, 3, 4, 6, 0, -.5, -1, -1.5, -2, -3, -4, -6], device=run.device, dtype=torch.float64)
            factor = torch.exp2(scale.double() - 127).repeat_interleave(16, 2)
            low, high = values[(w & 15).long()] * factor, values[(w >> 4).long()] * factor
            right = run.check(f"dequantising product {m} rows", y, xe.double() @ low.transpose(1, 2) + xo.double() @ high.transpose(1, 2))
            if not right:
                return
        run.wrong.discard("expert_mx")


def step(run):
    qwen, llama = "qwen3-30b-a3b", "llama-3.1-8b"
    shapes = [("qkv_gemm", qwen, 5120, 2048), ("o_gemm", qwen, 2048, 4096), ("gate_up_gemm", llama, 28672, 4096), ("down_gemm", llama, 4096, 14336),
              ("router_gemm", qwen, 128, 2048), ("lm_head", qwen, 151936, 2048), ("qkv_gemm", llama, 6144, 4096), ("o_gemm", llama, 4096, 4096)]
    rows = (512, 1, 64, 2048, 8192, 16, 256, 1024, 8, 128, 4096, 32)
    if run.dry:
        shapes, rows = [("qkv_gemm", qwen, 64, 32), ("lm_head", qwen, 96, 32)], (1, 3)
    for m in rows:
        line = []
        for kernel, model, n, k in shapes:
            if kernel == "lm_head" and m > 512:  # one row for each sequence
                continue
            watched = m in (1, 64, 512, 2048) and kernel in ("qkv_gemm", "gate_up_gemm")
            run.tick(1.0 if watched and not run.dry else 0.1)
            with run.attempt(f"{kernel} m {m}"):
                sample = measure(run, calls(run, m, n, k), eager=m == 1, ms=8, energy=watched)
                run.emit(run.out.kernels, row_of(kernel, "cublaslt", model, m, n, k), sample)
                line.append(f"{n}x{k} {sample['burst_us']:.1f}")
        run.log(f"dense m {m}, us: {', '.join(line)}", keep=m in (1, 64, 512, 2048))
