"""What GPU this is, how its instruments behave, and two rates that say whether it is well."""

import statistics
import time

import torch

from . import products
from .board import MEMORY_CLOCK, SM_CLOCK
from .run import key
from .timing import measure


def step(run):
    b = run.board
    cudnn = None if run.dry else torch.backends.cudnn.version()
    run.log(f"{run.gpu}; driver {b.driver()}; torch {torch.__version__}; triton {run.triton}; cuda {torch.version.cuda}; cudnn {cudnn}", keep=True)
    run.log(f"L2 {run.l2 / 2**20:.0f} MiB, memory {run.memory / 2**30:.1f} GiB, {run.multiprocessors} multiprocessors, "
            f"limit {b.limit_watts():.0f} W, SM {b.sm_mhz()} of {b.most_mhz(SM_CLOCK)} MHz, memory {b.memory_mhz()} of {b.most_mhz(MEMORY_CLOCK)} MHz, {b.celsius()} C", keep=True)
    with run.attempt("instruments"):
        _instruments(run)
    n = 64 if run.dry else 8192
    with run.attempt("a product"):
        sample = measure(run, products.calls(run, n, n, n))
        run.emit(run.out.kernels_other, products.row_of("gemm", "cublaslt", "", n, n, n), sample, "sanity")
        run.log(f"product {n}^3: {2e-6 * n**3 / sample['burst_us']:.0f} TFLOP/s", keep=True)
    n = 1 << (14 if run.dry else 30)
    with run.attempt("a copy"):
        source, target = run.random(n), run.empty(n)
        sample = measure(run, [lambda: target.copy_(source)])
        run.emit(run.out.kernels_other, key("copy", "torch", m=n, bytes=4 * n), sample, "sanity")
        run.log(f"copy of {2 * n / 1e9:.1f} GB: {4e-6 * n / sample['burst_us']:.2f} TB/s read and written", keep=True)


def _instruments(run):
    b, reads = run.board, 10
    t = time.perf_counter()
    for _ in range(reads):
        b.millijoules(), b.sm_mhz(), b.watts()
    run.log(f"three readings of NVML take {(time.perf_counter() - t) / reads * 1e6:.0f} us", keep=True)
    steps, end = [], time.perf_counter() + (0.02 if run.dry else 0.7)
    while time.perf_counter() < end:
        counter = b.millijoules()
        if not steps or counter != steps[-1][1]:
            steps.append((time.perf_counter(), counter))
        time.sleep(0.001)
    apart = [y[0] - x[0] for x, y in zip(steps[1:], steps[2:])]
    text = f"every {statistics.median(apart) * 1e3:.1f} ms, {min(apart) * 1e3:.1f} to {max(apart) * 1e3:.1f}" if apart else "not in 0.7 s"
    run.log(f"the energy counter steps {text}", keep=True)
