#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Writes the dashboards (*.json) and the rules (rules/*.yml) from source/.

usage: generate.py [--check] [--runbooks BASE]

--check            change nothing; exit 1 and name the files that are not what this would write
--runbooks BASE    what the alerts' `runbook_url` begins with: where a browser finds the folder Runbooks of the documentation

Needs Python 3.9 or later and nothing else.
"""
import argparse
import difflib
import json
import pathlib
import sys

from source import (
    agent_health,
    alerts,
    canary_compare,
    ingress_overview,
    recording,
    route_coverage,
    route_detail,
    shadow_testing,
)

FOLDER = pathlib.Path(__file__).resolve().parent
DASHBOARDS = (ingress_overview, route_detail, canary_compare, shadow_testing, route_coverage, agent_health)


def rendered(runbooks):
    """The text of every generated file by its path."""
    files = {}
    for module in DASHBOARDS:
        text = json.dumps(module.build(), indent=2, ensure_ascii=False)
        files[FOLDER / f"{module.NAME}.json"] = text + "\n"
    files[FOLDER / "rules" / "recording.yml"] = recording.text()
    files[FOLDER / "rules" / "alerts.yml"] = alerts.text(runbooks)
    return files


def stale(files):
    """The paths whose content differs from what it should be, with the first lines of the difference."""
    for path, text in files.items():
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        if found != text:
            lines = difflib.unified_diff(found.splitlines(), text.splitlines(), "as committed", "as generated", lineterm="")
            yield path, list(lines)[:20]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--runbooks", default=alerts.RUNBOOKS, metavar="BASE")
    arguments = parser.parse_args()
    files = rendered(arguments.runbooks)
    if not arguments.check:
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        return 0
    problems = list(stale(files))
    for path, lines in problems:
        print(f"{path.relative_to(FOLDER)} is not what generate.py makes:", *lines, sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
