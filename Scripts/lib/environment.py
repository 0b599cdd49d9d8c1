"""The virtual environments of these scripts, as Scripts/.venv: made on the first run, from Scripts/requirements/*.txt."""

import fcntl
import os
import subprocess
import sys

from console import EX_UNAVAILABLE, Failure, ROOT, note

ENVIRONMENT = ROOT / "Scripts" / ".venv"


def enter(requirements, environment=ENVIRONMENT):
    """Makes sure of Scripts/requirements/`requirements`.txt, and starts the script anew in the environment that has it.

    Packages that others could not live with have an environment of their own.

    Returns if the script runs there already. Runs at the same time wait for each other.
    """
    if sys.version_info < (3, 11):
        raise Failure(f"Python 3.11 or later is needed, this is {sys.version.split()[0]} ({sys.executable})",
                      EX_UNAVAILABLE)
    wanted = ROOT / "Scripts" / "requirements" / f"{requirements}.txt"
    python = environment / "bin" / "python"
    stamp = environment / f"{requirements}.installed"
    text = f"# Python {sys.version_info.major}.{sys.version_info.minor}\n{wanted.read_text()}"
    inside = os.path.realpath(sys.prefix) == os.path.realpath(environment)
    if inside and stamp.exists() and stamp.read_text() == text:
        return
    lock = os.open(wanted.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == text and works(python)):
            if not works(python):
                create(environment)
            note(f"installing {wanted.relative_to(ROOT)} into {environment}")
            pip = run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted])
            if pip.returncode:
                raise Failure(f"cannot install {wanted.relative_to(ROOT)}: {last_line(pip)}; the network is needed once",
                              EX_UNAVAILABLE)
            stamp.write_text(text)
    finally:
        os.close(lock)
    os.execv(python, [str(python), *sys.argv])


def works(python):
    """Whether the environment can be used; the interpreter that it was made with may be gone, or another one."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    check = f"import sys, pip; sys.exit(sys.version_info[:2] != tuple(map(int, '{version}'.split('.'))))"
    return python.exists() and run([python, "-c", check]).returncode == 0


def create(environment):
    arguments = [sys.executable, "-m", "venv", "--clear", environment]
    if run([sys.executable, "-c", "import venv, ensurepip"]).returncode:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        setup = run([ROOT / "Scripts" / "setup", package])
        if setup.returncode:
            raise Failure(f"cannot make a virtual environment: {sys.executable} lacks venv and ensurepip; install them, "
                          f"on Debian and Ubuntu with: apt-get install {package}", EX_UNAVAILABLE)
    made = run(arguments)
    if made.returncode:
        raise Failure(f"cannot make the virtual environment {environment}: {last_line(made)}", EX_UNAVAILABLE)


def run(command):
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")


def last_line(result):
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "no message")
