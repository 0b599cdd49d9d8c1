"""The pages of the studies of other papers."""

import ast
import os
import subprocess

from console import ROOT, note, written_whole


def write_studies(program):
    """Runs every study; a page says what the script says of itself, and what it printed."""
    folder = ROOT / "Results" / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in (ROOT / "Scripts" / "studies").iterdir())
    for place, name in enumerate(names, 1):
        note(f"study {place} of {len(names)}: {name}")
        script = ROOT / "Scripts" / "studies" / name
        run = subprocess.run([script], env=os.environ | {"SIM": str(program)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
        if run.returncode:
            note(f"Scripts/studies/{name} ended with status {run.returncode}: {(run.stderr.strip().splitlines() or [''])[-1]}")
            continue
        about = ast.get_docstring(ast.parse(script.read_text()))
        with written_whole(folder / f"{name}.md") as partial:
            partial.write_text(f"# {about.splitlines()[0]}\n\nBy `Scripts/studies/{name}`:\n\n```text\n{about}\n```\n\n"
                               f"{run.stdout.strip()}\n")
    print(f"Written to Results/studies/: {', '.join(f'{name}.md' for name in names if (folder / f'{name}.md').exists())}.")
