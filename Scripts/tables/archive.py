"""The wheel with the kernel tables, and the CSV files that come of them."""

import csv
import functools
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from console import EX_DATAERR, Failure, written_whole

LICENCE = "Apache-2.0, Copyright NVIDIA CORPORATION & AFFILIATES; rows selected, columns renamed, units changed"


def download(package, version, directory):
    """Fetches a wheel from PyPI and returns its path."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary", ":all:", "--platform", "manylinux_2_28_x86_64", "--python-version", "3.11",
         "--dest", directory, f"{package}=={version}"], check=True)
    return next(Path(directory).glob("*.whl"))


class Archive:
    """A wheel, read without installing it."""

    def __init__(self, path, sha256, root):
        self.digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        if self.digest != sha256:
            raise Failure(f"{path}: SHA-256 is {self.digest}, expected {sha256}", EX_DATAERR)
        self.zip, self.root = zipfile.ZipFile(path), root
        self.names = set(self.zip.namelist())

    def text(self, path):
        return self.zip.read(f"{self.root}/{path}").decode()

    def versions(self, system, folder, framework, table):
        """The versions of a framework that a table was measured with, newest first; development builds are left out."""
        pattern = re.compile(f"{self.root}/data/{system}/{folder}/{framework}/([0-9][^/]*)/{table}.parquet")
        found = [match[1] for name in self.names if (match := pattern.fullmatch(name))]
        return sorted(found, key=lambda version: [int(n) for n in re.findall(r"\d+", version)], reverse=True)

    @functools.lru_cache(maxsize=4)
    def read(self, system, folder, framework, version, table):
        import pandas

        path = f"data/{system}/{folder}/{framework}/{version}/{table}.parquet"
        return pandas.read_parquet(io.BytesIO(self.zip.read(f"{self.root}/{path}")))


class Microseconds(float):
    """A time that sorts as a number and prints with four significant digits."""

    def __new__(cls, milliseconds):
        return super().__new__(cls, f"{milliseconds * 1000:.4g}")

    def __str__(self):
        return f"{float(self):.8g}"

    __repr__ = __str__


def write(path, head, columns, rows):
    """Writes `# key: value` lines, a header and rows, as a whole or not at all. Returns the bytes written."""
    text = io.StringIO()
    text.writelines(f"# {key}: {value}\n" for key, value in [*head, ("rows", len(rows))])
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with written_whole(path) as partial:
        partial.write_text(text.getvalue())
    return len(text.getvalue())
