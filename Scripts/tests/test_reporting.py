"""Tests of what Scripts/report is made of, on databases made here."""

import json
import re
import sqlite3
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Scripts" / "lib"), str(ROOT / "Scripts")]

import charts  # noqa: E402: beside this file
import results  # noqa: E402
from reporting import capacities, paper, plans, rates, words  # noqa: E402
from reporting.comparison import Comparison  # noqa: E402

CONFIG = {"workload": {"trace": "arxiv"}, "objective": {"ttft_s": 10, "tbt_s": 0.125},
          "cluster": {"pools": [{"instances": 1, "system": {"model": "m", "hardware": "h"}}]}}
COLUMNS = ["run_id", "config_hash", "completed", "policy", "model", "hardware", "engine", "trace", "tensor_parallel_size", "seed",
           "request_rate", "slo_attainment", "mean_e2el_ms", "p99_ttft_ms", "p99_itl_ms", "energy_per_token_mj", "energy_quality",
           "expert_bytes", "total_input_tokens", "total_output_tokens", "config", "extra", "profile_sha256", "trace_sha256",
           "results_revision"]


def database(attainment):
    """Runs of two policies at three rates with two seeds; `attainment(policy, rate, seed)` is theirs."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute(f"CREATE TABLE runs ({', '.join(COLUMNS)})")
    number = 0
    for policy in ("chunked[budget=512]", "layered[stages=16]"):
        for rate in (1.0, 1.5, 2.0):
            for seed in (0, 1):
                number += 1
                row = dict.fromkeys(COLUMNS)
                row |= {"run_id": number, "config_hash": str(number), "completed": 10, "policy": policy, "model": "m",
                        "hardware": "h", "engine": "e", "trace": "arxiv", "tensor_parallel_size": 2, "seed": seed,
                        "request_rate": rate, "slo_attainment": attainment(policy, rate, seed), "mean_e2el_ms": 100,
                        "p99_ttft_ms": 50, "p99_itl_ms": 10, "config": json.dumps(CONFIG), "energy_quality": "measured"}
                connection.execute(f"INSERT INTO runs VALUES ({','.join('?' * len(COLUMNS))})", list(row.values()))
    return connection


class Verdicts(unittest.TestCase):
    def comparison(self, attainment):
        found = results.scenarios(database(attainment), "x")
        self.assertEqual(len(found), 1)
        return Comparison(found[0], 0.9)

    def test_the_policy_that_holds_more_wins_by_the_line_between_rates(self):
        # chunked falls from 1.0 at 1.0 to 0.5 at 1.5: 0.9 is at 1.1; layered from 1.0 at 1.5 to 0.5 at 2.0: at 1.6.
        text = self.comparison(lambda policy, rate, seed: max(0.0, min(1.0, 2.0 - rate if policy[0] == "c" else 2.5 - rate))
                               ).verdict()
        self.assertRegex(text, r"^layered holds 1.60 req/s when 90 % .* chunked holds 1.10, so layered takes 45 % more")

    def test_what_holds_everywhere_is_at_least_the_largest_rate(self):
        text = self.comparison(lambda policy, rate, seed: 1.0).verdict()
        self.assertIn("≥ 2.00 req/s", text)

    def test_a_difference_within_the_noise_is_called_so(self):
        noise = {("c", 0): 0.0, ("c", 1): 0.2, ("l", 0): 0.2, ("l", 1): 0.02}
        text = self.comparison(lambda policy, rate, seed: max(0.0, min(1.0, 2.0 - rate + noise[policy[0], seed]))).verdict()
        self.assertIn("within the noise", text)

    def test_means_span_the_seeds(self):
        scenario = self.comparison(lambda policy, rate, seed: 0.5 + seed / 10).scenario
        row = rates.spread_rows(scenario, lambda run: run.slo_attainment)[0]
        self.assertAlmostEqual(row["value"], 0.55)
        self.assertEqual((row["low"], row["high"], row["seeds"]), (0.5, 0.6, 2))


class Capacities(unittest.TestCase):
    COLUMNS = ["capacity_id", "config", "policy", "model", "hardware", "engine", "trace", "tensor_parallel_size",
               "attainment_target", "max_watts", "max_energy_per_token_mj", "request_rate", "request_rate_low",
               "request_rate_high", "limited_by", "mean_watts", "energy_per_token_mj", "runs"]

    def groups(self, rows):
        connection = sqlite3.connect(":memory:")
        connection.row_factory = sqlite3.Row
        connection.execute(f"CREATE TABLE capacities ({', '.join(self.COLUMNS)})")
        for number, (policy, gap, rate) in enumerate(rows):
            config = {**CONFIG, "objective": {"ttft_s": 10, "tbt_s": gap}}
            row = dict.fromkeys(self.COLUMNS) | {
                "capacity_id": number, "config": json.dumps(config), "policy": policy, "model": "m", "hardware": "h", "engine": "e",
                "trace": "arxiv", "tensor_parallel_size": 2, "attainment_target": 0.9, "request_rate": rate, "runs": 7}
            connection.execute(f"INSERT INTO capacities VALUES ({','.join('?' * len(self.COLUMNS))})", list(row.values()))
        return capacities.settings(connection)

    def test_searches_of_one_setting_stand_together_and_the_latest_counts(self):
        group, = self.groups([("chunked[budget=512]", 0.02, 9.0), ("layered", 0.02, 3.0), ("chunked[budget=256]", 0.02, 2.0),
                              ("layered", 0.05, 4.0), ("chunked", 0.05, 5.0)])
        self.assertEqual(capacities.varying_limit(group), "tbt_s")
        found = {objective: [one.policy for one in policies] for objective, policies in capacities.winners(group)}
        self.assertEqual(found, {"TTFT 10000 ms, TBT 20 ms": ["layered", "chunked[budget=256]"],
                                 "TTFT 10000 ms, TBT 50 ms": ["chunked", "layered"]})

    def test_a_policy_without_a_rate_is_the_last(self):
        group, = self.groups([("a", 0.02, None), ("b", 0.02, 1.0)])
        self.assertEqual([one.policy for one in capacities.winners(group)[0][1]], ["b", "a"])


class Plans(unittest.TestCase):
    COLUMNS = ["plan_id", "created_at", "argv", "config", "policy", "model", "hardware", "engine", "trace",
               "tensor_parallel_size", "pipeline_parallel_size", "attainment_target", "request_rate", "instances", "gpus",
               "capacity", "headroom", "utilisation", "limited_by", "kwh_per_day", "energy_per_token_mj", "cost_per_hour",
               "cost_per_million_tokens"]

    def studies(self, rows):
        connection = sqlite3.connect(":memory:")
        connection.row_factory = sqlite3.Row
        connection.execute(f"CREATE TABLE plans ({', '.join(self.COLUMNS)})")
        for number, (command, hardware, gpus, energy, more) in enumerate(rows):
            config = {"objective": {"ttft_s": 1.0}} if gpus else {}
            row = dict.fromkeys(self.COLUMNS) | {
                "plan_id": number, "created_at": command, "argv": f"plan {command}", "config": json.dumps(config),
                "policy": "chunked[budget=512]" if gpus else "chunked", "model": "m", "hardware": hardware, "engine": "e",
                "trace": "arxiv", "tensor_parallel_size": 2, "pipeline_parallel_size": 1, "request_rate": 20.0,
                "attainment_target": 0.99 if gpus else None, "gpus": gpus, "instances": gpus and gpus // 2,
                "capacity": gpus and 5.0, "headroom": gpus and 0.1, "utilisation": gpus and 0.9, "kwh_per_day": gpus and 10.0,
                "energy_per_token_mj": energy, "limited_by": "tpot" if gpus else "memory"} | more
            connection.execute(f"INSERT INTO plans VALUES ({','.join('?' * len(self.COLUMNS))})", list(row.values()))
        return plans.studies(connection)

    def test_the_fewest_gpus_come_first_and_what_does_not_fit_last(self):
        group, = self.studies([("1", "small", None, None, {}), ("1", "h100", 6, 40.0, {}), ("1", "h200", 4, 60.0, {}),
                               ("1", "b200", 4, 50.0, {})])
        self.assertEqual([one.hardware for one in group], ["b200", "h200", "h100", "small"])

    def test_a_price_counts_before_gpus(self):
        group, = self.studies([("1", "h100", 6, 40.0, {"cost_per_hour": 12.0}), ("1", "h200", 4, 60.0, {"cost_per_hour": 14.0})])
        self.assertEqual([one.hardware for one in group], ["h100", "h200"])

    def test_of_a_system_that_was_planned_twice_the_latest_counts(self):
        group, = self.studies([("1", "h100", 6, 40.0, {}), ("2", "h100", 8, 40.0, {})])
        self.assertEqual([one.gpus for one in group], [8])

    def test_another_rate_is_another_study(self):
        self.assertEqual(len(self.studies([("1", "h100", 6, 40.0, {}), ("2", "h100", 8, 40.0, {"request_rate": 30.0})])), 2)

    def test_chart_and_table_say_what_was_found(self):
        import page as pages

        for more, what in (({}, "GPUs"), ({"cost_per_hour": 15.0, "cost_per_million_tokens": 0.25}, "15 an hour")):
            group, = self.studies([("1", "h100", 6, 40.0, more), ("1", "small", None, None, {})])
            page = pages.Page("t")
            plans.plan_chart(page, group)
            plans.plan_table(page, group)
            html = "".join(page.parts)
            for found in ("6 h100 serve 20 requests/s", what, "memory", "99 % of requests meet TTFT 1000 ms"):
                self.assertIn(found, html)

    def test_without_any_plan_that_serves_there_is_no_chart(self):
        import page as pages

        group, = self.studies([("1", "small", None, None, {})])
        page = pages.Page("t")
        plans.plan_chart(page, group)
        self.assertFalse(page.charts)


class Paper(unittest.TestCase):
    def figure(self):
        rows = [{"rate": x, "value": x * x, "series": name} for name in ("one", "two, too") for x in (1, 2, 3)]
        return charts.figure(charts.curve(rows, ["one", "two, too"], charts.axis("rate", "rate", kind=__import__("altair").X),
                                          charts.axis("value", "ms")) + charts.limit(4, "limit"))

    def test_the_numbers_of_a_chart_are_a_table(self):
        lines = paper.csv_text(self.figure()).splitlines()
        self.assertEqual(lines[0], "rate,value,series")
        self.assertEqual(len(lines), 7)
        self.assertEqual(lines[4], '1,1,"two, too"')

    def test_pictures_are_a_column_wide_and_have_no_title(self):
        picture = charts.paper_picture(self.figure(), "svg", 240)
        self.assertAlmostEqual(float(re.search(r'width="([\d.]+)"', picture)[1]), 240, delta=2)
        self.assertNotIn("role-title-text", picture)
        self.assertEqual(charts.paper_picture(self.figure(), "pdf", 240)[:5], b"%PDF-")

    def test_files_have_numbers_and_words(self):
        self.assertEqual(paper.file_name(3, "At 90 % attainment: layered 1.75 req/s"), "03-at-90-attainment-layered-1-75-req-s")

    def test_a_folder_gets_four_files_a_chart(self):
        import page as pages

        page = pages.Page("x")
        page.chart("A title", "more", self.figure())
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(paper.write(page, Path(folder), 3.33), 1)
            self.assertEqual(sorted(path.name for path in Path(folder).iterdir()),
                             ["01-a-title.csv", "01-a-title.pdf", "01-a-title.png", "01-a-title.svg"])
        html = page.html()
        for form in ("svg", "pdf", "png", "csv"):
            self.assertIn(f'data-chart="chart-1" data-form="{form}"', html)


class Words(unittest.TestCase):
    def test_numbers_have_digits_that_matter(self):
        self.assertEqual([words.number(x) for x in (None, 0, 1234.5, 0.01234, 12.34)], ["–", "0", "1,234", "0.0123", "12.3"])
        self.assertEqual([words.latency(x) for x in (1500, 12.34)], ["1.50 s", "12.3 ms"])


if __name__ == "__main__":
    unittest.main()
