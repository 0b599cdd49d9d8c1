"""Errors as one line and a status of sysexits.h, for every script here."""

import contextlib
import os
import sys
from pathlib import Path

EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_SOFTWARE = 64, 65, 66, 69, 70
EX_CANTCREAT, EX_IOERR, EX_TEMPFAIL = 73, 74, 75

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = f"Scripts/{Path(sys.argv[0]).name}"


class Failure(Exception):
    """What is wrong and what would be right, in one line; and the status to exit with."""

    def __init__(self, message, status=EX_SOFTWARE):
        super().__init__(" ".join(str(message).split()))
        self.status = status


def note(message):
    """Tells how things go, on standard error: standard output belongs to results."""
    print(f"{NAME}: {message}", file=sys.stderr, flush=True)


def run_main(main):
    """Runs a script's main function; whatever goes wrong ends in one line, never in a traceback."""
    try:
        sys.exit(main())
    except Failure as failure:
        note(failure)
        sys.exit(failure.status)
    except KeyboardInterrupt:
        note("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        note(f"{where}{error.strerror or error}")
        sys.exit(EX_IOERR)
    except Exception as error:  # A mistake of ours: still one line, with the place to look at.
        if os.environ.get("SCRIPTS_TRACEBACK"):
            raise
        frame = error.__traceback__
        while frame.tb_next:
            frame = frame.tb_next
        place = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
        text = " ".join(str(error).split())
        note(f"internal error at {place}: {type(error).__name__}: {text} (SCRIPTS_TRACEBACK=1 shows more)")
        sys.exit(EX_SOFTWARE)


@contextlib.contextmanager
def written_whole(path):
    """A path beside `path` to write to; it takes its name at the end, so that readers find all of it or nothing."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", EX_CANTCREAT) from None
    finally:
        partial.unlink(missing_ok=True)
