"""Whether a model's configuration runs, on how many GPUs, or why it is refused."""

import collections
import re
import subprocess
from typing import NamedTuple

# GPUs of a rank, and ranks that share the experts.
LAYOUTS = [(1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (16, 2), (16, 4)]
# More GPUs help where weights do not fit, and fewer where heads cannot be split.
SIZE = re.compile("no memory is left|cannot be split")
REASON = re.compile(r"^sim: \S+: field '[^']+' is '[^']+' \(.+\); expected ")


class Outcome(NamedTuple):
    gpus: int | None
    error: str

    @property
    def is_sound(self):
        return self.gpus is not None or bool(REASON.match(self.error))


def run(program, options):
    """The status and the error of a short run."""
    done = subprocess.run(
        [program, "run", *map(str, options), "--trace", "sharegpt", "--request-rate", "1", "--num-prompts", "2", "--json", "--no-db"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr.strip()


def outcome(path, hardware, attempt):
    """Tries one layout after the other; `attempt` takes options and returns a status and an error."""
    error = ""
    for gpus, ranks in LAYOUTS:
        options = ["--model", path, "--hardware", hardware, "--engine", "vllm", "--tp", gpus]
        shared = ["--data-parallel-size", ranks, "--enable-expert-parallel"] if ranks > 1 else []
        status, error = attempt(options + shared)
        if status == 0:
            return Outcome(gpus * ranks, "")
        if len(error.splitlines()) != 1 or not SIZE.search(error):
            break
    return Outcome(None, error)


def table(types, outcomes):
    """Counts by type: how many there are, how many run, on how many GPUs."""
    kinds = collections.defaultdict(list)
    for kind, result in zip(types, outcomes):
        kinds[kind].append(result)
    width = max(map(len, kinds))
    lines = [f"{'type':{width}}  count  run  GPUs"]
    for kind in sorted(kinds):
        gpus = [result.gpus for result in kinds[kind] if result.gpus is not None]
        spread = f"{min(gpus)}-{max(gpus)}" if len(set(gpus)) > 1 else "".join(map(str, set(gpus)))
        lines.append(f"{kind:{width}}  {len(kinds[kind]):5}  {len(gpus):3}  {spread}".rstrip())
    return "\n".join(lines)
