#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Runs every check of the dashboards and rules that this machine has the programs for.

usage: check.py [--dashboards PROGRAM [ARGUMENT ...]]

In turn: whether the committed files are what generate.py makes; promtool on the rules, their cases and the sample
configuration; panel_cases.py; amtool on Alertmanager's; and PROGRAM, given the folder of dashboards after its arguments. A program that is
not installed is skipped, by name. Exit 1 when a check fails.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
SAMPLES = FOLDER.parent / "samples"


def checks(dashboards):
    """Pairs of a title and a command."""
    rules = sorted(map(str, (FOLDER / "rules").glob("*.yml")))
    tests = sorted(map(str, (FOLDER / "rules" / "tests").glob("*.yml")))
    yield "generated files", [sys.executable, str(FOLDER / "generate.py"), "--check"]
    yield "rules", ["promtool", "check", "rules", *rules]
    cases = [sys.executable, str(FOLDER / "cases.py"), *tests]
    yield "cases of alerts", cases if shutil.which("promtool") else ["promtool"]
    yield "cases of panels, and warnings that pages hold back", [sys.executable, str(FOLDER / "panel_cases.py")]
    yield "Prometheus configuration", ["promtool", "check", "config", str(SAMPLES / "prometheus.yml")]
    yield "Alertmanager configuration", ["amtool", "check-config", str(SAMPLES / "alertmanager.yml")]
    if dashboards:
        yield "dashboards", [*dashboards, str(FOLDER)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dashboards", nargs=argparse.REMAINDER, metavar="PROGRAM")
    failed = False
    for title, command in checks(parser.parse_args().dashboards):
        if not shutil.which(command[0]):
            print(f"skipped  {title}: no {command[0]}")
            continue
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(f"{'passed ' if result.returncode == 0 else 'FAILED '}  {title}")
        if result.returncode:
            failed = True
            print(result.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
