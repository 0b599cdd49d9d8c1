"""How each table becomes rows: one function a family, which yields rows of columns with their bounds by physics."""

from dataclasses import dataclass, field

from tables import selection as keep
from tables.physics import FORMATS
from tables.routing import GROUPED, rank_routing


@dataclass
class Family:
    """A CSV file and the tables that it comes of.

    `groups` are columns of the table: a framework's newest version is taken that measured such a group in full. `select` drops
    what is not kept, by whole columns; `row` makes a row, or None; `bounds` says which bytes and operations it stands for.
    `group` says which rows rest on one assumption, and are left out together.
    """

    name: str
    folder: str
    table: str
    columns: list
    groups: list
    select: object
    row: object
    bounds: object
    group: object = None
    lanes: tuple = ("vllm", "sglang", "trtllm")
    unsound: str = ""
    notes: list = field(default_factory=list)


def where(frame, mask):
    """The rows at which a list of truths, which may be empty, is true."""
    import numpy

    return frame[numpy.array(mask, dtype=bool)]


def among(frame, **columns):
    """The rows whose columns are in the lists given."""
    mask = None
    for name, values in columns.items():
        more = frame[name].isin(values)
        mask = more if mask is None else mask & more
    return frame[mask]


def gemm_select(frame, lane):
    n, k, m = (keep.kept(keep.GEMM_N, keep.GEMM_N_OTHER, lane), keep.kept(keep.GEMM_K, keep.GEMM_K_OTHER, lane),
               keep.kept(keep.GEMM_M, keep.GEMM_M_OTHER, lane))
    formats = keep.FORMATS if "power" in frame else keep.kept(keep.FORMATS, keep.GEMM_FORMATS_OTHER, lane)
    return among(frame, gemm_dtype=formats, n=n, k=k, m=m)


def gemm_bounds(r):
    width, rate = FORMATS[keep.FORMATS[r.gemm_dtype]]
    activation = 2 if rate == "bf16" else width
    return r.n * r.k * width + r.m * r.k * activation + 2 * r.m * r.n, 2 * r.m * r.n * r.k, rate


def moe_select(frame, lane):
    layers = [layer for layer, other in keep.MOE_LAYERS.items() if other or lane == keep.LANES[0]]
    layouts = keep.kept(keep.MOE_LAYOUTS, keep.MOE_LAYOUTS_OTHER, lane)
    frame = among(frame, moe_dtype=keep.FORMATS, distribution=keep.DISTRIBUTIONS,
                  num_tokens=keep.kept(keep.MOE_TOKENS, keep.MOE_TOKENS_OTHER, lane))
    frame = frame[~frame.kernel_source.isin(keep.MOE_KERNELS_LEFT_OUT)]
    shape = list(zip(frame.hidden_size, frame.inter_size, frame.topk, frame.num_experts))
    layout = list(zip(frame.moe_tp_size, frame.moe_ep_size))
    mask = [s in layers and l in layouts and (d == "balanced" or l[1] in keep.MOE_SKEWED_EP and t in keep.MOE_TOKENS_SKEWED)
            for s, l, d, t in zip(shape, layout, frame.distribution, frame.num_tokens)]
    return where(frame, mask)


def grouped_tokens(frame, gpu):
    """From how many tokens on a format's balanced rows follow group-limited routing, by format and layout; see routing.GROUPED.

    Between 8 and 64 tokens all 256 experts come into play, or only half of them: the growth of the time tells. Some kernels
    route fewer than 16 tokens freely: so does the growth between 1 and 8 tokens.
    """
    shape = list(zip(frame.hidden_size, frame.inter_size, frame.topk, frame.num_experts))
    frame = where(frame, [s == keep.GROUP_LIMITED for s in shape])
    frame = frame[(frame.moe_ep_size == 1) & (frame.distribution == "balanced")]
    found = {}
    for form in frame.moe_dtype.unique():
        rows = frame[(frame.moe_dtype == form) & (frame.moe_tp_size == 1)].groupby("num_tokens").latency.min() / 1000
        if not {1, 8, 64} <= set(rows.index):
            continue
        expert = 3 * 7168 * 2048 * FORMATS[keep.FORMATS[form]][0] / (0.85 * gpu.bandwidth)
        if (rows[64] - rows[8]) / expert < 140:
            found[form] = 16 if (rows[8] - rows[1]) / expert > 42 else 1
    return found


def distribution(r, grouped):
    """The name of a row's routing in expert-routing.csv; None where it is not known."""
    shape = (r.hidden_size, r.inter_size, r.topk, r.num_experts)
    if r.distribution == "balanced":
        limited = shape == keep.GROUP_LIMITED and r.moe_ep_size == 1 and r.num_tokens >= grouped.get(r.moe_dtype, 1 << 30)
        return GROUPED if limited else "balanced"
    # With fewer choices than experts, the rank that was measured is not the one with most rows: the times say so.
    known = r.moe_ep_size == 1 or r.num_tokens * r.topk > r.num_experts
    return r.distribution if known else None


def moe_row(r, grouped):
    name = distribution(r, grouped)
    return name and (keep.FORMATS[r.moe_dtype], int(r.hidden_size), int(r.inter_size), int(r.topk), int(r.num_experts),
                     int(r.moe_tp_size), int(r.moe_ep_size), name, int(r.num_tokens))


def moe_bounds(r, grouped):
    width, rate = FORMATS[keep.FORMATS[r.moe_dtype]]
    shape = (r.hidden_size, r.inter_size, r.topk, r.num_experts)
    matrices = 2 if shape in keep.UNGATED else 3
    size = matrices * r.hidden_size * r.inter_size / r.moe_tp_size
    rows, active = rank_routing(distribution(r, grouped), int(r.num_tokens), int(r.num_experts), int(r.topk),
                                int(r.moe_ep_size))[:2]
    return active * size * width, 2 * rows * size, rate


def attention_select(lengths, other, column):
    def select(frame, lane):
        window = "window_size" in frame
        heads = keep.kept(keep.HEADS, keep.HEADS_OTHER, lane)
        chosen = keep.kept(lengths, other, lane)
        frame = among(frame, batch_size=chosen["batch"], beam_width=[1], attn_dtype=["bfloat16"],
                      kv_cache_dtype=["bfloat16", "fp8"], **{column: chosen["length"]})
        windows = frame.window_size if window else [0] * len(frame)
        mask = []
        for h, g, d, w, kv, b in zip(frame.num_heads, frame.num_key_value_heads, frame.head_dim, windows, frame.kv_cache_dtype,
                                     frame.batch_size):
            # An FP8 cache is kept on every second batch.
            known = (d, w) in heads and (heads[d, w] is None or (h, g) in heads[d, w])
            mask.append(known and (kv == "bfloat16" or b in chosen["batch"][::2]))
        return where(frame, mask)
    return select


def heads_of(r):
    return (int(r.num_heads), int(r.num_key_value_heads), int(r.head_dim), int(getattr(r, "window_size", 0)),
            keep.FORMATS[r.kv_cache_dtype])


def visible(length, window):
    """Query and key pairs of a causal prompt."""
    if window and window < length:
        return length * window - window * window / 2
    return length * length / 2


def prefill_bounds(r):
    pairs = r.batch_size * visible(r.isl, getattr(r, "window_size", 0))
    moved = r.batch_size * r.isl * r.head_dim * 2 * (2 * r.num_heads + 2 * r.num_key_value_heads)
    return moved, 4 * r.num_heads * r.head_dim * pairs, "bf16"


def decode_bounds(r):
    window = getattr(r, "window_size", 0)
    keys = min(r.step + 1, window) if window else r.step + 1
    width = 1 if r.kv_cache_dtype == "fp8" else 2
    return 2 * r.batch_size * keys * r.num_key_value_heads * r.head_dim * width, 0, "bf16"


def mla_select(lengths, column):
    def select(frame, lane):
        frame = among(frame, num_heads=keep.MLA_HEADS, batch_size=lengths["batch"])
        if "gemm_type" in frame:
            formats = list(zip(frame.kv_cache_dtype, frame.gemm_type))
            frame = where(frame, [f in keep.MLA_FORMATS for f in formats])
        # The tables count a decode's context with and without the new token.
        values = frame[column] if column == "isl" else frame.isl + frame.step - (frame.step % 2 == 0)
        return frame[values.isin(lengths["length"])]
    return select


def mla_prefill_bounds(r):
    return 0, 2 * r.num_heads * 320 * r.batch_size * visible(r.isl, 0), "fp8" if r.kv_cache_dtype == "fp8" else "bf16"


def mla_decode_bounds(r):
    width = 1 if r.kv_cache_dtype == "fp8" else 2
    return r.batch_size * r.step * 576 * width, 2 * r.num_heads * 1088 * r.batch_size * r.step, "fp8"


def context(r):
    """Tokens that a decode attends to, its own among them."""
    return int(r.isl) + int(r.step) - (int(r.step) % 2 == 0)


def dsa_select(lengths):
    def select(frame, lane):
        frame = among(frame, model=list(keep.DSA_MODELS), num_heads=keep.DSA_HEADS, batch_size=lengths["batch"])
        frame = frame[~frame.op_name.str.contains("skip_indexer")]
        formats = list(zip(frame.kv_cache_dtype, frame.gemm_type))
        frame = where(frame, [f in keep.MLA_FORMATS for f in formats])
        if "prefix" in lengths:
            return among(frame, isl=lengths["length"], step=lengths["prefix"])
        return frame[frame.step.isin(lengths["length"])]
    return select


def dsa_row(*columns):
    def row(r, lane):
        return (keep.DSA_MODELS[r.model], int(r.num_heads), keep.FORMATS[r.kv_cache_dtype], keep.FORMATS[r.gemm_type],
                int(r.batch_size), *[int(getattr(r, column)) for column in columns])
    return row


GDN_KERNELS = {"causal_conv1d_fn": "conv_prefill", "causal_conv1d_update": "conv_decode"}


def gdn_kernel(r):
    return GDN_KERNELS.get(r.kernel_source, "core_prefill" if r.phase == "context" else "core_decode")


def gdn_select(frame, lane):
    chosen = keep.kept(keep.GDN_PREFILL, keep.GDN_PREFILL_OTHER, lane)
    decode = (frame.phase == "generation") & frame.batch_size.isin(
        keep.kept(keep.GDN_DECODE_BATCH, keep.GDN_DECODE_BATCH_OTHER, lane))
    prefill = ((frame.phase == "context") & frame.batch_size.isin(chosen["batch"])
               & frame.seq_len.isin(chosen["length"]))
    return frame[decode | prefill]


def gdn_bounds(r):
    kernel = gdn_kernel(r)
    if kernel == "core_decode":  # a 16-bit state at least, read and written
        return 4 * r.batch_size * r.num_v_heads * r.head_k_dim * r.head_v_dim, 0, "bf16"
    channels = 2 * r.num_k_heads * r.head_k_dim + r.num_v_heads * r.head_v_dim
    return (4 * r.batch_size * r.seq_len * channels if kernel == "conv_prefill" else 0), 0, "bf16"


def all_reduce_row(r, lane):
    backend = getattr(r, "backend", "")
    own = "custom" if lane == keep.LANES[0] else lane
    return (f"{own}_eager" if str(backend).endswith("eager") else own, int(r.num_gpus), 2 * int(r.message_size))


def columns_of(*names):
    return lambda r, lane: tuple(int(getattr(r, name)) for name in names)


def everything(frame, lane):
    return frame


def nothing(r):
    return 0, 0, "bf16"


HEAD_COLUMNS = ["heads", "kv_heads", "head_dim", "window", "kv_dtype", "batch"]
HEAD_GROUPS = ["num_heads", "num_key_value_heads", "head_dim", "window_size", "kv_cache_dtype"]
MLA_COLUMNS = ["heads", "kv_dtype", "gemm_dtype", "batch"]


def mla_row(r, lane):
    return (int(r.num_heads), keep.FORMATS[r.kv_cache_dtype], keep.FORMATS[r.gemm_type], int(r.batch_size))


def mla_kernel_row(r, lane):
    return (int(r.num_heads), keep.FORMATS[r.kv_cache_dtype], int(r.batch_size))


FAMILIES = [
    Family("gemm", "gemm", "gemm_perf", ["dtype", "m", "n", "k"], ["gemm_dtype"], gemm_select,
           lambda r, lane: (keep.FORMATS[r.gemm_dtype], int(r.m), int(r.n), int(r.k)), gemm_bounds, unsound="gemm"),
    Family("moe", "moe", "moe_perf",
           ["dtype", "hidden", "intermediate", "topk", "experts", "tp", "ep", "distribution", "tokens"],
           ["moe_dtype", "hidden_size", "inter_size", "topk", "num_experts"], moe_select, moe_row, moe_bounds, group=lambda row: row[:-1],
           notes=["intermediate is the whole model's; each of tp GPUs holds a tp-th of it, each of ep GPUs its share of the experts",
                  "tokens are those of all ep ranks; with ep > 1 the rank with the most rows was measured",
                  "what the routing asks of the kernel is in expert-routing.csv, by experts, topk, ep, distribution, tokens",
                  "where an engine has several kernels for a shape, the fastest is kept"]),
    Family("prefill_attention", "attention", "context_attention_perf", [*HEAD_COLUMNS, "q_len", "prefix"], HEAD_GROUPS,
           attention_select(keep.PREFILL, keep.PREFILL_OTHER, "isl"),
           lambda r, lane: (*heads_of(r), int(r.batch_size), int(r.isl), int(r.step)), prefill_bounds),
    Family("decode_attention", "attention", "generation_attention_perf", [*HEAD_COLUMNS, "kv_len"], HEAD_GROUPS,
           attention_select(keep.DECODE, keep.DECODE_OTHER, "step"),
           lambda r, lane: (*heads_of(r), int(r.batch_size), int(r.isl) + int(r.step)), decode_bounds,
           notes=["kv_len counts the new token"]),
    Family("mla_module_prefill", "mla", "mla_context_module_perf", [*MLA_COLUMNS, "q_len"],
           ["kv_cache_dtype", "gemm_type", "num_heads"], mla_select(keep.MLA_PREFILL, "isl"),
           lambda r, lane: (*mla_row(r, lane), int(r.isl)), mla_prefill_bounds, unsound="mla_module",
           lanes=("vllm",),
           notes=["a module is the whole attention of a DeepSeek-V3 layer: projections, norms, rotary, attention"]),
    Family("mla_module_decode", "mla", "mla_generation_module_perf", [*MLA_COLUMNS, "kv_len"],
           ["kv_cache_dtype", "gemm_type", "num_heads"], mla_select(keep.MLA_DECODE, "step"),
           lambda r, lane: (*mla_row(r, lane), context(r)), mla_decode_bounds, unsound="mla_module",
           lanes=("vllm",),
           notes=["a module is the whole attention of a DeepSeek-V3 layer: projections, norms, rotary, attention"]),
    Family("mla_prefill", "mla", "context_mla_perf", ["heads", "kv_dtype", "batch", "q_len"], ["kv_cache_dtype", "num_heads"],
           mla_select(keep.MLA_PREFILL, "isl"), lambda r, lane: (*mla_kernel_row(r, lane), int(r.isl)), mla_prefill_bounds,
           notes=["the attention kernel alone: query and key width 192, value width 128"]),
    Family("mla_decode", "mla", "generation_mla_perf", ["heads", "kv_dtype", "batch", "kv_len"], ["kv_cache_dtype", "num_heads"],
           mla_select(keep.MLA_DECODE, "step"), lambda r, lane: (*mla_kernel_row(r, lane), context(r)), mla_decode_bounds,
           notes=["the attention kernel alone, absorbed: key width 576, value width 512"]),
    Family("dsa_decode", "sparse_attention", "dsa_generation_module_perf", ["model", *MLA_COLUMNS, "kv_len"],
           ["model", "kv_cache_dtype", "gemm_type", "num_heads"], dsa_select(keep.DSA_DECODE), dsa_row("step"), nothing,
           lanes=("vllm",), notes=["the whole attention of a layer with its indexer; heads are those of one GPU"]),
    Family("gdn", "linear_attention", "gdn_perf",
           ["kernel", "k_heads", "v_heads", "k_dim", "v_dim", "conv", "batch", "length"], ["num_k_heads", "num_v_heads"], gdn_select,
           lambda r, lane: (gdn_kernel(r), int(r.num_k_heads), int(r.num_v_heads), int(r.head_k_dim), int(r.head_v_dim),
                            int(r.d_conv), int(r.batch_size), max(1, int(r.seq_len))), gdn_bounds, group=lambda row: row[0],
           notes=["gated DeltaNet; a decode has length 1",
                  "the state has 4 bytes an element in vLLM's kernels; where other engines' times imply more than the memory gives, 2"]),
    Family("all_reduce", "comm", "custom_allreduce_perf", ["implementation", "gpus", "bytes"], ["num_gpus"], everything,
           all_reduce_row, nothing,
           notes=["custom, sglang, trtllm: vLLM's, SGLang's, TensorRT-LLM's own all-reduce inside a CUDA graph; with _eager: "
                  "launched one by one; nccl: NCCL's"]),
]
