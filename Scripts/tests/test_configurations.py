"""Tests of the check of configurations, on a program made up here."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import configurations  # noqa: E402: beside this file

PATH = Path("a--b/config.json")
REFUSED = "sim: a--b/config.json: field 'model_type' is 'kimi_linear' (its delta attention (KDA) has no law here); expected one of llama"


class Outcomes(unittest.TestCase):
    def outcome(self, answers):
        """The outcome, and the options of each attempt."""
        asked = []

        def attempt(options):
            asked.append(options)
            return answers(options)
        return configurations.outcome(PATH, "b200", attempt), asked

    def test_more_gpus_are_tried_until_the_weights_fit(self):
        def answers(options):
            gpus = options[options.index("--tp") + 1]
            return (0, "") if gpus >= 4 else (65, "sim: no memory is left for KV blocks on b200 with 1 GPUs")
        found, asked = self.outcome(answers)
        self.assertEqual((found.gpus, len(asked)), (4, 3))
        self.assertTrue(found.is_sound)

    def test_ranks_that_share_experts_come_last(self):
        found, asked = self.outcome(lambda options: (0 if "--data-parallel-size" in options else 65, "sim: no memory is left"))
        self.assertEqual((found.gpus, len(asked)), (32, 6))

    def test_heads_that_cannot_be_split_do_not_end_the_search(self):
        def answers(options):
            fits = "--enable-expert-parallel" in options and options[options.index("--data-parallel-size") + 1] == 4
            return (0, "") if fits else (65, "sim: model 'x': heads 24 cannot be split")
        self.assertEqual(self.outcome(answers)[0].gpus, 64)

    def test_what_is_refused_for_a_known_reason_is_sound_and_tried_once(self):
        found, asked = self.outcome(lambda options: (65, REFUSED))
        self.assertEqual((found, len(asked)), (configurations.Outcome(None, REFUSED), 1))
        self.assertTrue(found.is_sound)

    def test_crashes_and_bare_errors_are_not(self):
        for error in ["", "*** Program crashed\n\nThread 0", "sim: a/config.json: field 'quant_algo' is 'X'; expected 'FP8'",
                      "sim: no memory is left for KV blocks"]:
            self.assertFalse(self.outcome(lambda options: (1, error))[0].is_sound, error)

    def test_the_table_counts_by_type(self):
        outcomes = [configurations.Outcome(1, ""), configurations.Outcome(8, ""), configurations.Outcome(None, REFUSED)]
        lines = configurations.table(["llama", "llama", "kimi_k3"], outcomes).splitlines()
        self.assertEqual([line.split() for line in lines[1:]], [["kimi_k3", "1", "0"], ["llama", "2", "2", "1-8"]])


if __name__ == "__main__":
    unittest.main()
