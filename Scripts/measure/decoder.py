"""A whole decoder of Qwen3-30B-A3B's make with random weights, whose forward pass is one iteration of an engine.

Decode rows come first, then one prompt's. Layers outside the prompt's group run the decode rows alone. Prefill and decode
attention are two launches. Routing happens on the device. Where the KV caches of all layers do not fit, layers take turns.
"""

import torch

from . import attention, experts, kernels
from .run import BF16

WIDTH = attention.WIDTH


class Decoder:
    def __init__(self, run, shape, layers, most_rows, pool_bytes, positions):
        """`shape`: as in products.MODELS. `most_rows`: rows that an iteration can have. `pool_bytes`: for KV caches."""
        self.run, self.shape, self.layers, self.most_rows = run, shape, layers, most_rows
        h, i, E, V, K = shape["hidden"], shape["inter"], shape["experts"], shape["vocab"], shape["topk"]
        H, G = shape["heads"], shape["kv_heads"]
        self.width = (H + 2 * G) * WIDTH
        self.weights = []
        for _ in range(layers):
            run.tick()
            self.weights.append(dict(
                qkv=run.random(self.width, h, scale=h ** -0.5), o=run.random(h, H * WIDTH, scale=(H * WIDTH) ** -0.5), router=run.random(E, h, scale=h ** -0.5),
                up=run.random(E, 2 * i, h, scale=h ** -0.5), down=run.random(E, h, i, scale=i ** -0.5),
                norm1=run.random(h), norm2=run.random(h), norm_q=run.random(WIDTH), norm_k=run.random(WIDTH)))
        self.table, self.head, self.norm = run.random(V, h), run.random(V, h, scale=h ** -0.5), run.random(h)
        self.angles = kernels.rope_table(run.device, positions)

        def zeros(*n):
            return torch.zeros(*n, device=run.device, dtype=BF16)
        n = most_rows
        self.x, self.r, self.y, self.qkv, self.q = zeros(n, h), zeros(n, h), zeros(n, h), zeros(n, self.width), zeros(n, H, WIDTH)
        self.a, self.logits_of_router = zeros(n, H * WIDTH), zeros(n, E)
        self.permuted, self.gate_up, self.act, self.down = zeros(n * K, h), zeros(n * K, 2 * i), zeros(n * K, i), zeros(n * K, h)
        self.routing = kernels.Routing(run, n, h, E, K)
        self.seen = torch.zeros(layers, E, device=run.device, dtype=torch.int32)
        self.ids = run.integers(0, V, (n,))
        self.pool = run.random(int(pool_bytes) // 2)
        self.bias, self.trace = None, None
        self.prefill = self.chunk = self.decode = None  # attention of whole prompts, of chunks behind a prefix, of decode steps

    @staticmethod
    def layer_bytes(shape):
        h, i, E = shape["hidden"], shape["inter"], shape["experts"]
        H, G = shape["heads"], shape["kv_heads"]
        return 2 * (E * 3 * i * h + (2 * H + 2 * G) * WIDTH * h + E * h)

    def plan(self, batch, context, tokens, prefix, begin, end):
        """What the next passes do: decode steps of so many keys, and tokens of a prompt, behind a prefix, in layers begin..<end."""
        G = self.shape["kv_heads"]
        self.batch, self.context, self.tokens, self.prefix, self.begin, self.end = batch, max(1, context), tokens, prefix, begin, end
        if batch + tokens > self.most_rows:
            raise RuntimeError(f"{batch + tokens} rows, at most {self.most_rows}")
        d, p = batch * G * self.context * WIDTH, G * (tokens + prefix) * WIDTH
        each = 2 * (d + p)
        if each > self.pool.numel():
            raise RuntimeError("the KV caches do not fit")
        self.rings = max(1, min(self.layers, self.pool.numel() // each))
        self.caches = []
        for ring in range(self.rings):
            at = ring * each
            self.caches.append([self.pool[at:at + d], self.pool[at + d:at + 2 * d], self.pool[at + 2 * d:at + 2 * d + p], self.pool[at + 2 * d + p:at + each]])
        steps = torch.full((batch,), self.context - 1, dtype=torch.int32)
        self.positions = torch.cat([steps, torch.arange(prefix, prefix + tokens, dtype=torch.int32)]).to(self.run.device)
        self.seen.zero_()

    def rows(self, layer):
        """Rows that pass a layer."""
        return self.batch + (self.tokens if self.begin <= layer < self.end else 0)

    def _attend(self, n, caches):
        b, t, H, G = self.batch, self.tokens, self.shape["heads"], self.shape["kv_heads"]
        kd, vd, kp, vp = caches
        prompt = step = None
        if n > b:
            function = self.chunk if self.prefix else self.prefill
            prompt = function(self.q[b:n].view(1, t, H, WIDTH).transpose(1, 2), kp.view(1, G, -1, WIDTH), vp.view(1, G, -1, WIDTH))
            prompt = prompt.transpose(1, 2).reshape(t, H * WIDTH)
        if b:
            step = self.decode(self.q[:b].view(b, H, 1, WIDTH), kd.view(b, G, self.context, WIDTH), vd.view(b, G, self.context, WIDTH)).reshape(b, H * WIDTH)
        if prompt is None or step is None:
            return step if prompt is None else prompt
        self.a[:b].copy_(step)
        self.a[b:n].copy_(prompt)
        return self.a[:n]

    def forward(self):
        shape, total = self.shape, self.batch + self.tokens
        H, G, E, K = shape["heads"], shape["kv_heads"], shape["experts"], shape["topk"]
        kernels.embed(self.ids[:total], self.table, self.r)
        for layer, w in enumerate(self.weights):
            n = self.rows(layer)
            if n == 0:
                continue
            caches, x, r, y = self.caches[layer % self.rings], self.x[:n], self.r[:n], self.y[:n]
            kernels.add_rms(x, r, w["norm1"], y)
            torch.mm(y, w["qkv"].t(), out=self.qkv[:n])
            kernels.rope(self.qkv[:n], w["norm_q"], w["norm_k"], self.angles, self.positions, self.q, caches, self.batch, self.context,
                         self.tokens + self.prefix, self.prefix, H, G)
            torch.mm(self._attend(n, caches), w["o"].t(), out=x)
            kernels.add_rms(x, r, w["norm2"], y)
            logits = self.logits_of_router[:n]
            torch.mm(y, w["router"].t(), out=logits)
            if self.bias is not None:
                logits += self.bias
            self.routing.topk(logits)
            if self.trace is not None:
                self.trace.append(self.routing.ids[:n].long())
            R = n * K
            tile = experts.tile_for(R / min(E, R))
            self.routing.offsets(tile[0], self.seen[layer])
            self.routing.permute(y, self.permuted)
            most = min(R, R // tile[0] + E)
            begin, end, tiles = self.routing.begin, self.routing.end, self.routing.tiles
            kernels.grouped(self.permuted, w["up"], self.gate_up, begin, end, tiles, most, tile)
            kernels.silu_mul(self.gate_up[:R], self.act[:R])
            kernels.grouped(self.act, w["down"], self.down, begin, end, tiles, most, tile)
            self.routing.combine(self.down, x)
        n = self.batch + (1 if self.tokens else 0)  # one row for each sequence
        kernels.add_rms(self.x[:n], self.r[:n], self.norm, self.y[:n])
        self.logits = torch.mm(self.y[:n], self.head.t())
        self.chosen = torch.argmax(self.logits, -1)


def reference(d, pool, trace):
    """The logits of a pass in double precision, with the experts that the pass chose. `pool`: the KV caches before it."""
    shape, b, t = d.shape, d.batch, d.tokens
    H, G, E = shape["heads"], shape["kv_heads"], shape["experts"]
    r = d.table[d.ids[:b + t]].double()
    x = torch.zeros_like(r)
    trace = iter(trace)

    def norm(v, w):
        return v * torch.rsqrt(v.pow(2).mean(-1, keepdim=True) + 1e-6) * w.double()

    def turned(v, n):
        angles = d.angles[d.positions[:n].long()].double()[:, None]
        c, s = angles[..., :WIDTH // 2], angles[..., WIDTH // 2:]
        p, q = v[..., :WIDTH // 2], v[..., WIDTH // 2:]
        return torch.cat((p * c - q * s, q * c + p * s), -1)
    each = sum(part.numel() for part in d.caches[0])
    for layer, w in enumerate(d.weights):
        n = d.rows(layer)
        if n == 0:
            continue
        r[:n] += x[:n]
        z = (norm(r[:n], w["norm1"]) @ w["qkv"].double().t()).view(n, H + 2 * G, WIDTH)
        q, k, v = turned(norm(z[:, :H], w["norm_q"]), n), turned(norm(z[:, H:H + G], w["norm_k"]), n), z[:, H + G:]
        own = pool[(layer % d.rings) * each:][:each].double()
        parts = own.split([part.numel() for part in d.caches[0]])
        outs = []
        if b:
            kd, vd = (part.view(b, G, d.context, WIDTH).clone() for part in parts[:2])
            kd[:, :, -1], vd[:, :, -1] = k[:b], v[:b]
            outs.append(attention.reference(q[:b, :, None], kd, vd).reshape(b, -1))
        if n > b:
            kp, vp = (part.view(1, G, t + d.prefix, WIDTH).clone() for part in parts[2:])
            kp[0, :, d.prefix:], vp[0, :, d.prefix:] = k[b:].transpose(0, 1), v[b:].transpose(0, 1)
            outs.append(attention.reference(q[b:].transpose(0, 1)[None], kp, vp)[0].transpose(0, 1).reshape(t, -1))
        r[:n] += torch.cat(outs) @ w["o"].double().t()
        y = norm(r[:n], w["norm2"])
        p, ids = torch.softmax(y @ w["router"].double().t(), -1), next(trace)
        p = p.gather(1, ids)
        p = p / p.sum(-1, keepdim=True)
        x[:n] = 0
        for e in range(E):
            g = y @ w["up"][e].double().t()
            half = g.shape[1] // 2
            out = (torch.nn.functional.silu(g[:, :half]) * g[:, half:]) @ w["down"][e].double().t()
            x[:n] += out * (p * (ids == e)).sum(-1, keepdim=True)
    n = b + (1 if t else 0)
    return norm(r[:n] + x[:n], d.norm) @ d.head.double().t()


def check(run):
    """The forward pass of a small model, with a chunk behind a prefix in all layers, and a whole prompt in one, against the reference."""
    if getattr(run, "decoder_checked", False):
        return
    run.decoder_checked = True
    shape = dict(hidden=128, inter=64, vocab=128, heads=2, kv_heads=1, experts=4, topk=2)
    if not run.dry:
        shape = dict(hidden=256, inter=128, vocab=512, heads=8, kv_heads=2, experts=16, topk=8)
    good = attention.check(run)
    if any(("flash", use) not in good for use in ("prompt", "chunk", "decode")):
        return
    with run.attempt("check of the decoder"):
        d = Decoder(run, shape, 2, 48 if not run.dry else 6, 4e6, 128)
        d.prefill, d.chunk, d.decode = good["flash", "prompt"], good["flash", "chunk"], good["flash", "decode"]
        for name, plan in (("a chunk in all layers", (2, 5, 4, 3, 0, 2)), ("a prompt in one layer", (2, 5, 3, 0, 1, 2))) if run.dry else (
                ("a chunk in all layers", (5, 40, 43, 21, 0, 2)), ("a prompt in one layer", (5, 40, 30, 0, 1, 2))):
            d.plan(*plan)
            d.x.zero_()
            d.trace, pool = [], d.pool.clone()
            d.forward()
            run.sync()
            trace, d.trace = d.trace, None
            # Layers add their roundings up.
            run.check(f"decoder: {name}", d.logits, reference(d, pool, trace), 3e-2, kernel="iteration")
