"""Manual pages out of what the program says of itself."""

import re


def escaped(text):
    """A line as roff takes it: no escapes, no control lines, plain hyphens."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def paragraphs(text):
    """Running text fills lines; indented lines, such as examples, stay as they are."""
    for part in re.split(r"\n\s*\n", text or ""):
        lines = part.splitlines()
        yield ".PP"
        plain = [line for line in lines if not line.startswith(" ")]
        yield from map(escaped, plain)
        if kept := [line for line in lines if line.startswith(" ")]:
            yield from [".nf", *map(escaped, kept), ".fi"]


def spelling(argument):
    """An option or argument with its names and value, in roff."""
    if argument["kind"] == "positional":
        return f"\\fI{escaped(argument['valueName'])}\\fR"
    names = [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument.get("names", [])]
    value = f" \\fI{escaped(argument['valueName'])}\\fR" if argument["kind"] == "option" else ""
    return ", ".join(f"\\fB{escaped(name)}\\fR" for name in names) + value


def page(command, parents, version):
    """The page of a command, in section 1."""
    name = "-".join([*parents, command["commandName"]])
    lines = [f'.TH "{name.upper()}" "1" "" "{escaped(version)}" "sim"', ".SH NAME",
             f"{escaped(name)} \\- {escaped(command.get('abstract', '').replace(chr(10), ' '))}", ".SH SYNOPSIS"]
    children = [child["commandName"] for child in command.get("subcommands", []) if child["commandName"] != "help"]
    words = " ".join([*parents, command["commandName"]])
    lines.append(f"\\fB{escaped(words)}\\fR " + ("\\fIcommand\\fR [options]" if children else "[options]"))
    if command.get("discussion"):
        lines += [".SH DESCRIPTION", *list(paragraphs(command["discussion"]))[1:]]
    section = None
    for argument in command.get("arguments", []):
        if not argument.get("shouldDisplay", True):
            continue
        title = (argument.get("sectionTitle") or "Options").upper()
        if title != section:
            lines.append(f'.SH "{escaped(title)}"')
            section = title
        fallback = argument.get("defaultValue")
        about = argument.get("abstract", "").replace("\n", " ")
        lines += [".TP", spelling(argument), escaped(about + (f" (default: {fallback})" if fallback else ""))]
    if children:
        lines.append(".SH COMMANDS")
        for child in command["subcommands"]:
            if child["commandName"] != "help":
                lines += [".TP", f"\\fB{escaped(child['commandName'])}\\fR", escaped(child.get("abstract", "").replace("\n", " "))]
        see = [f"\\fB{escaped('-'.join([*parents, command['commandName'], child]))}\\fR(1)" for child in children]
        lines += [".SH SEE ALSO", ", ".join(see)]
    return name, "\n".join(lines) + "\n"


def pages(command, version, parents=()):
    """The pages of a command and of all beneath it: names and texts."""
    yield page(command, list(parents), version)
    for child in command.get("subcommands", []):
        if child["commandName"] != "help":
            yield from pages(child, version, [*parents, command["commandName"]])
