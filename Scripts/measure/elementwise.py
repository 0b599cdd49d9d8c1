"""The kernels between the products, bound by memory: ours, fused, in Triton, and the same from PyTorch's own operations.

Ours go to kernels.csv, PyTorch's (impl `torch`) to kernels-other.csv.
"""

import torch

from . import experts, kernels
from .run import BF16, key
from .timing import measure

ROWS = (512, 1, 8192, 64, 2048, 8, 128, 4096, 1024, 256)
EAGER_ROWS = (1, 512)  # at which the host's time of a call is read, too


def rms_torch(x, w):
    f = x.float()
    return (f * torch.rsqrt(f.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype) * w


def rope_torch(x, cosine, sine):
    a, b = x.float().chunk(2, -1)
    return torch.cat((a * cosine - b * sine, b * cosine + a * sine), -1).to(x.dtype)


def check(run):
    """All of our kernels on few rows, and a whole layer of experts from the router to the sum."""
    with run.attempt("check of rms_norm"):
        width = 96 if run.dry else 192
        x, r, w = run.random(5, width), run.random(5, width), run.random(width)
        y, before = run.poisoned(5, width), r.clone()
        kernels.add_rms(x, r, w, y)
        f = x.double() + before.double()
        run.check("rms_norm", y, f * torch.rsqrt(f.pow(2).mean(-1, keepdim=True) + 1e-6) * w.double(), kernel="rms_norm")
        run.check("rms_norm's sum", r, f, kernel="rms_norm")
        g, y = run.random(5, 2 * width), run.poisoned(5, width)
        kernels.silu_mul(g, y)
        run.check("silu_mul", y, torch.nn.functional.silu(g[:, :width].double()) * g[:, width:].double(), kernel="silu_mul")
        ids, table, y = run.integers(0, 7, (5,)), run.random(7, width), run.poisoned(5, width)
        kernels.embed(ids, table, y)
        run.check("embedding", y, table[ids], kernel="embedding")
    with run.attempt("check of rope"):
        _check_rope(run)
    with run.attempt("check of a layer of experts"):
        _check_layer(run)


def _check_rope(run):
    H, G, T, context = (2, 1, 4, 5) if run.dry else (4, 2, 6, 9)  # two decode steps, then a prompt's tokens
    prefix, tokens = 3, T - 2
    qkv, wq, wk, table = run.random(T, (H + 2 * G) * 128), run.random(128), run.random(128), kernels.rope_table(run.device, 32)
    positions = torch.tensor([context - 1] * 2 + list(range(prefix, prefix + tokens)), device=run.device, dtype=torch.int32)
    q, keys = run.poisoned(T, H, 128), prefix + tokens
    caches = [run.poisoned(2, G, context, 128), run.poisoned(2, G, context, 128), run.poisoned(G, keys, 128), run.poisoned(G, keys, 128)]
    kernels.rope(qkv, wq, wk, table, positions, q, caches, 2, context, keys, prefix, H, G)
    cosine, sine = (table[positions.long(), s].double()[:, None] for s in (slice(0, 64), slice(64, 128)))
    z = qkv.view(T, H + 2 * G, 128).double()
    n = z * torch.rsqrt(z.pow(2).mean(-1, keepdim=True) + 1e-6)

    def turned(v):
        return torch.cat((v[..., :64] * cosine - v[..., 64:] * sine, v[..., 64:] * cosine + v[..., :64] * sine), -1)
    k = turned(n[:, H:H + G] * wk.double())
    for name, result, reference in (
            ("q", q, turned(n[:, :H] * wq.double())),
            ("k of decode steps", caches[0][:, :, -1], k[:2]), ("v of decode steps", caches[1][:, :, -1], z[:2, H + G:]),
            ("k of a prompt", caches[2][:, prefix:], k[2:].transpose(0, 1)), ("v of a prompt", caches[3][:, prefix:], z[2:, H + G:].transpose(0, 1))):
        run.check(f"qk_norm_rope_kv: {name}", result, reference, kernel="qk_norm_rope_kv")


def _check_layer(run):
    m, h, i, E, K = (6, 64, 128, 4, 2) if run.dry else (70, 256, 128, 16, 8)
    tile = (16, 64, 64, 4, 3)
    x, logits, w1, w2 = run.random(m, h), run.random(m, E), run.random(E, 2 * i, h, scale=0.1), run.random(E, h, i, scale=0.1)
    routing = kernels.Routing(run, m, h, E, K)
    routing.topk(logits)
    routing.offsets(tile[0])
    permuted, gate_up, act, down, y = (run.poisoned(*s) for s in ((m * K, h), (m * K, 2 * i), (m * K, i), (m * K, h), (m, h)))
    routing.permute(x, permuted)
    most = m * K // tile[0] + E
    kernels.grouped(permuted, w1, gate_up, routing.begin, routing.end, routing.tiles, most, tile)
    kernels.silu_mul(gate_up, act)
    kernels.grouped(act, w2, down, routing.begin, routing.end, routing.tiles, most, tile)
    routing.combine(down, y)
    p, ids = torch.softmax(logits.double(), -1).topk(K, -1)
    p = p / p.sum(-1, keepdim=True)
    same = bool((routing.ids.sort(-1).values.long() == ids.sort(-1).values).float().mean() > 0.98)  # equal logits may be chosen in another order
    if not same:
        run.log("WRONG router_topk: other experts than the reference's", keep=True)
        run.wrong.add("router_topk")
    p, ids = routing.weights.double(), routing.ids.long()  # of these experts, then
    run.check("router_topk's weights", p.sum(-1), torch.ones(m, device=run.device), kernel="router_topk")
    expected = torch.zeros(m, h, device=run.device, dtype=torch.float64)
    for e in range(E):
        g = x.double() @ w1[e].double().t()
        d = (torch.nn.functional.silu(g[:, :i]) * g[:, i:]) @ w2[e].double().t()
        expected += d * (p * (ids == e)).sum(-1, keepdim=True)
    # The interpreter cuts numbers off where a GPU rounds them, and four kernels add up.
    if not run.check("layer of experts", y, expected, 2e-2 if run.dry else 1e-2):
        run.wrong.update(("router_topk", "permute", "combine"))


def step(run):
    check_once(run)
    rows = (2,) if run.dry else ROWS
    models = [("qwen3-30b-a3b", 64, 64, 2, 1)] if run.dry else [("qwen3-30b-a3b", 2048, 768, 32, 4), ("llama-3.1-8b", 4096, 14336, 32, 8)]
    vocab, E, K = (128, 4, 2) if run.dry else (151936, experts.EXPERTS, experts.TOPK)
    shared = dict(table=run.random(vocab, models[0][1]), angles=kernels.rope_table(run.device, max(rows)))
    for m in rows:
        for model, h, inter, H, G in models:
            _Rows(run, shared, m, model, h, inter, H, G, vocab, E, K).measure()


def check_once(run):
    if not getattr(run, "rows_checked", False):
        run.rows_checked = True
        check(run)


class _Rows:
    """All kernels at one number of rows of one model."""

    def __init__(self, run, shared, m, model, h, inter, H, G, vocab, E, K):
        self.run, self.shared, self.m, self.model, self.h, self.inter, self.H, self.G = run, shared, m, model, h, inter, H, G
        self.vocab, self.E, self.K, self.has_experts = vocab, E, K, model.startswith("qwen3")

    def measure(self):
        for part in (self.norms, self.activation, self.rope) + ((self.routing, self.embedding, self.sampling) if self.has_experts else ()):
            with self.run.attempt(f"{part.__name__} of {self.m} rows"):
                part()

    def both(self, row, fused, plain):
        """Measures ours and PyTorch's calls of one kernel."""
        run, m = self.run, self.m
        for table, impl, calls in ((run.out.kernels, "own", fused), (run.out.kernels_other, "torch", plain)):
            if not calls:
                continue
            watched = run.dry or m == 8192 and self.has_experts and impl == "own"
            run.tick(1.0 if watched and not run.dry else 0.05)
            with run.attempt(f"{row['kernel']} {impl}"):
                sample = measure(run, calls, eager=run.dry or m in EAGER_ROWS, ms=6, energy=watched)
                name = "torch_argmax" if row["kernel"] == "sampling" and impl == "own" else impl
                run.emit(table, {**row, "impl": name}, sample)
                if m in (1, 512, 8192) and self.has_experts:
                    host = f", eager {sample['eager_us']:.1f}, host {sample['host_us']:.1f}" if "eager_us" in sample else ""
                    run.log(f"{row['kernel']} {impl} {m} x {row['n'] or row['heads']}: {sample['burst_us']:.2f} us{host}", keep=m == 512)

    def row(self, kernel, **more):
        return key(kernel, "", self.model, **{"m": self.m, "n": self.h, **more})

    def norms(self):
        run, m, h = self.run, self.m, self.h
        n, w = range(run.sets(8 * m * h)), run.random(h)
        x, r, y = [run.random(m, h) for _ in n], [run.random(m, h, scale=0.01) for _ in n], [run.empty(m, h) for _ in n]

        def plain(i):
            r[i].add_(x[i])
            return rms_torch(r[i], w)
        self.both(self.row("rms_norm", bytes=8 * m * h, flops=6 * m * h), [lambda i=i: kernels.add_rms(x[i], r[i], w, y[i]) for i in n],
                  [lambda i=i: plain(i) for i in n])
        if run.dry or m in (1, 512, 8192):
            self.both(self.row("rms_norm_alone", bytes=4 * m * h, flops=5 * m * h), None, [lambda i=i: rms_torch(x[i], w) for i in n])

    def activation(self):
        run, inter = self.run, self.inter
        rows = self.m * self.K if self.has_experts else self.m  # the rows of the chosen experts
        n = range(run.sets(6 * rows * inter))
        x, y = [run.random(rows, 2 * inter) for _ in n], [run.empty(rows, inter) for _ in n]
        self.both(self.row("silu_mul", m=rows, n=inter, bytes=6 * rows * inter, flops=6 * rows * inter), [lambda i=i: kernels.silu_mul(x[i], y[i]) for i in n],
                  [lambda i=i: torch.nn.functional.silu(x[i][:, :inter]) * x[i][:, inter:] for i in n])

    def rope(self):
        run, m, H, G = self.run, self.m, self.H, self.G
        width = (H + 2 * G) * 128
        n, wq, wk, angles = range(run.sets(4 * m * width)), run.random(128), run.random(128), self.shared["angles"]
        qkv, q = [run.random(m, width) for _ in n], [run.empty(m, H, 128) for _ in n]
        caches = [[run.empty(G, m, 128) for _ in range(2)] for _ in n]
        positions = torch.arange(m, device=run.device, dtype=torch.int32)
        cosine, sine = angles[positions.long(), :64][:, None], angles[positions.long(), 64:][:, None]

        def plain(i):
            a, b, v = qkv[i].view(m, H + 2 * G, 128).split((H, G, G), 1)
            a, b = rope_torch(rms_torch(a, wq), cosine, sine), rope_torch(rms_torch(b, wk), cosine, sine)
            caches[i][0].view(m, G, 128).copy_(b)
            caches[i][1].view(m, G, 128).copy_(v)
            return a
        self.both(self.row("qk_norm_rope_kv", n=0, heads=H, kv_heads=G, head_dim=128, bytes=m * (4 * width + 512), flops=10 * m * (H + G) * 128),
                  [lambda i=i: kernels.rope(qkv[i], wq, wk, angles, positions, q[i], caches[i] * 2, 0, 1, m, 0, H, G) for i in n], [lambda i=i: plain(i) for i in n])

    def routing(self):
        run, m, h, E, K = self.run, self.m, self.h, self.E, self.K
        n = range(run.sets(2 * m * E))
        logits, routing = [run.random(m, E) for _ in n], kernels.Routing(run, m, h, E, K)

        def plain(i):
            w, ids = torch.topk(torch.softmax(logits[i].float(), -1), K, -1)
            return w / w.sum(-1, keepdim=True), ids

        def fresh():
            routing.counts.zero_()
            routing.topk(logits[0])
            routing.offsets(16)
        self.both(self.row("router_topk", n=E, experts=E, topk=K, bytes=2 * m * E + 12 * m * K, flops=K * m * E),
                  [lambda i=i: routing.topk(logits[i]) for i in n], [lambda i=i: plain(i) for i in n])
        fresh()
        self.both(self.row("row_offsets", n=E, experts=E, topk=K), None, [lambda: routing.offsets(16)])
        fresh()
        order = routing.ids.flatten().argsort(stable=True)
        source, back = order // K, order.argsort()
        n = range(run.sets((2 + 2 * K) * m * h))
        x, y = [run.random(m, h) for _ in n], [run.random(m * K, h) for _ in n]
        self.both(self.row("permute", experts=E, topk=K, bytes=(2 + 2 * K) * m * h), [lambda i=i: routing.permute(x[i], y[i]) for i in n],
                  [lambda i=i: x[i].index_select(0, source) for i in n])
        self.both(self.row("sort_rows", n=E, experts=E, topk=K), None, [lambda: routing.ids.flatten().argsort(stable=True)])
        self.both(self.row("combine", experts=E, topk=K, bytes=(2 * K + 2) * m * h, flops=2 * K * m * h), [lambda i=i: routing.combine(y[i], x[i]) for i in n],
                  [lambda i=i: (y[i].index_select(0, back).view(m, K, h) * routing.weights[:m, :, None].to(BF16)).sum(1) for i in n])

    def embedding(self):
        run, m, h, table = self.run, self.m, self.h, self.shared["table"]
        n = range(run.sets(4 * m * h))
        ids, y = [run.integers(0, self.vocab, (m,)) for _ in n], [run.empty(m, h) for _ in n]
        self.both(self.row("embedding", bytes=4 * m * h), [lambda i=i: kernels.embed(ids[i], table, y[i]) for i in n],
                  [lambda i=i: torch.nn.functional.embedding(ids[i], table) for i in n])

    def sampling(self):
        run, m, v = self.run, self.m, self.vocab
        if m > 512:  # one row for each sequence
            return
        x = [run.random(m, v) for _ in range(run.sets(2 * m * v))]
        noise = torch.empty(m, v, device=run.device, dtype=torch.float32)
        self.both(self.row("sampling", n=v, bytes=2 * m * v, flops=m * v), [lambda a=a: torch.argmax(a, -1) for a in x],
                  [lambda a=a: torch.argmax(torch.softmax(a.float(), -1) / noise.exponential_(), -1) for a in x])
