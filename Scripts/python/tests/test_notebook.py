"""The notebook runs from its first cell to its last."""

import json
import os
import sys
import unittest
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Scripts" / "python"))
os.chdir(ROOT)


class Notebook(unittest.TestCase):
    def test_every_cell_runs(self):
        import matplotlib

        matplotlib.use("Agg")
        cells = json.loads((ROOT / "Scripts/python/first-study.ipynb").read_text())["cells"]
        names = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number, cell in enumerate(cells):
                if cell["cell_type"] == "code":
                    exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
        self.assertEqual(len(names["table"]), 12)
        self.assertEqual(sorted(names["best"]["policy"]), ["chunked", "layered"])
        self.assertTrue(names["attained"].notna().all().all())


if __name__ == "__main__":
    unittest.main()
