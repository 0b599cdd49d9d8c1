"""Merging result databases: each run once, known by the hash of its configuration."""

import sqlite3
from pathlib import Path

import results
from console import EX_CANTCREAT, EX_DATAERR, Failure

LEVELS = ["requests", "iterations", "kernels"]


def merge(shard, target):
    """Copies the runs of `shard` that `target` lacks, in one transaction; returns how many were copied, and how many there are.

    A run is there already if it has the same `config_hash` and keeps at least as much. The target is made if need be.
    """
    shard, target = Path(shard), Path(target)
    source = results.connect(shard)
    try:
        check(source, shard)
        try:
            connection = sqlite3.connect(target, timeout=60, isolation_level=None)
        except sqlite3.Error as error:
            raise Failure(f"cannot open {target}: {error}", EX_CANTCREAT) from None
        try:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                connection.execute(f"PRAGMA page_size = {source.execute('PRAGMA page_size').fetchone()[0]}")
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # A transaction that is lost with the power is done again.
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                copy_schema(source, connection)
            results.check_schema(connection, target)
            counts = copy_runs(source, connection, shard)
            connection.execute("COMMIT")
            return counts
        except sqlite3.Error as error:
            raise Failure(f"{shard} into {target}: {error}", EX_DATAERR) from None
        finally:
            connection.close()  # Without COMMIT nothing of the shard stays.
    finally:
        source.close()


def check(connection, path):
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise Failure(f"{path}: damaged: {found}", EX_DATAERR)


def copy_schema(source, target):
    order = "CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid"
    for (statement,) in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' "
                                       f"ORDER BY {order}"):
        target.execute(statement)
    target.executemany("INSERT INTO lanes (lane) VALUES (?)", map(tuple, source.execute("SELECT lane FROM lanes")))
    for pragma in ("application_id", "user_version"):
        target.execute(f"PRAGMA {pragma} = {source.execute(f'PRAGMA {pragma}').fetchone()[0]}")


def columns_of(connection, table):
    """The stored columns: generated ones cannot be written."""
    return [row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0]


def copy_runs(source, target, path):
    tables = [row[0] for row in source.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'runs' "
        "AND EXISTS (SELECT 1 FROM pragma_table_xinfo(sqlite_master.name) AS c WHERE c.name = 'run_id')")]
    columns = {table: columns_of(source, table) for table in ["runs", *tables]}
    for table, names in columns.items():
        if sorted(names) != sorted(columns_of(target, table)):
            raise Failure(f"{path}: its table {table} has other columns than the target's", EX_DATAERR)
    copied = there = 0
    for run_id, config_hash, level in source.execute("SELECT run_id, config_hash, log_level FROM runs ORDER BY run_id"):
        enough = LEVELS[LEVELS.index(level):] if level in LEVELS else [level]
        if config_hash and target.execute(
                f"SELECT 1 FROM runs WHERE config_hash = ? AND log_level IN ({','.join('?' * len(enough))})",
                (config_hash, *enough)).fetchone():
            there += 1
            continue
        names = [name for name in columns["runs"] if name != "run_id"]
        new_id = target.execute(
            f"INSERT INTO runs ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            tuple(source.execute(f"SELECT {', '.join(names)} FROM runs WHERE run_id = ?", (run_id,)).fetchone())).lastrowid
        for table in tables:
            names = [name for name in columns[table] if name != "run_id"]
            rows = source.execute(f"SELECT {', '.join(names)} FROM {table} WHERE run_id = ?", (run_id,))
            target.executemany(f"INSERT INTO {table} (run_id, {', '.join(names)}) VALUES ({new_id}, "
                               f"{', '.join('?' * len(names))})", map(tuple, rows))
        copied += 1
    return copied, there
