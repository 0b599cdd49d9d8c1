"""Attention: PyTorch's FlashAttention (flash) and cuDNN (cudnn), for chunks behind prefixes, whole prompts and decode steps.

PyTorch gives cuDNN no mask that is aligned with the end of the keys, so cuDNN does whole prompts, decode steps, and, as a
bound for chunks, the whole rectangle of chunk and prefix without a mask (`unmasked_attention`, in another table).
"""

import math

import torch

from .run import key
from .timing import measure

WIDTH = 128  # of a head
HEADS = [(16, 2), (32, 4), (32, 8), (8, 1)]


def reference(q, k, v, masked=True):
    """In double precision; q [B,H,n,D], k and v [B,G,kv,D]; the queries are the last of the keys."""
    n, kv, group = q.shape[2], k.shape[2], q.shape[1] // k.shape[1]
    k, v = k.double().repeat_interleave(group, 1), v.double().repeat_interleave(group, 1)
    scores = q.double() @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if masked:
        hidden = torch.arange(kv, device=q.device)[None, :] > torch.arange(n, device=q.device)[:, None] + kv - n
        scores = scores.masked_fill(hidden, float("-inf"))
    return torch.softmax(scores, -1) @ v


def _with_backend(name, q, k, v, **more):
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel([getattr(SDPBackend, name)]):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, **more)


def _flash_direct(q, k, v):
    # Its causal mask is aligned with the end of the keys.
    return torch.ops.aten._scaled_dot_product_flash_attention(q, k, v, 0.0, q.shape[2] > 1, False)[0]


def _flash_public(q, k, v):
    from torch.nn.attention.bias import causal_lower_right

    mask = causal_lower_right(q.shape[2], k.shape[2]) if q.shape[2] > 1 else None
    return _with_backend("FLASH_ATTENTION", q, k, v, attn_mask=mask, enable_gqa=q.shape[1] != k.shape[1])


def _cudnn_direct(q, k, v, causal):
    return torch.ops.aten._scaled_dot_product_cudnn_attention(q, k, v, None, False, 0.0, causal, False)[0]


def _cudnn_public(q, k, v, causal):
    return _with_backend("CUDNN_ATTENTION", q, k, v, is_causal=causal, enable_gqa=q.shape[1] != k.shape[1])


#: The ways to call each implementation, the better one first.
WAYS = {
    "flash": [_flash_direct, _flash_public],
    "cudnn": [lambda q, k, v: _cudnn_direct(q, k, v, q.shape[2] > 1), lambda q, k, v: _cudnn_public(q, k, v, q.shape[2] > 1)],
    "cudnn_unmasked": [lambda q, k, v: _cudnn_direct(q, k, v, False), lambda q, k, v: _cudnn_public(q, k, v, False)],
}
_SHAPES = {  # batch, heads, KV heads, queries, keys
    "prompt": [(2, 16, 2, 128, 128), (1, 32, 8, 257, 257)],
    "chunk": [(2, 16, 2, 130, 333), (1, 8, 1, 64, 640)],
    "decode": [(3, 32, 4, 1, 200), (2, 8, 1, 1, 1024)],
}
_USES = {"flash": ("prompt", "chunk", "decode"), "cudnn": ("prompt", "decode"), "cudnn_unmasked": ("chunk",)}


def check(run):
    """{(implementation, use): function} of those that are right here. The use is prompt, chunk or decode."""
    if run.attention is not None:
        return run.attention
    good = {}
    for name, ways in WAYS.items():
        for use in _USES[name]:
            for way in ways:
                function = (lambda q, k, v, m=name != "cudnn_unmasked": reference(q, k, v, m).to(q.dtype)) if run.dry else way
                right = False
                with run.attempt(f"attention {name} {use}"):
                    for B, H, G, n, kv in _SHAPES[use]:
                        q, k, v = run.random(B, H, n, WIDTH), run.random(B, G, kv, WIDTH), run.random(B, G, kv, WIDTH)
                        right = run.check(f"attention {name} {use} {H}/{G} {n} of {kv}", function(q, k, v), reference(q, k, v, name != "cudnn_unmasked"))
                        if not right:
                            break
                if right:
                    good[name, use] = function
                    break
    run.log("attention that is right: " + (", ".join(f"{n} {u}" for n, u in sorted(good)) or "none"), keep=True)
    run.attention = good
    return good


def use_of(q, kv):
    return "decode" if q == 1 else "prompt" if q == kv else "chunk"


def row_of(impl, batch, q, kv, H, G, model=""):
    """Each operand once; visible keys only, all of them if there is no mask."""
    kernel = "unmasked_attention" if impl == "cudnn_unmasked" else "decode_attention" if q == 1 else "prefill_attention"
    visible = q * kv if impl == "cudnn_unmasked" else q * (kv - q) + q * (q + 1) / 2
    return key(kernel, impl, model, batch=batch, q_len=q, kv_len=kv, heads=H, kv_heads=G, head_dim=WIDTH,
               bytes=2 * batch * WIDTH * (2 * q * H + 2 * kv * G), flops=4 * batch * H * WIDTH * visible)


def calls(run, function, batch, H, G, q, kv):
    n = run.sets(2 * batch * WIDTH * (2 * q * H + 2 * kv * G))
    sets = [(run.random(batch, H, q, WIDTH), run.random(batch, G, kv, WIDTH), run.random(batch, G, kv, WIDTH)) for _ in range(n)]
    return [lambda s=s: function(*s) for s in sets]


def jobs(dry):
    """(batch, heads, queries, keys, implementation), the most valuable first."""
    if dry:
        return [(1, (16, 2), 16, 24, "flash"), (1, (16, 2), 16, 24, "cudnn_unmasked"), (1, (8, 1), 16, 16, "cudnn"), (2, (8, 1), 1, 8, "flash")]
    out = []
    for i, heads in enumerate(HEADS):
        for chunk in (512, 2048, 128, 1024, 256):
            for prefix in (0, 4096, 16384, 1024, 8192, 32768):
                late = i + (chunk in (128, 1024)) + 2 * (chunk == 256) + (prefix in (1024, 8192, 32768))
                out.append((late, 1, heads, chunk, chunk + prefix, "flash"))
                if prefix == 0:
                    out.append((late, 1, heads, chunk, chunk, "cudnn"))
                elif i < 2 and chunk in (512, 2048):  # a plan of cuDNN for each shape takes time
                    out.append((late + 1, 1, heads, chunk, chunk + prefix, "cudnn_unmasked"))
        for n in (4096, 8192, 16384):
            for name in ("cudnn", "flash"):
                out.append((1 + i, 1, heads, n, n, name))
        for batch in (2, 4):
            for chunk, prefix in ((512, 4096), (128, 16384)):
                out.append((1 + i, batch, heads, chunk, chunk + prefix, "flash"))
        for batch, context in ((16, 4096), (64, 4096), (16, 1024), (64, 1024), (1, 4096), (128, 1024), (64, 8192), (128, 4096), (256, 1024)):
            for name in ("flash", "cudnn"):
                out.append((1 + i + (batch in (1, 256)) + (name == "cudnn"), batch, heads, 1, context, name))
    out.sort(key=lambda job: job[0])  # stable
    return [job[1:] for job in out]


#: (batch, heads, queries, keys) whose watts are read as well.
WATCHED = {(1, (32, 4), 512, 512 + 4096), (1, (32, 4), 2048, 2048 + 16384), (1, (16, 2), 512, 512 + 16384), (16, (32, 4), 1, 1024), (64, (32, 4), 1, 4096)}


def step(run):
    good, took, errors = check(run), {}, {}
    for batch, (H, G), q, kv, name in jobs(run.dry):
        function = good.get((name, use_of(q, kv)))
        if function is None or errors.get(name, 0) > 4:
            continue
        watched = run.dry or name == "flash" and (batch, (H, G), q, kv) in WATCHED
        run.tick(1.0 if watched and not run.dry else 0.1)
        before = run.failed.total()
        with run.attempt(f"attention {name} {H}/{G} {q} of {kv}"):
            sample = measure(run, calls(run, function, batch, H, G, q, kv), ms=12, energy=watched)
            run.emit(run.out.kernels_other if name == "cudnn_unmasked" else run.out.kernels, row_of(name, batch, q, kv, H, G), sample)
            took[batch, H, G, q, kv, name] = sample["burst_us"]
        errors[name] = errors.get(name, 0) + run.failed.total() - before
    for H, G in HEADS:
        for chunk in (512, 2048):
            found = [(p, took.get((1, H, G, chunk, chunk + p, "flash"))) for p in (0, 4096, 16384, 32768)]
            if any(t for _, t in found):
                run.log(f"chunk {chunk} {H}/{G} flash, us at prefix " + " ".join(f"{p}:{t:.1f}" for p, t in found if t), keep=True)
