"""Products grouped by expert, in BF16: our own in Triton with several tiles, and PyTorch's. The fastest per shape counts."""

import gc
import random

import torch

from . import kernels
from .run import key
from .timing import measure

MODEL, EXPERTS, TOPK, HIDDEN = "qwen3-30b-a3b", 128, 8, 2048


def route(tokens, topk, experts, active, skew, seed):
    """Rows of each expert: all of tokens x topk, over exactly `active` experts, popularity 1/(rank+1)^skew.

    No expert has more rows than there are tokens, and each active one has a row.
    """
    count, left = [1] * active, tokens * topk - active
    if left < 0 or active * tokens < tokens * topk:
        raise ValueError(f"{tokens} tokens of {topk} cannot have {active} experts")
    while left > 0:
        total = sum((i + 1) ** -skew for i in range(active) if count[i] < tokens)
        share = left
        for i in range(active):
            take = min(max(1, int(share * (i + 1) ** -skew / total)), tokens - count[i], left)
            count[i] += take
            left -= take
    ids = list(range(experts))
    random.Random(seed).shuffle(ids)
    out = [0] * experts
    for i in range(active):
        out[ids[i]] = count[i]
    return out


class Groups:
    """Offsets and tiles of a routing, as the grouped products read them."""

    def __init__(self, run, counts, tile_rows):
        c = torch.tensor(counts, dtype=torch.int32)
        s = c.cumsum(0)
        t = ((c + tile_rows - 1) // tile_rows).cumsum(0)
        both = torch.stack([s - c, s, t]).to(torch.int32).to(run.device)
        self.begin, self.end, self.tiles = both[0].contiguous(), both[1].contiguous(), both[2].contiguous()
        self.most = int(t[-1])


def tile_for(rows_per_expert):
    """Rows, columns, depth, warps, stages of a tile that suits so many rows of each expert."""
    if rows_per_expert <= 16:
        return 16, 128, 64, 4, 4
    if rows_per_expert <= 48:
        return 32, 128, 64, 4, 4
    if rows_per_expert <= 160:
        return 64, 128, 64, 4, 4
    return 128, 128, 64, 8, 4


_WIDE = (128, 256, 64, 8, 3)


def all_tiles():
    return [tile_for(r) for r in (16, 48, 160, 161)] + [_WIDE]


def tiles_to_try(mean):
    """For so many rows of an expert in the mean."""
    out = [tile_for(mean)]
    if mean > 24:
        out.append(tile_for(mean / 3))
    if mean > 64:
        out.append(_WIDE)
    return list(dict.fromkeys(out))


def torch_product(x, w, ends):
    """PyTorch's grouped product; `ends` are where each expert's rows end."""
    function = getattr(torch, "_grouped_mm", None) or torch.nn.functional.grouped_mm
    return function(x, w.transpose(1, 2), offs=ends)


class Case:
    """One shape and routing: its row, and its calls. Later sets of buffers have their rows at other experts."""

    def __init__(self, run, kernel, tokens, active, skew, banks, tp=1, impl="triton", tile=None, topk=TOPK):
        E, N, K = banks[0].shape
        self.counts = route(tokens, topk, E, active, skew, seed=tokens * 131 + active)
        R = tokens * topk
        tile = tile or tile_for(R / active)
        self.row = key(kernel, f"triton_t{tile[0]}" if impl == "triton" else impl, MODEL, tp=tp, m=tokens, n=N, k=K, experts=E, active=active, topk=topk,
                       max_per_expert=max(self.counts), skew=skew, bytes=2 * (active * N * K + R * (N + K)), flops=2 * R * N * K)
        self.x, self.banks, self.y = [run.random(R, K) for _ in range(min(2, run.sets(R)))], banks, run.poisoned(R, N)
        self.calls = []
        for j in range(run.sets(2 * active * N * K)):
            counts = self.counts if j == 0 else route(tokens, topk, E, active, skew, seed=tokens * 131 + active + 7919 * j)
            g, x, w = Groups(run, counts, tile[0]), self.x[j % len(self.x)], banks[j % len(banks)]
            if impl == "triton":
                self.calls.append(lambda g=g, x=x, w=w: kernels.grouped(x, w, self.y, g.begin, g.end, g.tiles, g.most, tile))
            else:
                self.calls.append(lambda g=g, x=x, w=w: torch_product(x, w, g.end))

    def result(self, run):
        """Of the first call, with its reference in double precision."""
        out = self.calls[0]()
        run.sync()
        parts, at = [], 0
        for e, c in enumerate(self.counts):
            if c:
                parts.append(self.x[0][at:at + c].double() @ self.banks[0][e].double().t())
            at += c
        return (self.y if out is None else out), torch.cat(parts)


def bank(run, experts, n, k):
    return run.random(experts, n, k, scale=0.02)


def check(run):
    """The implementations that are right here; those of our own with each tile."""
    found = getattr(run, "expert_tiles", None)
    if found is not None:
        return found
    good, E, topk = set(), (4 if run.dry else 16), (2 if run.dry else 8)
    N, K = (128, 64) if run.dry else (512, 256)
    banks = [bank(run, E, N, K)]
    for tile in [tile_for(1), tile_for(40)] if run.dry else all_tiles():
        with run.attempt(f"grouped product, tile of {tile[0]}"):
            case = Case(run, "expert_gate_up", 5 if run.dry else 300, E - 1, 1, banks, tile=tile, topk=topk)
            if run.check(f"grouped product triton {'x'.join(map(str, tile[:3]))}", *case.result(run)):
                good.add(tile)
    with run.attempt("grouped product grouped_mm"):
        case = Case(run, "expert_gate_up", 5 if run.dry else 300, E - 1, 1, banks, impl="grouped_mm", topk=topk)
        if run.check("grouped product grouped_mm", *case.result(run)):
            good.add("grouped_mm")
    run.expert_tiles = good
    return good


#: (tokens, active experts, skew), the most valuable first. Evenly routed, so many tokens reach that many of 128 experts.
CASES = [
    (512, 105, 1), (512, 128, 0), (16, 82, 0), (64, 126, 0), (1, 8, 0), (2048, 128, 0), (8192, 128, 0), (4, 29, 0), (128, 128, 0), (1024, 128, 0),
    (512, 64, 0), (512, 32, 0), (64, 64, 1), (64, 32, 0), (16, 40, 1), (8192, 128, 1), (2048, 120, 1), (4096, 128, 0), (256, 128, 0), (32, 112, 0),
    (8, 51, 0), (128, 90, 1), (256, 100, 1), (4096, 126, 1), (64, 8, 0), (512, 8, 0), (2, 16, 0)]
WATCHED = {(512, 105), (16, 82), (64, 126), (1, 8), (8192, 128)}


def step(run):
    good = check(run)
    cases = [(3, 4, 0), (6, 4, 1)] if run.dry else CASES
    hidden, topk, E = (64, 2, 4) if run.dry else (HIDDEN, TOPK, EXPERTS)
    best = {}
    for tp, inter in [(1, 64)] if run.dry else [(1, 768), (2, 384)]:
        banks = {}
        for tokens, active, skew in cases:
            for kernel in ("expert_gate_up", "expert_down"):
                N, K = (2 * inter, hidden) if kernel == "expert_gate_up" else (hidden, inter)
                if run.dry:
                    N, K = 128, 64
                if kernel not in banks:
                    with run.attempt("weights of experts"):
                        banks[kernel] = [bank(run, E, N, K) for _ in range(1 if run.dry else 4)]
                if kernel not in banks:
                    return
                tiles = tiles_to_try(tokens * topk / active)
                for tile in [t for t in tiles if t in good] + ["grouped_mm"] * ("grouped_mm" in good):
                    watched = tp == 1 and tile == tiles[0] and (run.dry or (tokens, active) in WATCHED)
                    run.tick(1.1 if watched and not run.dry else 0.15)
                    own = tile != "grouped_mm"
                    with run.attempt(f"{kernel} {tile}"):
                        case = Case(run, kernel, tokens, active, skew, banks[kernel], tp, "triton" if own else tile, tile if own else None, topk)
                        sample = measure(run, case.calls, ms=10, energy=watched)
                        run.emit(run.out.kernels, case.row, sample, f"tile {'x'.join(map(str, tile[:3]))} warps {tile[3]} stages {tile[4]}" if own else "")
                        k = tp, tokens, active, skew, kernel
                        if k not in best or sample["burst_us"] < best[k][0]:
                            best[k] = sample["burst_us"], case.row["impl"], case.row["bytes"], case.row["flops"]
            up, down = (best.get((tp, tokens, active, skew, k)) for k in ("expert_gate_up", "expert_down"))
            if up and down:
                us = up[0] + down[0]
                run.log(f"experts tp{tp} {tokens} tokens {active} active skew {skew}: up {up[0]:.1f} ({up[1]}) down {down[0]:.1f} ({down[1]}) us; "
                        f"{(up[2] + down[2]) / us / 1e6:.2f} TB/s {(up[3] + down[3]) / us / 1e6:.0f} TFLOP/s", keep=tp == 1)
        banks.clear()
        gc.collect()
        if not run.dry:
            torch.cuda.empty_cache()
