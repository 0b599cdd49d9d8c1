"""Tests of manual pages, on a command made up here."""

import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import manual  # noqa: E402: beside this file

COMMAND = {"commandName": "sim", "abstract": "Simulates.", "discussion": "Plain text.\n\nExamples:\n  sim --a 1\n  .hidden",
           "arguments": [{"kind": "option", "names": [{"kind": "long", "name": "tp"}, {"kind": "short", "name": "t"}], "valueName": "n",
                          "abstract": "GPUs.", "defaultValue": "2", "sectionTitle": "System"}],
           "subcommands": [{"commandName": "run", "abstract": "Runs.", "arguments": [
               {"kind": "flag", "names": [{"kind": "long", "name": "dry-run"}], "valueName": "dry-run", "abstract": "No \\run."}]},
               {"commandName": "help", "abstract": "Help."}]}


class Pages(unittest.TestCase):
    def setUp(self):
        self.pages = dict(manual.pages(COMMAND, "sim 1.0"))

    def test_every_command_has_a_page_but_help(self):
        self.assertEqual(list(self.pages), ["sim", "sim-run"])

    def test_options_have_their_names_values_and_defaults(self):
        self.assertIn("\\fB\\-\\-tp\\fR, \\fB\\-t\\fR \\fIn\\fR\nGPUs. (default: 2)", self.pages["sim"])
        self.assertIn('.SH "SYSTEM"', self.pages["sim"])
        self.assertIn("\\fBsim\\-run\\fR(1)", self.pages["sim"])

    def test_nothing_of_a_text_is_taken_for_roff(self):
        self.assertIn("  .hidden", self.pages["sim"])
        self.assertIn("No \\erun.", self.pages["sim-run"])

    @unittest.skipUnless(shutil.which("man"), "there is no man")
    def test_man_has_nothing_to_complain_about(self):
        for text in self.pages.values():
            shown = subprocess.run(["man", "--warnings", "-l", "-"], input=text, capture_output=True, text=True)
            self.assertEqual(shown.stderr, "")


if __name__ == "__main__":
    unittest.main()
