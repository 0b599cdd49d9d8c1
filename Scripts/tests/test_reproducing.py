"""The parts of Scripts/reproduce."""

import contextlib
import csv
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "lib"), str(Path(__file__).resolve().parents[1])]

from console import Failure  # noqa: E402
from reproducing import errors, headlines, paper, runs  # noqa: E402


class Published(unittest.TestCase):
    def test_every_table_has_rows_and_says_where_it_is_from(self):
        for name in ("attainment", "chunk_size", "coverage", "headline"):
            rows, notes = paper.published(name)
            self.assertTrue(rows, name)
            self.assertTrue(notes, name)

    def test_a_row_that_is_cut_short_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "broken.csv").write_text("# source: nowhere\na,b\n1\n")
            known, paper.PUBLISHED = paper.PUBLISHED, Path(folder)
            self.addCleanup(setattr, paper, "PUBLISHED", known)
            with self.assertRaisesRegex(Failure, "broken.csv: no rows, or a row with fewer fields"):
                paper.published("broken")

    def test_rates_are_written_without_needless_zeros(self):
        self.assertEqual([paper.rate_text(rate) for rate in (1.2, 1.25, 2.0, 1.2 + 0.05 * 2)], ["1.2", "1.25", "2", "1.3"])

    def test_an_empty_field_is_no_number(self):
        self.assertIsNone(paper.number(""))
        self.assertEqual(paper.number("4.5"), 4.5)


class TableOfErrors(unittest.TestCase):
    def setUp(self):
        self.errors = errors.Errors()

    def add(self, unit, value, simulated, precision="value", **more):
        self.errors.add("figure", "quantity", "setting", unit, value, precision, simulated, **more)
        return self.errors.rows[-1]

    def test_times_are_compared_by_their_ratio_and_shares_in_points(self):
        time, share = self.add("ms", 200.0, [210.0, 230.0]), self.add("%", 90.0, [84.0])
        self.assertAlmostEqual(time["error"], 10)
        self.assertEqual((time["error_unit"], time["low"], time["high"]), ("%", 210, 230))
        self.assertAlmostEqual(share["error"], -6)
        self.assertEqual(share["error_unit"], "points")

    def test_verdicts_have_their_bounds(self):
        found = [self.add("ms", 100.0, [value])["verdict"] for value in (104.9, 105.1, 114.9, 84.0, 95.1)]
        self.assertEqual(found, ["close", "fair", "fair", "miss", "close"])

    def test_of_a_bound_only_what_lies_above_is_an_error(self):
        self.assertEqual(self.add("%", 50.0, [20.0], precision="below")["error"], 0)
        self.assertAlmostEqual(self.add("%", 50.0, [58.0], precision="below")["error"], 8)

    def test_what_was_not_simulated_is_an_error(self):
        with self.assertRaisesRegex(Failure, "nothing was simulated for quantity, setting"):
            self.add("ms", 100.0, [None])

    def test_cells_show_precision_and_the_span_of_the_seeds(self):
        self.assertEqual(errors.as_text(self.add("ms", 1500.0, [1450.0, 1550.0], precision="about")),
                         ("~ 1500", "1500", "1450 to 1550", "+0.0 %"))
        self.assertEqual(errors.as_text(self.add("%", 70.0, [64.0])), ("70.0", "64.0", "", "-6.0 points"))

    def test_the_file_has_a_row_for_each(self):
        self.add("ms", 100.0, [103.0])
        self.add("%", 70.0, [64.0], note="a, note")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "errors.csv")
            self.errors.write(path)
            rows = list(csv.DictReader(io.StringIO(path.read_text())))
        self.assertEqual([(row["error"], row["verdict"], row["note"]) for row in rows],
                         [("3", "close", ""), ("-6", "fair", "a, note")])

    def test_the_summary_tells_predicted_misses_from_fitted_ones(self):
        self.add("ms", 100.0, [150.0])
        self.add("ms", 100.0, [150.0], basis=errors.FITTED)
        self.add("ms", 100.0, [101.0])
        self.assertEqual(errors.summary(self.errors), "3 published figures: 1 within 5 % or 5 points, 0 within 15, 2 missed by "
                         "more. 2 of them were predicted rather than fitted to, with 1 of the misses.")
        self.assertEqual(errors.worst(self.errors.rows), "+50.0 %")

    def test_the_printed_table_is_aligned(self):
        self.add("ms", 100.0, [150.0])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            errors.print_table(self.errors)
        header, row = printed.getvalue().splitlines()
        self.assertEqual(header.index("unit"), row.index("ms"))


class Simulated:
    """Runs whose figures are worked out: attainment falls from 1 at a rate of 1 to 0 at 3."""

    def __getitem__(self, key):
        trace, policy, rate, seed, *_ = key
        attainment = max(0.0, min(1.0, (3 - float(rate)) / 2))
        value = 2.0 if policy == "layered" else 4.0
        return {**{name: value for name in ("expert_bytes", "mean_ttft_ms", "mean_e2el_ms", "energy_per_token_mj", "p99_itl_ms",
                                            "mean_iteration_ms", "num_prompts", "tensor_parallel_size", "mean_in_system")},
                **{name: attainment for name in ("slo_attainment", "slo_attainment_ttft", "slo_attainment_tbt")}}

    column = runs.Runs.column


class Plots(unittest.TestCase):
    def test_plots_that_are_figures_of_the_paper_say_which(self):
        import page as pages
        from reproducing import attainment, figures

        with tempfile.TemporaryDirectory() as folder:
            plots = figures.Figures(pages.Page("t"), Path(folder))
            attainment.attainment_figures(Simulated(), errors.Errors(), plots, range(2), "arxiv")
            self.assertTrue(all(Path(folder, f"{name}-dark.svg").exists() for name, *_ in plots.list))
        found = {name: subtitle for name, _, subtitle in plots.list if "The paper's Fig. " in subtitle}
        self.assertEqual(set(found), {"attainment-arxiv-joint", "attainment-arxiv-ttft", "attainment-arxiv-tbt"})
        self.assertTrue(found["attainment-arxiv-joint"].startswith("The paper's Fig. 3. "))
        # Every name that is said to be a figure is that of a plot of some trace.
        self.assertTrue(set(name for name in paper.FIGURES if "arxiv" in name) <= set(found))


class TheRuns(unittest.TestCase):
    def test_capacity_is_where_attainment_crosses_the_level(self):
        rates = [1.0 + 0.1 * i for i in range(20)]
        self.assertAlmostEqual(runs.capacity_of(Simulated(), "arxiv", "chunked", rates, 0), 1.2)

    def test_changes_are_taken_seed_by_seed(self):
        self.assertEqual(runs.change([2.0, 4.0], [3.0, 2.0]), [50.0, -50.0])

    def test_kernels_fall_into_three_groups(self):
        class Kernels:
            def query(self, sql, key):
                return [("expert_mlp", 0.004), ("decode_attention", 0.001), ("prefill_attention", 0.002), ("lm_head", 0.003)]

        self.assertEqual(runs.kernel_groups(Kernels(), "key"), {"moe_ms": 4.0, "attention_ms": 3.0, "other_ms": 3.0})

    def test_the_plan_has_every_run_that_a_headline_reads(self):
        wanted = runs.Runs("sim", "db", "folder")
        runs.plan(wanted, range(2), "prompt.csv")
        asked = set()

        class Watched(Simulated):
            def __getitem__(self, key):
                asked.add(key)
                return super().__getitem__(key)

        values = headlines.headline_values(Watched(), range(2))
        self.assertEqual(asked - set(wanted.wanted), set())
        # Each published headline has a value for each seed, and nothing else has.
        self.assertEqual(set(values), {row["id"] for row in paper.published("headline")[0]})
        self.assertTrue(all(len(value) == 2 for value, _ in values.values()))

    def test_every_run_is_of_the_papers_system(self):
        wanted = runs.Runs("sim", "db", "folder")
        runs.plan(wanted, range(1), "prompt.csv")
        for arguments in wanted.wanted.values():
            text = " ".join(map(str, arguments))
            self.assertIn(" ".join(paper.SYSTEM), text)
            self.assertTrue(text.endswith("--db db"), text)
        # One prompt for each chunk size, in whole.
        prompts = [key for key in wanted.wanted if key[0] == "prompt"]
        self.assertEqual(len(prompts), len(paper.published("chunk_size")[0]))


if __name__ == "__main__":
    unittest.main()
