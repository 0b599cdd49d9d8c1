"""Tests of the package against the program."""

import os
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Scripts" / "python"))
os.chdir(ROOT)

import sim_serving as sim
from sim_serving.program import arguments

SMALL = {"trace": "arxiv", "num_prompts": 5, "request_rate": 1}


class Options(unittest.TestCase):
    def test_names_lists_and_flags_are_written_as_on_the_command_line(self):
        self.assertEqual(arguments({"request_rate": 1.5, "policy": ["a", "b"], "shuffle": True, "seed": None, "x": False}),
                         ["--request-rate=1.5", "--policy", "a,b", "--shuffle"])

    def test_limits_are_words_and_settings_are_repeated(self):
        self.assertEqual(arguments({"slo": ["ttft:1s", "tbt:50ms"], "engine_set": {"a.b": 1, "c.d": 2}}),
                         ["--slo", "ttft:1s", "tbt:50ms", "--engine-set", "a.b=1", "--engine-set", "c.d=2"])

    def test_a_dictionary_is_json(self):
        self.assertEqual(arguments({"speculative_config": {"method": "ngram"}}),
                         ["--speculative-config", '{"method": "ngram"}'])


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.db = str(Path(self.folder.name) / "r.sqlite")
        self.addCleanup(self.folder.cleanup)

    def test_a_run_is_a_series_of_figures(self):
        run = sim.run(policy="layered", **SMALL)
        self.assertEqual(run["completed"], 5)
        self.assertTrue(run["policy"].startswith("layered["))
        self.assertGreater(run["mean_ttft_ms"], 10)

    def test_a_sweep_is_a_row_a_point_and_goes_on(self):
        first = sim.sweep(self.db, policy=["chunked", "layered"], seed="0:1", **SMALL)
        again = sim.sweep(self.db, policy=["chunked", "layered"], seed="0:2", **SMALL)
        self.assertEqual((len(first), len(again)), (4, 6))
        merged = first.merge(again, on="run_id")
        self.assertEqual(len(merged), 4)
        self.assertTrue((merged["mean_ttft_ms_x"] == merged["mean_ttft_ms_y"]).all())

    def test_a_query_is_a_frame_of_what_runs_logged(self):
        run = sim.run(db=self.db, policy="chunked", **SMALL)
        frame = sim.query("SELECT avg(ttft_ms) AS mean, count(*) AS n FROM requests", self.db)
        self.assertEqual(frame["n"][0], 5)
        self.assertAlmostEqual(frame["mean"][0], run["mean_ttft_ms"], places=6)
        self.assertEqual(len(sim.query("runs", self.db)), 1)
        self.assertEqual(len(sim.query("SELECT 1 WHERE 0", self.db)), 0)

    def test_a_tuning_is_a_row_a_policy_and_marks_the_winner(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = sim.tune(policy=["chunked", "layered"], slo=["tbt:30ms", "ttft:10s"], trace="arxiv", num_prompts=300)
        self.assertEqual(sorted(frame["policy"]), ["chunked", "layered"])
        self.assertLessEqual(frame["wins"].sum(), 1)
        self.assertTrue((frame["request_rate"] > 0).all())

    def test_a_refusal_is_an_error_with_its_line_and_status(self):
        with self.assertRaises(sim.SimError) as caught:
            sim.run(policy="layred")
        self.assertIn("did you mean 'layered'", str(caught.exception))
        self.assertEqual(caught.exception.status, 64)

    def test_remarks_are_warnings(self):
        with self.assertWarnsRegex(UserWarning, "positions"):
            sim.run(model="qwen3-8b", max_model_len=1000000, **SMALL)


if __name__ == "__main__":
    unittest.main()
