#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Holds panels against series that they must be right about, and Alertmanager's sample against the alerts.

The expression of a panel, with its variables filled, becomes a case for `promtool test rules`. Exit 1 when a panel shows another
value, or when an alert's warning is not held back by its page.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from source import alerts

FOLDER = pathlib.Path(__file__).resolve().parent
ALERTMANAGER = FOLDER.parent / "samples" / "alertmanager.yml"
AT = 'job="wingmirror", instance="node-a:9646", gateway="default/my-gateway"'
ROUTED = f'wingmirror_http_requests_total{{{AT}, virtualservice="shop", response_code="200"}}'


def unmatched(reason):
    return f'wingmirror_http_requests_unmatched_total{{{AT}, reason="{reason}", response_code_class="4xx"}}'


# (dashboard, panel, series and what they grow by in a minute, what the panel shows)
CASES = (
    ("route-coverage", "Unmatched share", {unmatched("no_match"): 60}, 1),
    ("ingress-overview", "Unmatched share", {unmatched("no_match"): 60}, 1),
    ("route-coverage", "Unmatched share", {unmatched("no_match"): 60, ROUTED: 180}, 0.25),
    ("route-coverage", "Unmatched share", {unmatched("no_match"): 0, ROUTED: 180}, 0),
    ("ingress-overview", "Arriving", {ROUTED: 60, unmatched("no_match"): 60, unmatched("no_listener"): 60}, 2),
    ("ingress-overview", "Arriving", {unmatched("https_redirect"): 60}, 1),
)


def expression(dashboard, title):
    """The expression of a panel's only query, with every variable standing for all."""
    panels = json.loads((FOLDER / f"{dashboard}.json").read_text(encoding="utf-8"))["panels"]
    panels += [panel for row in panels for panel in row.get("panels", ())]
    (found,) = (panel["targets"] for panel in panels if panel["title"] == title)
    (target,) = found
    return re.sub(r"\$\w+", ".*", target["expr"].replace("$__rate_interval", "5m"))


def case(dashboard, title, series, value):
    lines = ["  - interval: 1m", "    input_series:"]
    for selector, step in series.items():
        lines += [f"      - series: {json.dumps(selector)}", f"        values: 0+{step}x30"]
    lines += ["    promql_expr_test:", f"      - expr: {json.dumps(expression(dashboard, title))}", "        eval_time: 20m"]
    return "\n".join([*lines, "        exp_samples: [{value: %s}]" % value])


def wrong_panels():
    """What promtool says of the cases, empty when all are right or there is no promtool."""
    if not shutil.which("promtool"):
        print("no promtool: panels are passed over", file=sys.stderr)
        return ""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "panels.yml"
        file.write_text("evaluation_interval: 1m\ntests:\n" + "\n".join(case(*each) for each in CASES) + "\n")
        result = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True)
    return result.stdout + result.stderr if result.returncode else ""


def unheld():
    """The alerts that are pages and warnings, and whose warning no rule of the sample holds back while the page fires."""
    severities = {}
    for name, severity in re.findall(r'alert: "(\w+)"[\s\S]*?severity: "(\w+)"', alerts.text("")):
        severities.setdefault(name, set()).add(severity)
    sides = [
        re.findall(rf"{side}_matchers: \['alertname=~?\"([^\"]+)\"', 'severity=\"{severity}\"'\]", ALERTMANAGER.read_text("utf-8"))
        for side, severity in (("source", "critical"), ("target", "warning"))
    ]
    return [
        name
        for name, found in severities.items()
        if {"critical", "warning"} <= found and not all(any(name in side.split("|") for side in each) for each in sides)
    ]


def main():
    problems = [wrong_panels(), *(f"samples/alertmanager.yml does not hold the warning {name} back" for name in unheld())]
    for problem in filter(None, problems):
        print(problem)
    return 1 if any(problems) else 0


if __name__ == "__main__":
    sys.exit(main())
