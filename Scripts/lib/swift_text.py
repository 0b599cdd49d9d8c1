"""Reads Swift as far as the drawing of mutations needs it: what is code, and where brackets, operands and conditions end."""

import re


def code_mask(text):
    """For each character whether it is code, rather than part of a comment or a string."""
    mask = bytearray(b"\1" * len(text))
    i = 0
    while i < len(text):
        if text.startswith("//", i):
            end = text.find("\n", i)
            end = len(text) if end < 0 else end
        elif text.startswith("/*", i):
            end, depth = i + 2, 1
            while end < len(text) and depth:
                if text.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif text.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
        elif text[i] == '"' or text[i] == "#" and re.match(r'#+"', text[i:i + 4]):
            end = end_of_string(text, i)
        else:
            i += 1
            continue
        mask[i:end] = bytes(end - i)
        i = end
    return mask


def end_of_string(text, start):
    """The position behind a string literal; interpolations belong to it."""
    hashes = len(text[start:]) - len(text[start:].lstrip("#")) if text[start] == "#" else 0
    i = start + hashes
    quote = '"""' if text.startswith('"""', i) else '"'
    i += len(quote)
    closing, escape = quote + "#" * hashes, "\\" + "#" * hashes
    while i < len(text):
        if text.startswith(closing, i):
            return i + len(closing)
        if text.startswith(escape + "(", i):
            i = end_of_brackets(text, i + len(escape))
        elif text.startswith(escape, i):
            i += len(escape) + 1
        else:
            i += 1
    return len(text)


def end_of_brackets(text, start, mask=None):
    """The position behind the bracket that closes the one at `start`."""
    depth, i = 0, start
    while i < len(text):
        if mask is None and text[i] == '"':
            i = end_of_string(text, i)
            continue
        if mask is None or mask[i]:
            if text[i] in "([{":
                depth += 1
            elif text[i] in ")]}":
                depth -= 1
                if depth == 0:
                    return i + 1
        i += 1
    return len(text)


# Code in which a change would say nothing.
BLIND_CALLS = re.compile(r"\b(precondition|preconditionFailure|assert|assertionFailure|fatalError)\(")
BLIND_LINES = re.compile(
    r"^\s*(@|#|import\b|case\b.*:\s*$|.*(reserveCapacity|keepingCapacity|minimumCapacity|\.capacity\b|CodingKeys))")
BLIND_BLOCKS = re.compile(
    r"\b(var (description|exitStatus|title|layout|summary|brief|debugDescription): [^\n{]*|func reason\([^\n{]*)\{")
BLIND_FILES = re.compile(r"(Error|Schema\+\w+)\.swift$")


def changeable(text):
    """For each character whether a change to it may be drawn."""
    mask = code_mask(text)
    for pattern, bracket in [(BLIND_CALLS, "("), (BLIND_BLOCKS, "{")]:
        for match in pattern.finditer(text):
            if mask[match.start()]:
                end = end_of_brackets(text, match.end() - 1, mask)
                mask[match.start():end] = bytes(end - match.start())
    for match in re.finditer(r"\bthrow\b", text):
        if mask[match.start()]:
            end = text.find("\n", match.start())
            bracket = re.compile(r"[\[({]").search(text, match.start(), end if end > 0 else len(text))
            if bracket:
                end = end_of_brackets(text, bracket.start(), mask)
            mask[match.start():end] = bytes(end - match.start())
    position = 0
    for line in text.splitlines(keepends=True):
        if BLIND_LINES.match(line):
            mask[position:position + len(line)] = bytes(len(line))
        position += len(line)
    return mask


WORD = re.compile(r"[A-Za-z_$][\w$]*|\d[\d_.]*(?:e[+-]?\d+)?")


def end_of_operand(text, start, mask):
    """The position behind a simple operand: a number, a name, a call, a bracket; `None` for anything else."""
    i = start
    if i < len(text) and text[i] == "(":
        i = end_of_brackets(text, i, mask)
    else:
        match = WORD.match(text, i)
        if not match or match.group() in ("try", "await", "if", "switch"):
            return None
        i = match.end()
    while i < len(text):
        if text[i] in "([":
            i = end_of_brackets(text, i, mask)
        elif text[i] == "." and (match := WORD.match(text, i + 1)):
            i = match.end()
        else:
            return i
    return i


def conditions(text, mask):
    """The clauses of `if`, `guard` and `where` that bind nothing, as (start, end)."""
    for match in re.finditer(r"\b(if|guard|where|else if)\s", text):
        if not all(mask[match.start():match.end()]):
            continue
        start, i, depth = match.end(), match.end(), 0
        clauses = []
        while i < len(text):
            if mask[i]:
                if text[i] in "([":
                    depth += 1
                elif text[i] in ")]":
                    depth -= 1
                    if depth < 0:
                        break
                elif depth == 0 and (text[i] in "{:" or text.startswith("else", i) and text[i - 1].isspace()):
                    clauses.append((start, i))
                    break
                elif depth == 0 and text[i] == ",":
                    clauses.append((start, i))
                    start = i + 1
            i += 1
        for start, end in clauses:
            while start < end and text[start].isspace():
                start += 1
            while end > start and text[end - 1].isspace():
                end -= 1
            clause = text[start:end]
            if clause and not re.match(r"(let|var|case|#|Self\.|[A-Z]\w*: )|.*(\bisEmpty\b|\$0|: )", clause, re.S):
                yield start, end
