"""Tests of what is read out of several seeds."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import measure  # noqa: E402: beside this file


class Statistics(unittest.TestCase):
    def test_the_quantiles_of_student(self):
        # Tables of the distribution: 0.975 at 1, 4, 9 and 30 degrees of freedom.
        for freedom, value in [(1, 12.7062), (4, 2.7764), (9, 2.2622), (30, 2.0423)]:
            self.assertAlmostEqual(measure.student(freedom), value, places=3)

    def test_an_interval_is_that_of_the_mean(self):
        mean, half = measure.interval([1, 2, 3, 4, 5])
        self.assertAlmostEqual(mean, 3)
        self.assertAlmostEqual(half, 2.7764 * (2.5 / 5) ** 0.5, places=3)
        self.assertEqual(measure.interval([7]), (7, None))
        self.assertEqual(measure.interval([None, float("nan")]), (None, None))

    def test_a_capacity_lies_on_the_line_between_two_rates(self):
        value, kind = measure.capacity([(1.0, 1.0), (2.0, 0.5)], 0.9)
        self.assertAlmostEqual(value, 1.2)
        self.assertFalse(kind)
        self.assertEqual(measure.capacity([(1.0, 1.0), (2.0, 0.95)], 0.9), (2.0, "at least"))
        self.assertEqual(measure.capacity([(1.0, 0.5), (2.0, 0.1)], 0.9)[1], "below")


if __name__ == "__main__":
    unittest.main()
