"""Small mechanical changes of the program, and the draw of some of them by seed."""

import hashlib
import pathlib
import re
import sys

from swift_text import BLIND_FILES, changeable, conditions, end_of_operand

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXCLUSIONS = ROOT / "Scripts/lib/equivalent-mutations.txt"

# Where changes are made; those in figures are at least a third of a draw.
FIGURES = ["CostModels", "Systems", "Calibration", "Statistics"]
OTHERS = ["Serving", "Policies", "Workloads", "Experiments", "Support"]


class Change:
    """One change: a piece of a file and what stands there instead."""

    def __init__(self, path, text, start, end, new, kind):
        self.path, self.text, self.start, self.end, self.new, self.kind = path, text, start, end, new, kind
        self.line = text.count("\n", 0, start) + 1
        begin = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop
        self.before = text[begin:stop].strip()
        self.after = " ".join((text[begin:start] + new + text[end:stop]).split())
        self.before = " ".join(self.before.split())
        self.module = path.parts[1]

    def key(self):
        return (str(self.path), self.start, self.end, self.new)

    def rank(self, seed):
        name = f"{seed}|{self.path.name}|{self.before}|{self.after}"
        return hashlib.sha256(name.encode()).hexdigest()

    def __str__(self):
        return f"{self.path}:{self.line}: {self.kind}\n    - {self.before}\n    + {self.after}"


SWAPS = [
    (r" < ", " <= ", "comparison"), (r" <= ", " < ", "comparison"), (r" > ", " >= ", "comparison"),
    (r" >= ", " > ", "comparison"), (r" == ", " != ", "comparison"), (r" != ", " == ", "comparison"),
    (r" < ", " >= ", "comparison flipped"), (r" > ", " <= ", "comparison flipped"),
    (r" \+ ", " - ", "sign"), (r" - ", " + ", "sign"), (r" \* ", " / ", "factor"), (r" / ", " * ", "factor"),
    (r" \+= ", " -= ", "sign"), (r" -= ", " += ", "sign"),
    (r" && ", " || ", "condition"), (r" \|\| ", " && ", "condition"),
    (r"\bmin(?=\()", "max", "extreme"), (r"\bmax(?=\()", "min", "extreme"),
    (r"\.\.<(?=[\w(])", "...", "off by one"), (r"(?<=[\w)\]])\.\.\.(?=[\w(])", "..<", "off by one"),
    (r" \+ 1\b(?!\.)", "", "off by one"), (r" - 1\b(?!\.)", "", "off by one"),
    (r"(?<![\w.])!(?=[\w(])", "", "condition"),
    (r"\btrue\b", "false", "flag"), (r"\bfalse\b", "true", "flag"),
]
NUMBER = re.compile(r"(?<![\w.$\"])(\d[\d_]*(?:\.\d[\d_]*)?(?:e[+-]?\d+)?)(?![\w.]|\s*:)")


def changes_of(path):
    text = (ROOT / path).read_text()
    mask = changeable(text)

    def free(start, end):
        return all(mask[start:end])

    for pattern, new, kind in SWAPS:
        for match in re.finditer(pattern, text):
            start, end = match.span()
            near = text[max(0, start - 1)] + text[end:end + 1]
            if free(start, end) and not ("+" in match.group() and re.search(r'["\[]', near)):
                yield Change(path, text, start, end, new, kind)
    for match in re.finditer(r" [+\-*/] ", text):
        start = match.start()
        end = end_of_operand(text, match.end(), mask)
        if end is None or not free(*match.span()) or text[match.end():end] in ("1", ""):
            continue
        follows = text[end:].lstrip(" \n")[:2]
        if match.group()[1] in "+-" and follows[:1] in "*/%" or follows.startswith(("..", "as", "{", "?")):
            continue
        if text[match.end():end] and text[match.end()] not in '"[':
            kind = "term dropped" if match.group()[1] in "+-" else "factor dropped"
            yield Change(path, text, start, end, "", kind)
    for match in NUMBER.finditer(text):
        digits = match.group(1)
        value = float(digits.replace("_", ""))
        if not free(*match.span()) or value == 0 or value < 2 and re.fullmatch(r"[\d_]+", digits):
            continue
        if re.search(r"(<<|>>|case|digits:|\[)\s*$", text[max(0, match.start() - 8):match.start()]):
            continue
        yield Change(path, text, *match.span(), f"({digits} / 2)", "constant halved")
    for start, end in conditions(text, mask):
        if free(start, end):
            for word in ("true", "false"):
                yield Change(path, text, start, end, word, "condition ignored")


def all_changes(only):
    """All changes that may be drawn, and how many more the list of equivalents leaves out."""
    excluded = [line.split(" :: ") for line in EXCLUSIONS.read_text().splitlines()
                if line.strip() and not line.startswith("#")] if EXCLUSIONS.exists() else []
    for entry in excluded:
        if len(entry) != 4 or not entry[3].strip():
            sys.exit(f"{EXCLUSIONS}: '{' :: '.join(entry)}' should be: file :: line :: changed line or * :: reason")
    known = {(name, before, after) for name, before, after, _ in excluded}
    changes, left_out = [], 0
    for module in FIGURES + OTHERS:
        for file in sorted((ROOT / "Sources" / module).rglob("*.swift")):
            path = file.relative_to(ROOT)
            if BLIND_FILES.search(path.name) or only and only not in str(path):
                continue
            for change in changes_of(path):
                if {(path.name, change.before, change.after), (path.name, change.before, "*")} & known:
                    left_out += 1
                else:
                    changes.append(change)
    return changes, left_out


def draw(changes, seed, count):
    """Changes in the order in which they are tried, in two lists: figures and others.

    Not more than one for a line, and kinds take turns, so that constants do not outnumber the rest.
    """
    lists = []
    for modules in (FIGURES, OTHERS):
        kinds, lines = {}, set()
        for change in sorted((c for c in changes if c.module in modules), key=lambda c: c.rank(seed)):
            if (change.path, change.line) not in lines:
                lines.add((change.path, change.line))
                kinds.setdefault(change.kind, []).append(change)
        turns = sorted(kinds, key=lambda kind: hashlib.sha256(f"{seed}|{kind}".encode()).hexdigest())
        order = []
        while any(kinds.values()):
            order += [kinds[kind].pop(0) for kind in turns if kinds[kind]]
        lists.append(order)
    share = -(-count // 3) if lists[1] else count
    return lists, [share, count - share] if lists[0] else [0, count]
