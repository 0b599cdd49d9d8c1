"""Changes of a file: of its bytes, of a number in it, of its JSON, of its rows and columns."""

import json
import re

NUMBERS = ["0", "-1", "-0.0", "1e309", "1e308", "-1e308", "1e-308", "1e9", "1e18", "0.5", "1.5", "2147483647", "2147483648",
           "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "NaN", "Infinity", "-Infinity",
           "1e-9", "0x10", "1_000", "00", "+1", "1e", "1" * 400, "16777216", "65536", "3"]
WORDS = [b"", b"null", b"\"\"", b"{}", b"[]", b"true", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b",,", b"\"",
         b"[" * 3000, b"{\"a\":" * 2000, b"\\ud800", b"\x1b[31m", "\u202e\u00e9\u6f22".encode(), b"%s%n", b"A" * 5000, b"../../x"]
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def mutate(data, draw):
    """The changed bytes, and what was done in a few words."""
    for _ in range(8):
        change = draw.choices([byte_change, number_change, json_change, row_change], [2, 4, 4, 3])[0]
        try:
            if result := change(data, draw):
                return result
        except RecursionError:  # JSON nested too deeply for Python.
            continue
    return byte_change(data, draw)


def byte_change(data, draw):
    place = draw.randrange(len(data) + 1)
    kind = draw.choice(["flip", "cut", "drop", "double", "insert", "splice"])
    if kind == "flip" and data:
        changed = bytearray(data)
        for _ in range(draw.choice([1, 1, 4, 30])):
            changed[draw.randrange(len(data))] = draw.randrange(256)
        return bytes(changed), "bytes flipped"
    if kind == "cut":
        return data[:place], f"cut at {place}"
    end = min(len(data), place + draw.choice([1, 2, 10, 200]))
    if kind == "drop":
        return data[:place] + data[end:], f"dropped {place} to {end}"
    if kind == "double":
        return data[:end] + data[place:end] * draw.choice([1, 3]) + data[end:], f"doubled {place} to {end}"
    if kind == "splice":
        other = draw.randrange(len(data) + 1)
        return data[:place] + data[other:other + 300], f"spliced at {place}"
    word = draw.choice(WORDS)
    return data[:place] + word + data[place:], f"{word[:12]!r} at {place}"


def number_change(data, draw):
    """One number becomes another one; in JSON its path is told."""
    found = list(NUMBER.finditer(data))
    if not found:
        return None
    one = draw.choice(found)
    new = draw.choice(NUMBERS)
    before = data[max(0, one.start() - 50):one.start()].decode("utf-8", "replace").replace("\n", " ")
    return data[:one.start()] + new.encode() + data[one.end():], f"...{before[-40:]}{one.group().decode()} -> {new[:24]}"


def json_change(data, draw):
    """A key or an element is dropped, doubled, renamed, or has another value."""
    try:
        value = json.loads(data)
    except ValueError:
        lines = data.split(b"\n")
        place = draw.randrange(len(lines))
        if not lines[place].startswith(b"{") or not (changed := json_change(lines[place], draw)):
            return None
        lines[place] = changed[0]
        return b"\n".join(lines), f"line {place + 1}: {changed[1]}"
    places = list(containers(value, ""))
    if not places:
        return None
    container, path = draw.choice(places)
    key = draw.choice(list(container) if isinstance(container, dict) else range(len(container)))
    kind = draw.choice(["drop", "value", "value", "value", "rename", "swap", "grow"])
    where = f"{path}/{key}"
    if kind == "drop":
        del container[key]
    elif kind == "rename" and isinstance(container, dict):
        container[draw.choice(["", key.upper(), key + "_", "x" * 3000])] = container.pop(key)
    elif kind == "swap":
        other, _ = draw.choice(places)
        container[key] = json.loads(json.dumps(other))
    elif kind == "grow" and isinstance(container, list):
        container.extend([container[key]] * draw.choice([1, 100, 5000]))
    else:
        new = draw.choice([None, True, "", "x", [], {}, [[]], 0, -1, 1, 1e9, -1e9, 1e300, 1e-300, 0.5, 2**31, 2**63, 2**64,
                           [1, 2], {"a": 1}, "1e9", float("nan"), float("inf"), 10, 100, 1000, 10**6])
        container[key] = new
        where += f" = {new!r}"
    return json.dumps(value).encode(), f"{kind} {where}"[:200]


def containers(value, path):
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    if isinstance(value, (dict, list)) and value:
        yield value, path
    for key, child in children:
        yield from containers(child, f"{path}/{key}")


def row_change(data, draw):
    """Rows and fields of a table are dropped, doubled, moved, emptied."""
    lines = data.split(b"\n")
    if len(lines) < 3 or b"," not in lines[0] + lines[1]:
        return None
    kind = draw.choice(["drop row", "double row", "swap rows", "header only", "drop column", "double column", "field", "field",
                        "rename column", "extra field"])
    row = draw.randrange(len(lines))
    if kind == "drop row":
        del lines[row]
    elif kind == "double row":
        lines[row:row] = [lines[row]] * draw.choice([1, 50])
    elif kind == "swap rows":
        other = draw.randrange(len(lines))
        lines[row], lines[other] = lines[other], lines[row]
    elif kind == "header only":
        del lines[1:]
    else:
        head = next((place for place, line in enumerate(lines) if not line.startswith(b"#")), 0)
        column = draw.randrange(lines[head].count(b",") + 1)
        rows = range(len(lines)) if "column" in kind else [row]
        rows = [head] if kind == "rename column" else rows
        for place in rows:
            fields = lines[place].split(b",")
            if column >= len(fields):
                continue
            if kind == "drop column":
                del fields[column]
            elif kind == "double column":
                fields.insert(column, fields[column])
            elif kind == "extra field":
                fields.append(b"1")
            elif kind == "rename column":
                fields[column] = draw.choice([b"", b"x", fields[column].upper(), fields[column] + b" "])
            else:
                fields[column] = draw.choice([draw.choice(NUMBERS).encode(), draw.choice(WORDS)])
            lines[place] = b",".join(fields)
    return b"\n".join(lines), f"{kind} {row}"
