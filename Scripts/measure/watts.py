"""Power under steady loads of one kind, and at idle, by the energy counter."""

import time

from . import attention, experts, kernels, products
from .run import key
from .timing import measure

SPINS = 40000  # loops of the kernel that is busy without memory: some 0.2 ms


def idle(run):
    """The GPU with a live context and nothing to do, after its clocks have had time to fall."""
    run.sync()
    time.sleep(0.01 if run.dry else 0.8)
    edges, mhz, reasons, power = [], [], 0, []
    end = time.perf_counter() + (0.02 if run.dry else 1.6)
    last = run.board.millijoules()
    while time.perf_counter() < end:
        counter = run.board.millijoules()
        if counter is not None and counter != last:
            edges.append((time.perf_counter(), counter))
            mhz.append(run.board.sm_mhz())
            power.append(run.board.watts())
            reasons |= run.board.reasons()
        last = counter
        time.sleep(0.001)
    if len(edges) < 2:
        run.log("idle: the energy counter did not step", keep=True)
        return
    watts = (edges[-1][1] - edges[0][1]) / 1e3 / (edges[-1][0] - edges[0][0])
    run.emit(run.out.kernels, key("idle", "", "", ""), {"watts": watts, "sm_mhz": mhz[-1], "throttle": reasons})
    run.log(f"idle: {watts:.1f} W at {mhz[-1]} MHz, instant {sum(power) / len(power):.1f} W", keep=True)


def step(run):
    dry, out = run.dry, run.out

    def one(table, row, make, note=""):
        """Times one kernel and reads its power. `make` makes its calls: what does not fit in memory costs this row alone."""
        run.tick(0 if dry else 1.1)
        with run.attempt(f"watts {row['kernel']} {row['impl']}"):
            if row["kernel"] in run.wrong:
                return
            sample = measure(run, make(), energy=True)
            run.emit(table, row, sample, note)
            if "watts" in sample:
                us = sample["sustained_us"]
                shape = " ".join(f"{name} {row[name]}" for name in ("m", "n", "k", "batch", "q_len", "kv_len", "active") if row[name])
                run.log(f"{row['kernel']} {row['impl']} {row['dtype']} {shape} {note}: {sample['watts']:.0f} W, {row['bytes'] / us / 1e6:.2f} TB/s, "
                        f"{row['flops'] / us / 1e6:.0f} TFLOP/s, {sample['burst_us']:.1f} -> {us:.1f} us, {sample['sm_mhz']} MHz", keep=True)

    products.check_once(run)
    run.tick(0 if dry else 2.5)
    idle(run)
    # One block of four warps on each multiprocessor; then sixteen; then on a quarter of them.
    sms, spins = run.multiprocessors, 2 if dry else SPINS
    target = run.empty(sms * 16 * 128).float()
    for programs in (sms, 16 * sms, max(1, sms // 4)):
        one(out.kernels_other, key("spin", "triton", m=programs, flops=programs * 128 * 8 * spins),
            lambda: [lambda: kernels.spin(target, 1 if dry else programs, spins)], f"{programs} blocks")
    with run.attempt("watts of copies"):
        _copies(run, one)
    bf16 = [(1024, 14336, 4096), (8192, 8192, 8192), (64, 14336, 4096), (256, 14336, 4096), (1, 14336, 4096), (512, 5120, 2048)]
    for m, n, k in [(8, 64, 64)] if dry else bf16:
        one(out.kernels_other, products.row_of("gemm", "cublaslt", "", m, n, k), lambda: products.calls(run, m, n, k))
    for m, n, k in [(16, 64, 64)] if dry else [(1024, 14336, 4096), (8192, 8192, 8192), (64, 14336, 4096)]:
        one(out.kernels_other, products.row_of("fp8_gemm", "scaled_mm", "", m, n, k, "fp8", 1), lambda: products.fp8_calls(run, m, n, k)[0])
    _dequantising(run, one)
    _experts(run, one)
    good = attention.check(run)
    loads = [("flash", 64, 32, 4, 1, 4096), ("cudnn", 1, 32, 4, 8192, 8192), ("cudnn", 64, 32, 4, 1, 4096), ("flash", 1, 32, 4, 2048, 8192),
             ("flash", 16, 32, 8, 1, 8192)]
    for name, b, H, G, q, kv in [("flash", 2, 4, 2, 1, 16)] if dry else loads:
        function = good.get((name, attention.use_of(q, kv)))
        if function:
            one(out.kernels, attention.row_of(name, b, q, kv, H, G), lambda: attention.calls(run, function, b, H, G, q, kv))
    rows, n = (2, 64) if dry else (8192, 4096)

    def norm_calls():
        w, sets = run.random(n), [(run.random(rows, n), run.random(rows, n), run.empty(rows, n)) for _ in range(run.sets(8 * rows * n))]
        return [lambda x=x, r=r, y=y: kernels.add_rms(x, r, w, y) for x, r, y in sets]
    one(out.kernels, key("rms_norm", "own", "llama-3.1-8b", m=rows, n=n, bytes=8 * rows * n, flops=6 * rows * n), norm_calls)


def _copies(run, one):
    """Memory at several rates: copies by so many blocks, and a reading."""
    n, table = 1 << (13 if run.dry else 29), run.out.kernels_other
    source, target = run.random(n), run.empty(n)
    for programs in (2,) if run.dry else (528, 132, 4096, 66, 24, 8):
        row = key("copy", "triton", m=n, n=programs, bytes=4 * n)
        one(table, row, lambda: [lambda: kernels.copy(source, target, programs)], f"{programs} blocks")
    one(table, key("read", "torch", m=n, bytes=2 * n), lambda: [lambda: source.amax()])


def _dequantising(run, one):
    for m in (2,) if run.dry else (4, 16, 128):
        E, N, K = (2, 64, 64) if run.dry else (32, 5760, 2816)
        row = key("expert_mx", "triton", "", "mxfp4", m=m * E, n=N, k=K, experts=E, active=E, topk=1, max_per_expert=m,
                  bytes=E * (N * K * 17 / 32 + 2 * m * (N + K)), flops=2 * E * m * N * K)
        one(run.out.kernels_other, row, lambda: products.mx_calls(run, E, m, N, K)[0])


def _experts(run, one):
    good = experts.check(run)
    E, N, K, topk = (4, 128, 64, 2) if run.dry else (experts.EXPERTS, 2 * 768, experts.HIDDEN, experts.TOPK)
    banks = []
    with run.attempt("weights of experts"):
        banks = [experts.bank(run, E, N, K) for _ in range(1 if run.dry else 2)]
    for tokens, active, skew in [(4, 3, 0)] if run.dry else [(16, 82, 0), (4096, 128, 0)]:
        tile = experts.tile_for(tokens * topk / active)
        if banks and tile in good:
            row, calls = None, None
            with run.attempt("watts experts"):
                case = experts.Case(run, "expert_gate_up", tokens, active, skew, banks, topk=topk)
                row, calls = case.row, case.calls
            if row:
                one(run.out.kernels, row, lambda: calls, f"tile {'x'.join(map(str, tile[:3]))}")
