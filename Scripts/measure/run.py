"""What all steps share: the device, random data, the time that is left, and what becomes of an error."""

import collections
import contextlib
import gc
import math
import time
import traceback

import torch

from .board import Board
from .output import Output

BF16 = torch.bfloat16


class TimeUp(Exception):
    """The step's time is used up."""


class ContextLost(Exception):
    """Nothing works any more on the GPU in this process."""


class Run:
    """One process's share of a run."""

    def __init__(self, options):
        self.dry, self.end = options.dry, options.until
        self.until, self.rows = self.end, 0  # of the step under way
        self.out = Output(options.out, options.append)
        self.log = self.out.log
        self.failed, self.wrong, self.attention = collections.Counter(), set(), None
        self.device = "cpu" if self.dry else "cuda"
        torch.set_grad_enabled(False)
        uuid = ""
        if self.dry:
            torch.set_num_threads(1)
            self.gpu, self.l2, self.memory, self.multiprocessors = "dry run", 1 << 20, 1 << 30, 2
        else:
            facts = torch.cuda.get_device_properties(0)
            self.gpu, self.memory, self.multiprocessors = facts.name, facts.total_memory, facts.multi_processor_count
            self.l2 = getattr(facts, "L2_cache_size", 0) or 60 << 20
            uuid = str(getattr(facts, "uuid", ""))
            # One stream for everything, and not the default one: only such a stream can be captured.
            torch.cuda.set_stream(torch.cuda.Stream())
        self.board = Board(self.log, self.dry, uuid)
        # A generator of our own: a capture that fails leaves the default one unusable.
        self.generator = torch.Generator(device=self.device)
        self.generator.manual_seed(7)
        cudnn = None if self.dry else torch.backends.cudnn.version()
        import triton

        self.triton = triton.__version__
        self.out.open([
            ("gpu", self.gpu), ("driver", self.board.driver()), ("cuda", torch.version.cuda), ("cublaslt", f"torch {torch.__version__}"),
            ("cudnn", cudnn), ("triton", self.triton), ("l2_bytes", self.l2), ("memory_bytes", self.memory),
            ("power_limit", f"{self.board.limit_watts():.0f} W"), ("sm_clock_now", f"{self.board.sm_mhz()} MHz"),
            ("temperature", f"{self.board.celsius()} C"), ("date", time.strftime("%Y-%m-%d")), ("script", "Scripts/measure-gpu")])

    # ---- time

    def begin(self, seconds):
        """A step begins that may take so many seconds."""
        self.until, self.rows = min(self.end, time.monotonic() + seconds), 0

    def tick(self, need=0.0):
        """Ends the step if what comes next, of so many seconds, does not fit."""
        if time.monotonic() + need > self.until:
            raise TimeUp
        self.rows += 1

    # ---- errors

    @contextlib.contextmanager
    def attempt(self, what):
        """An error inside costs what is inside, no more, unless the GPU's context is lost."""
        try:
            yield
        except (TimeUp, ContextLost):
            raise
        except Exception as error:
            self.fail(what, error)

    def fail(self, what, error):
        self.failed[what] += 1
        reason = " ".join(str(error).split())[:300]
        if self.failed[what] <= 3:
            self.log(f"FAILED {what}: {type(error).__name__}: {reason}", keep=self.failed[what] == 1)
        # The frames of the error hold buffers.
        traceback.clear_frames(error.__traceback__)
        if self.dry:
            return
        try:
            torch.cuda.synchronize()
            if isinstance(error, torch.cuda.OutOfMemoryError) or "out of memory" in reason:
                gc.collect()
                torch.cuda.empty_cache()
            if torch.ones(1, device="cuda").item() != 1:
                raise RuntimeError("one is not one")
        except Exception as after:
            raise ContextLost(f"the GPU's context is lost after {what}: {reason} ({str(after)[:100]})") from None

    # ---- data

    def sync(self):
        if not self.dry:
            torch.cuda.synchronize()

    def random(self, *shape, scale=1.0, dtype=BF16):
        """Normally distributed numbers: data of zeros would draw less power and run faster."""
        x = torch.empty(*shape, device=self.device, dtype=BF16)
        for piece in x.view(-1).split(1 << 28):
            piece.normal_(0, scale, generator=self.generator)
        return x if dtype == BF16 else x.to(dtype)

    def integers(self, low, high, shape, dtype=torch.int64):
        return torch.randint(low, high, shape, device=self.device, dtype=dtype, generator=self.generator)

    def empty(self, *shape, dtype=BF16):
        return torch.empty(*shape, device=self.device, dtype=dtype)

    def poisoned(self, *shape):
        """A buffer in which an element that nobody writes is seen."""
        return torch.full(shape, float("nan"), device=self.device, dtype=BF16)

    def sets(self, bytes_each, most=64):
        """How many sets of buffers a round goes through, so that it touches three times the L2."""
        if self.dry:
            return 1
        return int(max(1, min(most, math.ceil(3 * self.l2 / max(1, bytes_each)))))

    # ---- rows

    def emit(self, table, row, sample, note=""):
        """Adds a kernel's row: its shape, what was measured, and the board's state after it. Not if the kernel is wrong."""
        if row["kernel"] in self.wrong:
            return
        row = {**row, **sample}
        row["note"] = "; ".join(x for x in (sample.get("note"), note) if x)
        row.update(gpu=self.gpu, mhz_now=self.board.sm_mhz(), mem_mhz=self.board.memory_mhz(), temp_c=self.board.celsius())
        table.add(row)

    def check(self, name, result, reference, limit=1e-2, kernel=None):
        """Whether a result is within a relative error of its double-precision reference; notes it either way.

        No row is written of a `kernel` that was wrong.
        """
        result, reference = result.double(), reference.double()
        error = float("inf")
        if result.shape == reference.shape and bool(torch.isfinite(result).all()):
            error = float((result - reference).norm() / reference.norm().clamp_min(1e-20))
        right = error <= limit
        self.out.checks.add({"kernel": name, "error": error, "limit": limit, "ok": int(right), "gpu": self.gpu})
        if not right:
            self.log(f"WRONG {name}: relative error {error:.3g}", keep=True)
            if kernel:
                self.wrong.add(kernel)
        return right


def key(kernel, impl, model="", dtype="bf16", **more):
    """A row's identity: 0 for the columns that a kernel does not have."""
    row = dict.fromkeys("m,n,k,batch,q_len,kv_len,heads,kv_heads,head_dim,window,experts,active,topk,max_per_expert,skew,bytes,flops".split(","), 0)
    row.update(kernel=kernel, impl=impl, model=model, dtype=dtype, tp=1)
    row.update(more)
    row["bytes"], row["flops"] = int(row["bytes"]), int(row["flops"])
    return row
