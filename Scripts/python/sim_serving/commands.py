"""The commands, each with the options of the command line."""

import json

import pandas

from .program import arguments, call


def run(db=None, **options):
    """One run: a Series of its figures by their names (`sim list figures`). Without `db` nothing is logged."""
    where = ["--no-db"] if db is None else ["--db", str(db)]
    return pandas.Series(json.loads(call(["run", *arguments(options), *where, "--json"])))


def sweep(db, **options):
    """The product of all lists and ranges: a row each point. What the database has already is not run again."""
    words = ["sweep", *arguments(options), "--db", str(db), "--json"]
    return pandas.DataFrame(json.loads(call(words)))


def capacity(**options):
    """The largest rate at which each policy meets its objective: a row each."""
    return pandas.DataFrame(json.loads(call(["capacity", *arguments(options), "--json"])))


def tune(**options):
    """Each policy at its best for each objective: a row each, the winner marked."""
    found = json.loads(call(["tune", *arguments(options), "--json"]))
    rows = [{"objective": objective["objective"], **policy, "wins": policy["policy"] == objective["winner"]}
            for objective in found["objectives"] for policy in objective["policies"]]
    return pandas.DataFrame(rows)


def plan(request_rate, **options):
    """How many GPUs serve a rate: a row for each system and policy, the cheapest first."""
    words = ["plan", *arguments({"request_rate": request_rate, **options}), "--json"]
    return pandas.DataFrame(json.loads(call(words)))


def query(sql, db, run=None):
    """What a named query (`sim query list`) or a SELECT finds."""
    text = call(["query", sql, *arguments({"db": db, "run": run}), "--format", "json"])
    return pandas.DataFrame(json.loads(text) if text.strip() else [])
