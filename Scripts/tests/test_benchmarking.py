"""The parts of Scripts/benchmark."""

import contextlib
import io
import sqlite3
import sys
import tempfile
import types
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "lib"), str(Path(__file__).resolve().parents[1])]

from benchmarking import baseline, processes, suite, tables  # noqa: E402
from console import Failure  # noqa: E402


class Baseline(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "baseline.csv"

    def test_rows_that_were_not_measured_again_stay(self):
        self.assertEqual(baseline.read_baseline(self.path), {})
        baseline.save_baseline(self.path, {"a": {"wall": 1.5}, "b": {"instructions": 200.0}}, {}, "abc", "2026-01-01")
        known = baseline.read_baseline(self.path)
        baseline.save_baseline(self.path, {"a": {"wall": 2.5}}, known, "def", "2026-01-02")
        rows = baseline.read_baseline(self.path)
        self.assertEqual({key: (row["value"], row["commit"]) for key, row in rows.items()},
                         {("a", "wall"): (2.5, "def"), ("b", "instructions"): (200.0, "abc")})

    def test_a_broken_baseline_is_named(self):
        for text in ("name,metric,value\na,wall,fast\n", "nothing\n1\n"):
            self.path.write_text(text)
            with self.assertRaisesRegex(Failure, "baseline.csv: a row lacks a name, a metric or a number"):
                baseline.read_baseline(self.path)

    def test_the_committed_baseline_can_be_read(self):
        rows = baseline.read_baseline(baseline.BASELINE)
        self.assertTrue(rows)
        self.assertTrue(all(row["unit"] == baseline.UNITS[metric] for (_, metric), row in rows.items()))

    def test_only_instructions_decide_and_only_beyond_the_tolerance(self):
        known = {(name, metric): {"value": 100.0} for name in "abcd" for metric in ("instructions", "wall")}
        changes = baseline.compare({"a": {"instructions": 103.0}, "b": {"instructions": 101.9}, "c": {"instructions": 90.0},
                                    "d": {"wall": 900.0}, "new": {"instructions": 5.0}}, known)
        self.assertEqual({name: mark for name, (_, mark) in changes.items()}, {"a": "SLOWER", "b": "", "c": "faster"})
        self.assertAlmostEqual(changes["a"][0], 0.03)

    def test_measurements_are_appended(self):
        path = self.folder / "deep" / "benchmarks.sqlite"
        for value in (1.0, 2.0):
            baseline.store(path, {"a": {"wall": value, "peak_memory": 3.0}}, "abc", "2026-01-01T00:00:00", "Swift")
        with sqlite3.connect(path) as database:
            rows = database.execute("SELECT benchmark_id, metric, value, unit FROM measurements ORDER BY 1, 2").fetchall()
        database.close()
        self.assertEqual(rows, [(1, "peak_memory", 3.0, "MiB"), (1, "wall", 1.0, "s"), (2, "peak_memory", 3.0, "MiB"),
                                (2, "wall", 2.0, "s")])


class Processes(unittest.TestCase):
    def test_a_process_is_timed_and_its_output_kept(self):
        run = processes.Measured([sys.executable, "-c", "print('out'); x = list(range(10**6))"])
        self.assertEqual(run.output, "out\n")
        self.assertTrue(0 < run.cpu and 0 < run.wall < 60 and run.peak > 1)

    def test_a_process_that_fails_is_named_with_its_first_line(self):
        with self.assertRaisesRegex(Failure, "first line$"):
            processes.Measured([sys.executable, "-c", "import sys; sys.exit('first line')"])


class Suite(unittest.TestCase):
    def benchmark(self, **options):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        usual = {"only": None, "repeat": 3, "seconds": 60, "patience": 15, "full": False}
        return suite.Benchmark("sim", Path(folder.name), types.SimpleNamespace(**usual | options))

    def test_only_chosen_rows_are_measured(self):
        benchmark = self.benchmark(only=["batch", "start"])
        self.assertEqual([benchmark.wanted(name) for name in ("decode batch 10", "start-up", "sweep")], [True, True, False])
        self.assertEqual(list(benchmark.rows), ["decode batch 10", "start-up"])

    def test_a_run_that_would_take_too_long_is_told(self):
        benchmark = self.benchmark(patience=15)
        self.assertTrue(benchmark.affordable("first", None))
        self.assertTrue(benchmark.affordable("next", (1.4, 10)))
        self.assertFalse(benchmark.affordable("last", (1.6, 10)))
        self.assertEqual(benchmark.notes, ["not run: last: it would take about 16 s (--patience 15)"])
        self.assertFalse(benchmark.affordable("huge", (0.1, 1e15)))
        self.assertIn("fills the disk", benchmark.notes[-1])

    def test_the_least_of_several_runs_counts(self):
        benchmark = self.benchmark(repeat=2)
        benchmark.wanted("row")
        output = benchmark.least("row", [sys.executable, "-c", "print(5)"], output=int)
        self.assertEqual(output, 5)
        self.assertEqual(set(benchmark.rows["row"]), {"wall", "cpu", "peak_memory"})

    def test_a_batch_is_a_trace_of_equal_sequences(self):
        benchmark = self.benchmark()
        command = benchmark.decode_command(10, 1000, 2)
        lines = Path(command[command.index("--trace") + 1]).read_text().splitlines()
        self.assertEqual((len(lines), set(lines[1:])), (21, {"0.0,16,1000"}))


class Table(unittest.TestCase):
    def printed(self, function, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            function(*arguments)
        return printed.getvalue()

    def test_rows_stand_under_their_columns(self):
        text = self.printed(tables.table, {"a": {"wall": 1.234, "requests_per_s": 12345.0}, "empty": {},
                                           "b": {"instructions": 4.2e6}}, {"b": (0.031, "SLOWER")})
        lines = text.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertTrue(len({len(line) for line in lines}) == 1)
        self.assertIn("1.23", lines[2])
        self.assertIn("12,345", lines[2])
        self.assertIn("4.2 M in all", lines[3])
        self.assertIn("+3.1% SLOWER", lines[3])

    def test_ratios_are_of_instructions(self):
        rows = {"decode batch 250": {"instructions_per_iteration": 300.0}, "decode batch 10": {"instructions_per_iteration": 200.0},
                "sweep of 40 points, 1 thread": {"wall": 3.0}, "sweep of 40 points, 2 threads": {"wall": 2.0}}
        self.assertEqual(self.printed(tables.ratios, rows), "instructions, decode batch 250 / 10: 1.50\n"
                         "speed-up of the sweep by the second thread: 1.50\n")


if __name__ == "__main__":
    unittest.main()
