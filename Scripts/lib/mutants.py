"""Compiles many mutations into one program, each behind a switch that an environment variable turns on.

A changed piece of an expression becomes `(isMutant(7) ? changed expression : expression)`, so that one build serves for all
mutations of a draw. What cannot be written so (other types on both sides, `inout` arguments, patterns) has to be compiled
alone.
"""

import re

from swift_text import code_mask, end_of_brackets

SWITCH = """import Foundation

/// The mutation that is on, or 0.
private let mutant = Int(ProcessInfo.processInfo.environment["MUTANT"] ?? "") ?? 0

@inline(never) func isMutant(_ number: Int) -> Bool { mutant == number }
"""

KEYWORDS = ("return", "in", "if", "guard", "while", "where", "else", "switch", "throw", "try", "await", "let", "var", "case", "for",
            "unsafe", "is", "as", "repeat", "defer", "do")
WORDS_BEFORE = re.compile(r"(?<![\w.])(" + "|".join(KEYWORDS) + r")[?!]?\s+$")
ASSIGNMENT = re.compile(r"(?<![=!<>~])(=|[-+*/%&|^]=)\s+$")
OPERATOR = r"(\?\?|&&|\|\||[-+*/%]|[<>]=?|==|!=|\.\.[.<]|[?:]|&[-+*]|\||\^|<<|>>|=)"
STATEMENT = re.compile(r"^\s*(\}?\s*else\s+)?(if|guard|while|for|switch|case)\b")


def opening(text, start, mask):
    """The position of the bracket around `start` that is open there, or -1."""
    depth = 0
    for i in range(start - 1, -1, -1):
        if mask[i]:
            if text[i] in ")]}":
                depth += 1
            elif text[i] in "([{":
                if depth == 0:
                    return i
                depth -= 1
    return -1


def goes_on(before, after):
    """Whether an expression goes on over a line break between these two pieces of text."""
    return bool(re.match(r"\s*(" + OPERATOR + r"\s|\.\w)", after) or re.search(r"\s" + OPERATOR + r"\s*$", before)
                or ASSIGNMENT.search(before + " ") or WORDS_BEFORE.search(before + " "))


def left_end(text, start, mask):
    """Where the whole expression around a position begins, and whether a brace ends it (as in `if a < b {`)."""
    depth, i, ternary = 0, start, False
    while i > 0:
        character = text[i - 1]
        if mask[i - 1]:
            if character in ")]}":
                depth += 1
            elif character in "([{":
                if depth == 0:
                    break
                depth -= 1
            elif depth == 0:
                if character in ",;":
                    break
                if character == ":":
                    label = re.search(r"[\w\]?]\s*$", text[:i - 1]) and not text[i - 2].isspace()
                    if label:
                        break
                if character.isspace():
                    head = text[:i]
                    if WORDS_BEFORE.search(head[-12:]) or ASSIGNMENT.search(head[-5:]):
                        break
                    if character == "\n" and not goes_on(text[max(0, i - 200):i - 1], text[i:i + 200]):
                        break
        i -= 1
    while i < start and text[i].isspace():
        i += 1
    bracket = opening(text, i, mask)
    if bracket >= 0 and text[bracket] in "([":
        return i, False
    # The first line of the statement tells whether a brace belongs to it.
    line = i
    while True:
        line = text.rfind("\n", 0, line) + 1
        head = text[line:i + 1]
        if STATEMENT.match(head) or re.search(r"(?<![\w.])(if|guard|while|for|switch|case|where)\s", text[line:i]):
            return i, True
        if line == 0 or bracket >= line or not re.search(r",\s*$", text[max(0, line - 60):line]):
            return i, False
        line -= 1


def right_end(text, end, mask, brace_ends):
    depth, i = 0, end
    while i < len(text):
        character = text[i]
        if mask[i]:
            if character == "{" and depth == 0 and brace_ends:
                break
            if character in "([{":
                depth += 1
            elif character in ")]}":
                if depth == 0:
                    break
                depth -= 1
            elif depth == 0:
                if character in ",;":
                    break
                if brace_ends and re.match(r"\selse\b|:\s*\n", text[i:i + 6]):
                    break
                if re.match(r"\s(where|else|in)\b", text[i:i + 7]):
                    break
                if character == "\n" and not goes_on(text[max(0, i - 200):i], text[i + 1:i + 200]):
                    break
        elif text.startswith("//", i):
            break
        i += 1
    while i > end and text[i - 1].isspace():
        i -= 1
    return i


class Region:
    """The piece of a file that stands behind a change's switch, and how."""

    def __init__(self, change, mask):
        text, start, end = change.text, change.start, change.end
        self.change, self.is_statement = change, False
        if change.kind in ("condition ignored", "flag", "constant halved"):
            self.start, self.end = start, end
        elif re.fullmatch(r" [-+]= ", text[start:end]):
            self.start = text.rfind("\n", 0, start) + 1
            while text[self.start].isspace():
                self.start += 1
            for opener in re.finditer(r"[{;:] ", text[self.start:start]):
                self.start, self.is_statement = self.start + opener.end(), True
                break
            self.end, self.is_statement = right_end(text, end, mask, False), True
        else:
            self.start, brace_ends = left_end(text, start, mask)
            self.end = right_end(text, end, mask, brace_ends)

    def changed(self):
        change = self.change
        return change.text[self.start:change.start] + change.new + change.text[change.end:self.end]

    def switched(self, number, original):
        mark = f"/*mutant {number}*/"
        if self.is_statement:
            return f"if isMutant({number}) {{ {mark} {self.changed()} }} else {{ {original} }}"
        return f"(isMutant({number}) ? {mark} ({self.changed()}) : ({original}))"


def switched(text, numbered):
    """A file's text with changes behind switches, and the numbers of those for which there was no place.

    Regions inside each other are switched from the inside out; regions that overlap otherwise are left out.
    """
    mask = code_mask(text)
    regions = sorted(((Region(change, mask), number) for number, change in numbered),
                     key=lambda entry: (entry[0].start, -entry[0].end))
    placed, left_out = [], []
    for region, number in regions:
        crossing = any(other.start < region.start < other.end < region.end for other, _ in placed)
        if region.start >= region.end or region.start > region.change.start or region.end < region.change.end or crossing:
            left_out.append(number)
        else:
            placed.append((region, number))

    def render(start, end, inside):
        pieces, i = [], start
        while inside:
            (region, number), rest = inside[0], inside[1:]
            within = [entry for entry in rest if entry[0].end <= region.end]
            inside = rest[len(within):]
            pieces.append(text[i:region.start])
            pieces.append(region.switched(number, render(region.start, region.end, within)))
            i = region.end
        return "".join(pieces) + text[i:end]

    return render(0, len(text), placed), left_out


def blamed(text, line):
    """The numbers of the mutations whose switched code covers a line (from 1) of a rendered file."""
    mask, found = code_mask(text), set()
    starts = [match for match in re.finditer(r"(\(|if )isMutant\((\d+)\)", text) if mask[match.start()]]
    for match in starts:
        if match.group(1) == "(":
            end = end_of_brackets(text, match.start(), mask)
        else:
            end = end_of_brackets(text, text.index("{", match.end()), mask)
            end = end_of_brackets(text, text.index("{", end), mask)
        if text.count("\n", 0, match.start()) + 1 <= line <= text.count("\n", 0, end) + 1:
            found.add(int(match.group(2)))
    return found
