"""The copy of the repository in which mutations are compiled and tried."""

import os
import re
import resource
import signal
import subprocess
import sys
import time

import mutants
from mutations import ROOT

SCRATCH = ROOT / ".build-mutations"
# Which tests are likely to notice a change in a module; then come the golden runs, then all others.
ENGINE_TESTS, COST_TESTS = ["ServingTests", "PoliciesTests"], ["CostModelsTests", "SystemsTests", "CalibrationTests"]
NEAR = {
    "Serving": ENGINE_TESTS, "Policies": ENGINE_TESTS,
    "CostModels": COST_TESTS, "Systems": COST_TESTS, "Calibration": COST_TESTS,
}
COMMANDS, GOLDEN = r"^simTests\.", "GoldenTests"
MEMORY = 12 << 30


def stages(module):
    """The test runs that try a change, the likeliest to notice it first: whether they run commands, and their arguments."""
    near = "^(" + "|".join(NEAR.get(module, [f"{module}Tests"])) + r")\."
    return [(False, ["--filter", near]), (True, ["--filter", GOLDEN]), (False, ["--skip", near, "--skip", COMMANDS]),
            (True, ["--filter", COMMANDS, "--skip", GOLDEN])]


def write_if_new(path, content):
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class Workshop:
    """A copy of the working tree, one build that holds all changes behind switches, and runs of its tests."""

    def __init__(self):
        self.tree, self.build = SCRATCH / "tree", SCRATCH / "build"
        self.numbers, self.alone, self.running, self.limits = {}, {}, set(), {}

    def update(self):
        """Makes the copy equal to the working tree, touching only files that differ."""
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True)
        names = {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
        names.add("Package.resolved")
        for file in list(self.tree.rglob("*")) if self.tree.exists() else []:
            if file.is_file() and str(file.relative_to(self.tree)) not in names and file.name != "IsMutant.swift":
                file.unlink()
        for name in names:
            source, target = ROOT / name, self.tree / name
            if not source.exists():
                continue
            content = source.read_bytes()
            if name == "Package.swift":
                # A change may leave a variable unused, or code that never runs: neither is an error here.
                content = re.sub(rb"\n *\.treatAllWarnings\(as: \.error\),", b"", content)
            if not name.startswith("Sources/"):
                write_if_new(target, content)
            elif not target.exists():
                write_if_new(target, content)
            if target.exists():
                target.chmod(source.stat().st_mode)

    # Compiling

    def compile(self):
        return self.run(["swift", "build", "--build-tests", "--package-path", str(self.tree), "--scratch-path", str(self.build)],
                        3600)

    def write_sources(self, special=None):
        """Writes all sources, with what is switched behind switches; `special` gives the text of one file instead."""
        by_path = {}
        for number, change in self.numbers.items():
            by_path.setdefault(change.path, []).append((number, change))
        rendered = {}
        for path, numbered in by_path.items():
            rendered[path], left_out = mutants.switched(numbered[0][1].text, numbered)
            for number in left_out:
                self.set_alone(number)
        for file in (ROOT / "Sources").rglob("*"):
            path = file.relative_to(ROOT)
            if file.is_file():
                text = (special or {}).get(path) or rendered.get(path)
                write_if_new(self.tree / path, text.encode() if text is not None else file.read_bytes())
        for folder in (self.tree / "Sources").iterdir():
            write_if_new(folder / "IsMutant.swift", mutants.SWITCH.encode())
        return rendered

    def set_alone(self, number):
        change = self.numbers.pop(number)
        self.alone[change.key()] = change

    def is_alone(self, change):
        return change.key() in self.alone

    def compile_together(self, changes):
        """Compiles all changes into one program; what does not compile behind a switch is left to be compiled alone."""
        self.numbers = dict(enumerate(changes, 1))
        while True:
            rendered = self.write_sources()
            rendered = self.write_sources()
            status, output = self.compile()
            if status == 0:
                return
            blamed = set()
            for path, line in set(re.findall(rf"{re.escape(str(self.tree))}/(Sources/[^:]*):(\d+):\d+: error:", output)):
                for of, text in rendered.items():
                    if str(of) == path:
                        inside = [n for n, change in self.numbers.items() if change.path == of]
                        blamed |= mutants.blamed(text, int(line)) or set(inside)
            if not blamed:
                sys.exit("the program does not build:\n" + output[-4000:])
            for number in blamed:
                if number in self.numbers:
                    self.set_alone(number)

    # Testing

    def run(self, command, limit, mutant=0):
        """The status of a command, `None` if it took longer than allowed, and what it printed."""
        process = subprocess.Popen(
            command, cwd=self.tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", start_new_session=True, env={**os.environ, "MUTANT": str(mutant), "NO_COLOR": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)) if mutant else None)
        self.running.add(process)
        try:
            output, _ = process.communicate(timeout=limit)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            self.end(process)
            return None, ""
        finally:
            self.running.discard(process)

    def test(self, arguments, limit, mutant=0):
        bundle = next((self.build / "debug").glob("*.xctest"))
        return self.run([str(bundle), "--testing-library", "swift-testing", *arguments], limit, mutant)

    def test_unchanged(self):
        """Tests the program with all switches off, and sets the seconds after which a run of tests is taken to hang."""
        for is_command, arguments in [(False, ["--skip", COMMANDS]), (True, ["--filter", COMMANDS])]:
            start = time.monotonic()
            status, output = self.test(arguments, 3600)
            if status != 0:
                failed = [line for line in output.splitlines() if "recorded an issue" in line]
                sys.exit("the tests fail without a change:\n" + "\n".join(failed[:20] or [output[-3000:]]))
            self.limits[is_command] = 60 + 4 * (time.monotonic() - start)

    def noticed(self, change, mutant):
        for is_command, arguments in stages(change.module):
            status, output = self.test(arguments, self.limits[is_command], mutant)
            if status is None:
                return "caught: it hangs"
            if status != 0:
                names = (re.findall(r"Test (?!run with)(\S+?)\(.*?recorded an issue", output)
                         or re.findall(r"(Fatal error: .*|error: .*)", output))
                return f"caught: {names[0][:90] if names else f'status {status}'}"
        return "survived"

    def try_switched(self, change):
        number = next(n for n, c in self.numbers.items() if c.key() == change.key())
        start = time.monotonic()
        return change, self.noticed(change, number), time.monotonic() - start

    def try_alone(self, change):
        start = time.monotonic()
        self.write_sources({change.path: change.text[:change.start] + change.new + change.text[change.end:]})
        status, _ = self.compile()
        result = "broken" if status != 0 else self.noticed(change, 0)
        self.write_sources()
        return change, result, time.monotonic() - start

    def end(self, process):
        """Ends a command and all that it started, each of which has a process group of its own."""
        for one in family(process.pid):
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.communicate()

    def stop(self):
        for process in list(self.running):
            self.end(process)


def family(ancestor):
    """A process and its descendants, the ancestor first."""
    parents = {}
    for stat in (f"/proc/{name}/stat" for name in os.listdir("/proc") if name.isdigit()):
        try:
            with open(stat) as file:
                pid, _, rest = file.read().partition(" ")
            parents.setdefault(int(rest.rpartition(")")[2].split()[1]), []).append(int(pid))
        except OSError:
            continue
    found = [ancestor]
    for process in found:
        found += parents.get(process, [])
    return found
