"""Our own kernels, in Triton, and the calls that launch them. Activations are BF16, sums are float32.

A tensor of rows is [rows, width], contiguous. H and G are query and KV heads, D the width of a head, E the experts, K those
chosen for each token.
"""

import os

import torch
import triton
import triton.language as tl

#: The interpreter that a dry run uses multiplies no BF16.
INTERPRETED = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")


@triton.jit
def spin_kernel(out, n, B: tl.constexpr):
    """Busy without memory: 8 n operations in each of B threads."""
    p = tl.program_id(0)
    c = tl.arange(0, B)
    a = c.to(tl.float32) * 1e-3 + p
    b = a + 1.0
    for _ in range(n):
        a = a * 0.9999 + 0.5
        b = b * 0.9998 + 0.25
        a = a * 0.9997 + 0.125
        b = b * 0.9996 + 0.0625
    tl.store(out + p * B + c, a + b)


@triton.jit
def copy_kernel(source, target, blocks, B: tl.constexpr):
    """Copies `blocks` blocks of B elements, fewer than 2^31; as many programs as are to be busy."""
    step = tl.num_programs(0)
    c = tl.arange(0, B)
    for i in range(tl.program_id(0), blocks, step):
        o = i * B + c
        tl.store(target + o, tl.load(source + o))


@triton.jit
def add_rms_kernel(x, r, w, y, n, B: tl.constexpr):
    """r += x; y = RMSNorm(r) w."""
    row = tl.program_id(0).to(tl.int64)
    c = tl.arange(0, B)
    m = c < n
    a = tl.load(x + row * n + c, mask=m, other=0.0).to(tl.float32) + tl.load(r + row * n + c, mask=m, other=0.0).to(tl.float32)
    tl.store(r + row * n + c, a.to(tl.bfloat16), mask=m)
    s = 1.0 / tl.sqrt(tl.sum(a * a, 0) / n + 1e-6)
    tl.store(y + row * n + c, (a * s * tl.load(w + c, mask=m, other=0.0).to(tl.float32)).to(tl.bfloat16), mask=m)


@triton.jit
def silu_mul_kernel(x, y, n, B: tl.constexpr):
    """y[n] = silu(x[:n]) x[n:]."""
    row = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * B + tl.arange(0, B)
    m = c < n
    g = tl.load(x + row * 2 * n + c, mask=m, other=0.0).to(tl.float32)
    u = tl.load(x + row * 2 * n + n + c, mask=m, other=0.0).to(tl.float32)
    tl.store(y + row * n + c, (g / (1.0 + tl.exp(-g)) * u).to(tl.bfloat16), mask=m)


@triton.jit(do_not_specialize=["decoders", "context", "keys", "prefix"])
def rope_kernel(qkv, wq, wk, table, positions, q, kd, vd, kp, vp, decoders, context, keys, prefix,
                H: tl.constexpr, G: tl.constexpr, D2: tl.constexpr):
    """Normalises and rotates q and k of one head of one token, and writes k and v to a cache.

    The first `decoders` tokens have caches [token, G, context, D] and take the last place; the others are one prompt's, whose
    cache is [G, keys, D], from place `prefix` on. D2 is half of D.
    """
    t = tl.program_id(0).to(tl.int64)
    h = tl.program_id(1)
    c = tl.arange(0, D2)
    source = qkv + (t * (H + 2 * G) + h) * (2 * D2)
    a = tl.load(source + c).to(tl.float32)
    b = tl.load(source + D2 + c).to(tl.float32)
    is_query = h < H
    is_value = h >= H + G
    s = 1.0 / tl.sqrt((tl.sum(a * a, 0) + tl.sum(b * b, 0)) / (2 * D2) + 1e-6)
    share = tl.where(is_query, 1.0, 0.0)
    wa = tl.load(wq + c).to(tl.float32) * share + tl.load(wk + c).to(tl.float32) * (1.0 - share)
    wb = tl.load(wq + D2 + c).to(tl.float32) * share + tl.load(wk + D2 + c).to(tl.float32) * (1.0 - share)
    na = tl.where(is_value, a, a * s * wa)
    nb = tl.where(is_value, b, b * s * wb)
    p = tl.load(positions + t).to(tl.int64)
    cosine = tl.load(table + p * (2 * D2) + c)
    sine = tl.load(table + p * (2 * D2) + D2 + c)
    oa = tl.where(is_value, na, na * cosine - nb * sine).to(tl.bfloat16)
    ob = tl.where(is_value, nb, nb * cosine + na * sine).to(tl.bfloat16)
    if is_query:
        target = q + (t * H + h) * (2 * D2)
        tl.store(target + c, oa)
        tl.store(target + D2 + c, ob)
    else:
        g = (h - H) % G
        if t < decoders:
            at = ((t * G + g) * context + context - 1) * (2 * D2)
            if is_value:
                tl.store(vd + at + c, oa)
                tl.store(vd + at + D2 + c, ob)
            else:
                tl.store(kd + at + c, oa)
                tl.store(kd + at + D2 + c, ob)
        else:
            at = (g.to(tl.int64) * keys + prefix + t - decoders) * (2 * D2)
            if is_value:
                tl.store(vp + at + c, oa)
                tl.store(vp + at + D2 + c, ob)
            else:
                tl.store(kp + at + c, oa)
                tl.store(kp + at + D2 + c, ob)


@triton.jit
def topk_kernel(logits, ids, weights, ranks, counts, E: tl.constexpr, K: tl.constexpr):
    """The K largest of softmax(logits[E]), their weights made to sum to one, and each token's place among its expert's rows."""
    row = tl.program_id(0)
    c = tl.arange(0, E)
    j = tl.arange(0, K)
    v = tl.load(logits + row * E + c).to(tl.float32)
    p = tl.exp(v - tl.max(v, 0))
    w = tl.zeros([K], tl.float32)
    e = tl.zeros([K], tl.int32)
    for i in tl.static_range(K):
        best = tl.max(p, 0)
        at = tl.argmax(p, 0)
        w = tl.where(j == i, best, w)
        e = tl.where(j == i, at, e)
        p = tl.where(c == at, -1.0, p)
    tl.store(weights + row * K + j, w / tl.sum(w, 0))
    tl.store(ids + row * K + j, e)
    tl.store(ranks + row * K + j, tl.atomic_add(counts + e, 1))


@triton.jit
def offsets_kernel(counts, seen, begin, end, tiles, E: tl.constexpr, BM: tl.constexpr):
    """Where each expert's rows begin and end, and tiles of BM rows up to and with it; the counts go to `seen`, and are zeroed."""
    c = tl.arange(0, E)
    n = tl.load(counts + c)
    s = tl.cumsum(n, 0)
    tl.store(seen + c, n)
    tl.store(begin + c, s - n)
    tl.store(end + c, s)
    tl.store(tiles + c, tl.cumsum((n + BM - 1) // BM, 0))
    tl.store(counts + c, tl.zeros([E], tl.int32))


@triton.jit
def permute_kernel(x, ids, ranks, begin, y, slots, n, K: tl.constexpr, B: tl.constexpr):
    """Copies a token's row to its place among each of its experts' rows."""
    t = tl.program_id(0).to(tl.int64)
    c = tl.arange(0, B)
    m = c < n
    v = tl.load(x + t * n + c, mask=m, other=0.0)
    for i in tl.static_range(K):
        s = tl.load(begin + tl.load(ids + t * K + i)) + tl.load(ranks + t * K + i)
        tl.store(slots + t * K + i, s)
        tl.store(y + s.to(tl.int64) * n + c, v, mask=m)


@triton.jit
def combine_kernel(x, slots, weights, y, n, K: tl.constexpr, B: tl.constexpr):
    """The weighted sum of a token's rows."""
    t = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * B + tl.arange(0, B)
    m = c < n
    a = tl.zeros([B], tl.float32)
    for i in tl.static_range(K):
        s = tl.load(slots + t * K + i).to(tl.int64)
        a += tl.load(weights + t * K + i) * tl.load(x + s * n + c, mask=m, other=0.0).to(tl.float32)
    tl.store(y + t * n + c, a.to(tl.bfloat16), mask=m)


@triton.jit
def embed_kernel(ids, table, y, n, B: tl.constexpr):
    """Copies the table's rows."""
    t = tl.program_id(0).to(tl.int64)
    c = tl.arange(0, B)
    m = c < n
    i = tl.load(ids + t).to(tl.int64)
    tl.store(y + t * n + c, tl.load(table + i * n + c, mask=m, other=0.0), mask=m)


@triton.jit
def grouped_kernel(x, w, y, begin, end, tiles, N, K, E: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """y[rows of e] = x[rows of e] w[e]^T, with w [E,N,K]. N and K are multiples of their blocks."""
    pid = tl.program_id(0)
    across = N // BN
    pm = pid // across
    pn = pid % across
    tv = tl.load(tiles + tl.arange(0, E))
    e = tl.sum((tv <= pm).to(tl.int32), 0)
    if e < E:
        before = tl.load(tiles + e - 1, mask=e > 0, other=0)
        r = tl.load(begin + e) + (pm - before) * BM + tl.arange(0, BM)
        ok = r < tl.load(end + e)
        c = pn * BN + tl.arange(0, BN)
        k = tl.arange(0, BK)
        xp = x + r[:, None].to(tl.int64) * K + k[None, :]
        wp = w + e.to(tl.int64) * N * K + c[None, :] * K + k[:, None]
        acc = tl.zeros([BM, BN], tl.float32)
        for _ in range(0, K, BK):
            a = tl.load(xp, mask=ok[:, None], other=0.0)
            b = tl.load(wp)
            if INTERPRETED:
                acc += tl.dot(a.to(tl.float32), b.to(tl.float32))
            else:
                acc = tl.dot(a, b, acc)
            xp += BK
            wp += BK
        tl.store(y + r[:, None].to(tl.int64) * N + c[None, :], acc.to(tl.bfloat16), mask=ok[:, None])


@triton.jit(do_not_specialize=["M"])
def dequantise_kernel(xe, xo, w, scale, y, M, N, K2, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """y[e] = x[e] dequantised(w[e])^T, as MXFP4: e2m1 pairs in bytes, and a power of two for each 32 values.

    The even and the odd columns of x lie apart, in xe and xo, [E,M,K2] each; w is [E,N,K2], scale [E,N,K2/16].
    """
    e = tl.program_id(2).to(tl.int64)
    r = tl.program_id(1) * BM + tl.arange(0, BM)
    c = tl.program_id(0) * BN + tl.arange(0, BN)
    ok = r < M
    k = tl.arange(0, BK)
    acc = tl.zeros([BM, BN], tl.float32)
    for k0 in range(0, K2, BK):
        at = (e * M + r[:, None]) * K2 + k0 + k[None, :]
        b = tl.load(w + (e * N + c[None, :]) * K2 + k0 + k[:, None]).to(tl.int32)
        s = tl.load(scale + (e * N + c[None, :]) * (K2 // 16) + (k0 + k[:, None]) // 16).to(tl.float32)
        f = tl.exp2(s - 127.0)
        low = b & 15
        high = b >> 4
        ml = low & 7
        mh = high & 7
        vl = tl.where(ml < 2, ml * 0.5, (1.0 + (ml & 1) * 0.5) * ((1 << (ml >> 1)) * 0.5)) * tl.where(low > 7, -1.0, 1.0) * f
        vh = tl.where(mh < 2, mh * 0.5, (1.0 + (mh & 1) * 0.5) * ((1 << (mh >> 1)) * 0.5)) * tl.where(high > 7, -1.0, 1.0) * f
        a = tl.load(xe + at, mask=ok[:, None], other=0.0)
        d = tl.load(xo + at, mask=ok[:, None], other=0.0)
        if INTERPRETED:
            acc += tl.dot(a.to(tl.float32), vl) + tl.dot(d.to(tl.float32), vh)
        else:
            acc = tl.dot(a, vl.to(tl.bfloat16), acc)
            acc = tl.dot(d, vh.to(tl.bfloat16), acc)
    tl.store(y + (e * M + r[:, None]) * N + c[None, :], acc.to(tl.bfloat16), mask=ok[:, None])


# ---- launches


def power_of_two(n):
    """The least power of two that is not below n."""
    return 1 << (n - 1).bit_length()


def _warps(n):
    return 4 if n <= 2048 else 8


def spin(out, programs, n):
    spin_kernel[(programs,)](out, n, B=128, num_warps=4)


def copy(source, target, programs, block=4096):
    copy_kernel[(programs,)](source, target, source.numel() // block, B=block, num_warps=8)


def add_rms(x, r, w, y):
    n = x.shape[1]
    add_rms_kernel[(x.shape[0],)](x, r, w, y, n, B=power_of_two(n), num_warps=_warps(n))


def silu_mul(x, y):
    n = y.shape[1]
    silu_mul_kernel[(y.shape[0], triton.cdiv(n, 1024))](x, y, n, B=min(1024, power_of_two(n)), num_warps=4)


def embed(ids, table, y):
    n = table.shape[1]
    embed_kernel[(ids.shape[0],)](ids, table, y, n, B=power_of_two(n), num_warps=_warps(n))


def rope(qkv, wq, wk, table, positions, q, caches, decoders, context, keys, prefix, heads, kv_heads, half=64):
    """`caches`: k and v of the decode steps, k and v of the prompt."""
    rope_kernel[(qkv.shape[0], heads + 2 * kv_heads)](
        qkv, wq, wk, table, positions, q, *caches, decoders, context, keys, prefix, H=heads, G=kv_heads, D2=half, num_warps=1)


def rope_table(device, n, width=128):
    """Cosines, then sines, of `n` positions; float32."""
    f = 1e6 ** (-torch.arange(0, width, 2, device=device, dtype=torch.float32) / width)
    a = torch.arange(n, device=device, dtype=torch.float32)[:, None] * f[None]
    return torch.cat([a.cos(), a.sin()], 1).contiguous()


def grouped(x, w, y, begin, end, tiles, most, tile):
    """`most`: tiles of rows there are, or at most are. `tile`: rows, columns, depth, warps, stages."""
    E, N, K = w.shape
    BM, BN, BK, warps, stages = tile
    grouped_kernel[(most * (N // BN),)](x, w, y, begin, end, tiles, N, K, E=E, BM=BM, BN=BN, BK=BK, num_warps=warps, num_stages=stages)


def dequantise(xe, xo, w, scale, y, rows=None):
    E, M, K2 = xe.shape
    N = w.shape[1]
    BM = rows or (16 if M <= 16 else 32 if M <= 32 else 64)
    dequantise_kernel[(N // 64, triton.cdiv(M, BM), E)](xe, xo, w, scale, y, M, N, K2, BM=BM, BN=64, BK=64, num_warps=4, num_stages=3)


class Routing:
    """What the router leaves for up to m rows, and the kernels around the experts."""

    def __init__(self, run, m, width, experts, topk):
        def zeros(*n, dtype=torch.int32):
            return torch.zeros(*n, device=run.device, dtype=dtype)
        self.width, self.experts, self.topk_ = width, experts, topk
        self.ids, self.ranks, self.slots = zeros(m, topk), zeros(m, topk), zeros(m, topk)
        self.weights = zeros(m, topk, dtype=torch.float32)
        self.counts, self.seen, self.begin, self.end, self.tiles = (zeros(experts) for _ in range(5))

    def topk(self, logits):
        topk_kernel[(logits.shape[0],)](logits, self.ids, self.weights, self.ranks, self.counts, E=self.experts, K=self.topk_, num_warps=1)

    def offsets(self, tile_rows, seen=None):
        offsets_kernel[(1,)](self.counts, self.seen if seen is None else seen, self.begin, self.end, self.tiles, E=self.experts, BM=tile_rows, num_warps=4)

    def permute(self, x, y):
        n = self.width
        permute_kernel[(x.shape[0],)](x, self.ids, self.ranks, self.begin, y, self.slots, n, K=self.topk_, B=power_of_two(n), num_warps=_warps(n))

    def combine(self, x, y):
        B = min(1024, power_of_two(self.width))
        combine_kernel[(y.shape[0], triton.cdiv(self.width, B))](x, self.slots, self.weights, y, self.width, K=self.topk_, B=B, num_warps=4)
