"""Where the program is, and how it is called."""

import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path


class SimError(Exception):
    """What the program refused, in its own line; `status` is its exit status (sysexits.h)."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


def program():
    """The program's path: $SIM, `sim` on the PATH, or what `swift build` has made around the working folder."""
    if given := os.environ.get("SIM"):
        if os.access(given, os.X_OK):
            return given
        raise SimError(f"SIM={given} is not a program", 69)
    if found := shutil.which("sim"):
        return found
    here = Path.cwd()
    for folder in [here, *here.parents, *Path(__file__).resolve().parents]:
        for build in ("release", "debug"):
            built = folder / ".build" / build / "sim"
            if (folder / "Package.swift").exists() and os.access(built, os.X_OK):
                return str(built)
    raise SimError("no program 'sim': build it with 'swift build -c release', or name it in the environment variable SIM", 69)


def arguments(options):
    """Options of the command line: `_` stands for `-`, a list for a list of values, `True` for a flag; None is left out.

    Limits of `slo` are words of their own, as are settings of `engine_set` and `hardware_set`, which are repeated.
    """
    words = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(option)
        elif name == "slo" and isinstance(value, (list, tuple)):
            words += [option, *map(str, value)]
        elif name in ("engine_set", "hardware_set"):
            settings = [f"{key}={one}" for key, one in value.items()] if isinstance(value, dict) else (
                [value] if isinstance(value, str) else value)
            for setting in settings:
                words += [option, str(setting)]
        elif isinstance(value, dict):
            words += [option, json.dumps(value)]
        elif isinstance(value, (list, tuple, range)):
            words += [option, ",".join(map(str, value))]
        else:
            # A value that begins with a dash is no option.
            words.append(f"{option}={value}")
    return words


def call(words):
    """Standard output of the program; its remarks become warnings, its refusal an error."""
    done = subprocess.run([program(), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    lines = [line.removeprefix("sim: ") for line in done.stderr.splitlines() if line.strip()]
    # A sweep of which some points cannot be has a table all the same, and says which by its status.
    if done.returncode and not (words[0] == "sweep" and done.stdout.startswith("[")):
        raise SimError(lines[-1] if lines else f"sim ended with status {done.returncode}", done.returncode)
    for line in lines:
        if not line.startswith("\r"):
            warnings.warn(line, stacklevel=3)
    return done.stdout
