"""Whole iterations, all layers in one graph: decode steps alone, with a chunk that passes all layers, and with a prompt's rows
in a group of layers. Time, energy, and the experts that were chosen; what the host takes to launch them without a graph."""

import time

import torch

from . import attention, decoder, products
from .run import BF16
from .timing import event, measure

MODEL = "qwen3-30b-a3b"
MOST_ROWS = 8192 + 128
SPARE_BYTES = 8e9  # for KV caches, activations, and the allocator's slack
HOSTS = 8  # decode plans whose host time is read; all others' are


def plans(layers, dry):
    """(kind, batch, context, tokens, prefix, first layer, end of layers, skew of the router), the most valuable first."""
    group = min(3, layers)
    middle = min(21, max(0, layers - group))

    def decode(b, context, skew=0):
        return "decode", b, context, 0, 0, 0, 0, skew

    def chunked(b, context, budget, prefix, skew=0):
        return "chunked", b, context, budget - b, prefix, 0, layers, skew

    def layered(b, context, tokens, prefix=0, begin=middle, size=group, skew=0):
        return "layered", b, context, tokens, prefix, begin, min(layers, begin + size), skew
    if dry:
        return [decode(1, 8), chunked(1, 8, 3, 4), layered(1, 8, 2, 0, 0, 1, 1)]
    return [
        decode(16, 1024), decode(64, 4096), decode(1, 1024), decode(128, 1024), chunked(16, 2048, 512, 0), chunked(64, 2048, 512, 4096), layered(16, 2048, 8192),
        layered(64, 2048, 8192), chunked(64, 2048, 2048, 0), chunked(16, 2048, 2048, 4096), decode(8, 4096), decode(32, 4096), decode(16, 4096), decode(1, 8192),
        decode(16, 8192), layered(64, 2048, 4096, 0, middle, 6), layered(64, 2048, 2048, 0, middle - middle % 12, 12), chunked(0, 0, 512, 0), chunked(0, 0, 512, 4096),
        layered(0, 0, 8192), decode(4, 1024), decode(64, 1024), decode(128, 4096), decode(64, 8192), chunked(16, 2048, 512, 7680), chunked(128, 2048, 512, 0),
        chunked(64, 8192, 512, 4096), layered(128, 2048, 8192), layered(64, 8192, 8192), decode(2, 1024), decode(32, 1024), decode(8, 1024), decode(8, 8192),
        decode(32, 8192), decode(1, 4096), layered(16, 2048, 8192, 0, 0), layered(16, 2048, 8192, 0, max(0, layers - group)), decode(64, 1024, 1),
        chunked(64, 2048, 512, 4096, 1), layered(64, 2048, 8192, 0, middle, group, 1), decode(128, 8192), chunked(0, 0, 8192, 0)]


def _choose_attention(run, d, shape):
    """The fastest of the implementations that are right; and a note that names them."""
    good, H, G = attention.check(run), shape["heads"], shape["kv_heads"]
    names = {}
    for use, b, q, kv in (("decode", 64, 1, 4096), ("prompt", 1, 2048, 2048), ("chunk", 1, 512, 4608)):
        if run.dry:
            b, q, kv = 2, min(q, 4), 4 if use == "prompt" else 8
        best = None
        for name in ("flash", "cudnn"):
            if (name, use) in good:
                with run.attempt(f"choice of attention, {name} {use}"):
                    us = measure(run, attention.calls(run, good[name, use], b, H, G, q, kv), ms=5)["burst_us"]
                    if best is None or us < best[0]:
                        best = us, name
        if best:
            names[use] = best[1]
    d.prefill, d.chunk, d.decode = (good.get((names.get(use), use)) for use in ("prompt", "chunk", "decode"))
    return " ".join(f"{use}:{name}" for use, name in names.items())


def _make(run, shape):
    """The model, with fewer layers where memory is short."""
    if run.dry:
        return decoder.Decoder(run, shape, 2, 8, 2e5, 64)
    free = torch.cuda.mem_get_info()[0]
    layer = decoder.Decoder.layer_bytes(shape)
    layers = int(min(shape["layers"], (free - 4 * shape["vocab"] * shape["hidden"] - SPARE_BYTES) // layer))
    if layers < 4:
        raise RuntimeError(f"only {free / 1e9:.0f} GB are free")
    left = free - layers * layer - 4 * shape["vocab"] * shape["hidden"]
    pool = max(2.4e9, min(20e9, left - 4.5e9))  # 1 GB of activations; graphs and attention take the rest
    run.log(f"decoder: {layers} layers, {layers * layer / 1e9:.1f} GB of layers, {pool / 1e9:.1f} GB of caches", keep=True)
    return decoder.Decoder(run, shape, layers, MOST_ROWS, pool, 16384)


def step(run):
    decoder.check(run)
    if "iteration" in run.wrong:
        run.log("no iterations: the decoder is wrong", keep=True)
        return
    shape = dict(products.MODELS[MODEL])
    if run.dry:
        shape.update(hidden=64, inter=64, vocab=128, heads=2, kv_heads=1, experts=4, topk=2)
    d = _make(run, shape)
    note = _choose_attention(run, d, shape)
    hosts = 0
    for plan in plans(d.layers, run.dry):
        run.tick(0 if run.dry else 1.6)
        kind, b, context, tokens, prefix = plan[:5]
        needs = [d.decode] * (b > 0) + [d.chunk if prefix else d.prefill] * (tokens > 0)
        if None in needs:
            run.log(f"left out: {kind} {b} {tokens}+{prefix}: no attention that is right")
            continue
        with run.attempt(f"iteration {kind}"):
            _measure(run, d, plan, note, kind != "decode" or hosts < HOSTS)
            hosts += 1


def _measure(run, d, plan, note, with_host):
    kind, b, context, tokens, prefix, begin, end, skew = plan
    d.plan(b, context, tokens, prefix, begin, end)
    E = d.shape["experts"]
    d.bias = (-skew * torch.log(torch.arange(1, E + 1, device=run.device).float())).to(BF16) if skew else None
    d.forward()
    run.sync()
    if not torch.isfinite(d.logits).all():
        raise RuntimeError("logits are not finite")
    used = int((d.seen > 0).sum())
    told = ""
    if with_host:
        begun, ended = event(run), event(run)
        begun.record()
        t = time.perf_counter()
        d.forward()
        host = time.perf_counter() - t  # of launching alone
        ended.record()
        run.sync()
        eager = begun.elapsed_time(ended) / 1e3
        run.out.host.add(dict(gpu=run.gpu, kind=kind, decode_batch=b, decode_context=context, prefill_tokens=tokens, prefill_prefix=prefix, layers=d.layers,
                              host_s=host, host_us_per_layer=host * 1e6 / d.layers, eager_s=eager))
        told = f", host {host * 1e6 / d.layers:.0f} us/layer, eager {eager * 1e3:.2f} ms"
    x = measure(run, [d.forward], energy=True, ms=150, window=0.35)
    row = dict(kind=kind, model=MODEL, tp=1, decode_batch=b, decode_context=context, prefill_tokens=tokens, prefill_prefix=prefix, layer_begin=begin, layer_end=end,
               layers=d.layers, skew=skew, experts=used, seconds=x["burst_us"] * 1e-6, spread_s=x["spread_us"] * 1e-6, gpu=run.gpu, caches=d.rings,
               temp_c=run.board.celsius(), note="; ".join(filter(None, (note, x.get("note")))))
    if "joules" in x:
        row.update(sustained_s=x["sustained_us"] * 1e-6, watts=x["watts"], joules=x["joules"], sm_mhz=x["sm_mhz"], throttle=x["throttle"])
    run.out.iterations.add(row)
    run.log(f"{kind} b {b} ctx {context} prefill {tokens}+{prefix} layers {begin}-{end} skew {skew}: {x['burst_us'] / 1e3:.3f} ms, sustained "
            f"{x.get('sustained_us', 0) / 1e3:.3f}, {x.get('joules', 0):.2f} J, {x.get('watts', 0):.0f} W, {used / d.layers:.0f} experts/layer{told}", keep=True)
