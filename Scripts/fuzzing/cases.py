"""What is given to the program: a file of each kind that it reads, and command lines."""

import random
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from console import EX_USAGE, ROOT, Failure
from fuzzing import samples
from fuzzing.mutate import mutate
from fuzzing.options import CommandLines

QUICK = ["--no-db", "--json", "--num-prompts", "4", "--max-duration", "100"]


@dataclass
class Case:
    """One run of the program."""
    kind: str
    change: str
    command: list
    folder: Path
    file: Path | None = None


@dataclass
class Target:
    """A file that is read in some way: its name, its contents, and the command that reads it, in which {} is its path."""
    kind: str
    name: str
    data: bytes
    command: list
    weight: float = 1
    # A file beneath Profiles: it is changed in a copy of that folder, and {} is the copy.
    is_profile: bool = False
    beside: dict = field(default_factory=dict)


class Cases:
    """Makes cases by their numbers."""

    def __init__(self, program, scratch, seed, only=""):
        self.program, self.scratch, self.seed = program, scratch, seed
        self.lines = CommandLines(program)
        targets = self.targets()
        self.targets = [target for target in targets if only in target.kind]
        if only in "options":
            share = sum(target.weight for target in targets) / 2
            self.targets.append(Target("options", "", b"", [], share))
        if not self.targets:
            kinds = sorted({target.kind for target in targets} | {"options"})
            raise Failure(f"--only {only}: no kind has it in its name; there are {', '.join(kinds)}", EX_USAGE)
        self.folder = scratch / "case"

    def tidy(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self, number):
        draw = random.Random(f"{self.seed}/{number}")
        self.tidy()
        self.folder.mkdir()
        target = draw.choices(self.targets, [target.weight for target in self.targets])[0]
        # The program runs in the case's folder, so that what it writes without being told where is swept away.
        for name in ["Traces"] if target.is_profile else ["Traces", "Profiles"]:
            (self.folder / name).symlink_to(ROOT / name)
        if target.kind == "options":
            arguments = self.lines.draw(draw, self.scratch / "sample.sqlite", self.folder)
            return Case("options", " ".join(arguments)[:300], [self.program, *arguments], self.folder)
        data, change = target.data, []
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            data, one = mutate(data, draw)
            change.append(one)
        path = self.profile(target, data) if target.is_profile else self.plain(target, data)
        where = self.folder / "Profiles" if target.is_profile else self.folder if target.beside else path
        command = [self.program] + [part.replace("{}", str(where)) for part in target.command]
        return Case(target.kind, f"{target.name}: {'; '.join(change)}", command, self.folder, path)

    def plain(self, target, data):
        for name, contents in target.beside.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_bytes(contents)
        path = self.folder / target.name
        path.write_bytes(data)
        return path

    def profile(self, target, data):
        """Profiles with one file changed: all else are links to what ships."""
        copy, original = self.folder / "Profiles", ROOT / "Profiles"
        parts = Path(target.name).parts
        for place, part in enumerate(parts):
            copy.mkdir()
            for entry in original.iterdir():
                if entry.name != part:
                    (copy / entry.name).symlink_to(entry)
            copy, original = copy / part, original / part
        copy.write_bytes(data)
        return copy

    def targets(self):
        run = ["run", *QUICK, "--trace"]
        cached = ["run", *QUICK, "--engine", "vllm", "--enable-prefix-caching", "--trace"]
        targets = [Target(f"trace {name}", f"t.{ending}", data, [*(cached if b"hash_ids" in data else run), "{}"], 2)
                   for name, ending, data in samples.traces()]
        targets.append(Target("length model", "m.json", (ROOT / "Traces/arxiv.json").read_bytes(), [*run, "{}"], 4))
        for path in sorted((ROOT / "Profiles/models").glob("*.json")):
            targets.append(Target("model", path.name, path.read_bytes(), ["run", *QUICK, "--tp", "8", "--model", "{}"], .3))
        for path in sorted((ROOT / "Profiles/hardware").glob("*.json")):
            targets.append(Target("hardware", path.name, path.read_bytes(), ["run", *QUICK, "--hardware", "{}"], .5))
            targets.append(Target("hardware", f"hardware/{path.name}", path.read_bytes(),
                                  ["run", *QUICK, "--tp", "8", "--hardware", path.stem, "--profiles", "{}"], .5, True))
        for path in sorted((ROOT / "Profiles/engines").glob("*.json")):
            targets.append(Target("engine", path.name, path.read_bytes(), ["run", *QUICK, "--engine", "{}"], .7))
        for name in ["h100-sxm", "a100-sxm"]:
            data = (ROOT / f"Profiles/calibrations/{name}.json").read_bytes()
            targets.append(Target("calibration", f"calibrations/{name}.json", data,
                                  ["run", *QUICK, "--hardware", name, "--profiles", "{}"], 3, True))
        tables = sorted((ROOT / "Profiles/kernels/a100-sxm/aisimulate-0.13-sglang").glob("*.csv"))
        for path in tables:
            targets.append(Target("kernel table", str(path.relative_to(ROOT / "Profiles")), path.read_bytes(),
                                  ["calibrate", "--gpu", "a100-sxm", "--source", path.parent.name, "--compare",
                                   "a100-sxm/" + path.parent.name, "--compare", "a100-sxm/aisimulate-0.13-vllm",
                                   "--profiles", "{}"], .3, True))
        for name, option in [("laws.csv", ["--cost-model", "law[opt-13b-tp1]", "--tp", "1"]),
                             ("links.csv", ["--disaggregation", "prefill=1xTP2,decode=1xTP2", "--kv-link", "eth25"])]:
            data = (ROOT / "Profiles" / name).read_bytes()
            targets.append(Target(name, name, data, ["run", *QUICK, *option, "--profiles", "{}"], 1.5, True))
        targets += self.made_by_the_program()
        for name, ending, data in samples.server_results():
            targets.append(Target(f"server result {name}", f"r.{ending}", data, ["validate", "run", "{}"], 1))
        name, data, beside = samples.server_table(ROOT)
        targets.append(Target("table of servers", name, data, ["validate", "servers", "{}/" + name, "--jobs", "1"], 3,
                              beside=beside))
        data = b"\n".join((ROOT / "Profiles/iterations/h200-sxm/2026-11-27-harness.csv").read_bytes().split(b"\n")[:60])
        targets.append(Target("iterations", "i.csv", data,
                              ["validate", "iterations", "{}", "--hardware", "h200-sxm", "--format", "json"], 3))
        name, data, beside = samples.schedule(ROOT)
        for one in [name, *beside]:
            others = {key: value for key, value in {**beside, name: data}.items() if key != one}
            targets.append(Target("schedule", one, {**beside, name: data}[one], ["validate", "schedules", "{}"], .6,
                                  beside=others))
        cache = next(data for name, _, data in samples.traces() if name == "mooncake")
        targets.append(Target("prefix cache", "t.jsonl", cache, ["validate", "prefix-cache", "{}"], 1))
        return targets

    def made_by_the_program(self):
        """Files that the program itself writes: experiments and databases."""
        def sim(*arguments):
            return subprocess.run([self.program, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE).stdout
        few = ["--num-prompts", "4", "--max-duration", "100"]
        plain = sim("run", *few, "--policy", "layered", "--dry-run")
        pools = sim("run", *few, "--engine", "vllm", "--disaggregation", "prefill=1xTP2,decode=1xTP2", "--dry-run")
        drafts = sim("run", *few, "--dry-run", "--speculative-config",
                     '{"method": "ngram", "num_speculative_tokens": 2, "synthetic_acceptance_length": 2}')
        for name, data in [("plain", plain), ("pools", pools), ("drafts", drafts)]:
            yield Target(f"experiment {name}", "run.json", data, ["run", "--no-db", "--json", "--from", "{}"], 3)
        path = self.scratch / "sample.sqlite"
        for policy in ["chunked", "layered"]:
            sim("run", "--num-prompts", "3", "--max-duration", "20", "--policy", policy, "--log", "kernels", "--db", str(path))
        data = path.read_bytes()
        for command in [["query", "runs", "--db"], ["query", "kernels", "--db"], ["query", "latency", "--db"],
                        ["run", "--no-db", "--json", "--again", "1", "--db"], ["run", *QUICK[1:], "--db"],
                        ["export", "vllm", "--run", "1", "--output", "/dev/null", "--db"],
                        ["export", "timeline", "--run", "1", "--output", "/dev/null", "--db"]]:
            yield Target("database", "d.sqlite", data, [*command, "{}"], .7)
