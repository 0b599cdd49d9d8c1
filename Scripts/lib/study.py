"""What studies share: the program, its tables as rows, and the choice of tables."""

import argparse
import json
import subprocess

from console import EX_USAGE, Failure, run_main
from simulator import build

_program = None


def program():
    """The simulator, built once."""
    global _program
    _program = _program or build()
    return _program


def call(arguments):
    """What `sim` prints; its one line of error becomes a `Failure` with the same status."""
    result = subprocess.run([program(), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"sim ended with status {result.returncode}"]
        raise Failure(f"sim {' '.join(map(str, arguments))}: {lines[-1]}", max(result.returncode, 1))
    return result.stdout


def rows(arguments):
    """A table of `sim` as a list of rows, or a run as one object."""
    return json.loads(call([*arguments, "--json"]))


def run(arguments):
    """A run that is not logged."""
    return rows(["run", "--no-db", *arguments])


def main(documentation, tables):
    """Prints the tables that the command line names, or all."""
    def entry():
        names = [table.__name__.replace("_", "-") for table in tables]
        parser = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.error = lambda message: (_ for _ in ()).throw(Failure(f"{message}; see --help", EX_USAGE))
        parser.add_argument("tables", nargs="*", metavar="table", help=f"all, or some of: {', '.join(names)}")
        given = parser.parse_args()
        if unknown := set(given.tables) - set(names):
            raise Failure(f"unknown table '{sorted(unknown)[0]}': expected {', '.join(names)}", EX_USAGE)
        for name, table in zip(names, tables):
            if not given.tables or name in given.tables:
                table()
    run_main(entry)
