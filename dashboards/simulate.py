#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Simulates days of healthy traffic and holds the alerts against it: nothing may page.

usage: simulate.py [--days N] [--seed N] [--chunk N] [--jobs N]

Six routes between 72 requests an hour and 50 a second, with the failures, slow answers, refusals and clients that leave which a
healthy service has, by day and by night, each within its objectives, and one of them with clients that leave or are refused all
the time; agents restart now and then. On the first day, which is compared with none, that route is not asked about. The traffic
of `chunk` days at a time becomes a case for `promtool test rules` with the groups of rules that look at routes; those of
agents, canaries and mirroring have nothing to look at here. Samples are five minutes apart and evaluations ten, so an alert's
`for` is rounded down to whole evaluations, and one of less than ten minutes is left out: what is quiet then is quiet with it
too. Each run of days has its own seed, so that one that fails can be repeated with `--seed N --days CHUNK`. Exit 1 when an
alert of severity critical fires, or any alert on a route. Takes about four seconds of processor time for each day.
"""
import argparse
import concurrent.futures
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

RULES = pathlib.Path(__file__).resolve().parent / "rules"
STEP = 300  # seconds between samples
EVALUATION = 10  # minutes between evaluations
LABELS = 'job="wingmirror", instance="node-{agent}:9646", gateway="default/my-gateway", virtualservice_namespace="shop"'

# (route, requests per second by day, share that fails, that is slow, that clients leave, that is refused)
ROUTES = (
    ("busy", 50.0, 0.0001, 0.002, 0.01, 0.02),
    ("usual", 5.0, 0.0002, 0.003, 0.02, 0.05),
    ("small", 0.3, 0.0003, 0.003, 0.02, 0.05),
    ("tiny", 0.02, 0.0002, 0.002, 0.01, 0.02),
    ("refusing", 2.0, 0.0002, 0.002, 0.30, 0.50),
    ("watched", 5.0, 0.0002, 0.003, 0.02, 0.05),
)
# Requests per second by day and by night alike, by route: a monitor that leaves before the answer, a scanner that is answered 404.
BACKGROUND = {"watched": {"leaving": 0.1, "refused": 0.1}}
GROUPS = """wingmirror-objectives wingmirror-budgets wingmirror-routes wingmirror-routes-long wingmirror-budgets-left
wingmirror-route-alerts""".split()


def rules():
    """The groups of rules that look at routes, as one file, with alerts that wait for whole evaluations."""
    found = {}
    for name in ("objectives", "recording", "alerts"):
        for group in re.split(r"(?m)^(?=  - name: )", (RULES / f"{name}.yml").read_text())[1:]:
            found[re.match(r'  - name: "?([^"\n]+)', group)[1]] = group
    return "groups:\n" + re.sub(r'(?m)^        for: "(\d+)([mh])"\n', whole_evaluations, "".join(found[name] for name in GROUPS))


def whole_evaluations(wait):
    """The line of an alert's `for`, rounded down."""
    minutes = int(wait[1]) * {"m": 1, "h": 60}[wait[2]] // EVALUATION * EVALUATION
    return f'        for: "{minutes}m"\n' if minutes else ""


def poisson(rng, mean):
    """A number of events; for many of them the normal distribution is near enough."""
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def counters(rng, route, steps):
    """The samples of a route's counters on one agent, by labels."""
    name, rate, failing, slow, leaving, refused = route
    outcomes = {
        'response_code="200"': 1 - failing - leaving - refused,
        'response_code="404"': refused,
        'response_code="503", error_type="5xx_gateway"': failing / 2,
        'response_code="500", error_type="5xx_service"': failing / 2,
        'response_code="0", error_type="client_closed"': leaving,
    }
    constant = BACKGROUND.get(name, {})
    background = {
        'response_code="404"': constant.get("refused", 0),
        'response_code="0", error_type="client_closed"': constant.get("leaving", 0),
    }
    totals = dict.fromkeys([*outcomes, "fast", "all"], 0)
    samples = {key: [] for key in totals}
    for step in range(steps):
        # Nights have a twentieth of the day's traffic.
        day = 0.525 - 0.475 * math.cos(2 * math.pi * step * STEP / 86400)
        if rng.random() < 1 / 2000:
            totals = dict.fromkeys(totals, 0)  # the agent restarts
        requests = 0
        for key, share in outcomes.items():
            count = poisson(rng, (rate * day * share + background.get(key, 0)) * STEP / 2)
            totals[key] += count
            requests += count
        late = min(requests, poisson(rng, requests * slow))
        totals["all"] += requests
        totals["fast"] += requests - late
        for key, total in totals.items():
            samples[key].append(total)
    series = {}
    for key, values in samples.items():
        if key in outcomes:
            selector = f'wingmirror_http_requests_total{{{LABELS}, virtualservice="shop", route="{name}", request_method="GET", {key}}}'
            series[selector] = values
    for bound, key in (("1.0", "fast"), ("+Inf", "all")):
        selector = (
            f'wingmirror_http_request_duration_seconds_bucket{{{LABELS}, virtualservice="shop", route="{name}", '
            f'response_code_class="2xx", le="{bound}"}}'
        )
        series[selector] = samples[key]
    return series


def case(rng, days, rule_file):
    """A case for promtool."""
    steps = days * 86400 // STEP
    lines = [f"rule_files: [{rule_file}]", f"evaluation_interval: {EVALUATION}m"]
    lines += ["group_eval_order: [" + ", ".join(GROUPS) + "]", "tests:", f"  - interval: {STEP}s", "    input_series:"]
    for agent in ("a", "b"):
        for route in ROUTES:
            for selector, values in counters(rng, route, steps).items():
                lines.append(f"      - series: '{selector.replace('{agent}', agent)}'")
                lines.append("        values: " + " ".join(map(str, values)))
    lines.append("    promql_expr_test:")
    for hour in range(1, days * 24):
        # What is constant is known from the second day on.
        asked = "" if hour > 25 else f', route!~"{"|".join(BACKGROUND)}"'
        for what in ('severity="critical"', 'alertname=~"Route(Error|Latency).*|RouteAbandoned|RouteClientErrorsJump"'):
            lines.append(f"      - eval_time: {hour}h")
            lines.append(f"        expr: 'count_over_time(ALERTS{{alertstate=\"firing\", {what}{asked}}}[1h])'")
            lines.append("        exp_samples: []")
    return "\n".join(lines) + "\n"


def run(seed, days):
    """Simulates days with a seed: what promtool says of them, empty when nothing fired."""
    with tempfile.TemporaryDirectory() as folder:
        file, rule_file = pathlib.Path(folder) / "case.yml", pathlib.Path(folder) / "rules.yml"
        rule_file.write_text(rules())
        file.write_text(case(random.Random(seed), days, rule_file))
        result = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True)
    return result.stdout + result.stderr if result.returncode else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=300)
    parser.add_argument("--chunk", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    failed = False
    begins = range(0, arguments.days, arguments.chunk)
    lengths = [min(arguments.chunk, arguments.days - begin) for begin in begins]
    seeds = range(arguments.seed, arguments.seed + len(lengths))
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for begin, days, seed, found in zip(begins, lengths, seeds, pool.map(run, seeds, lengths)):
            print(f"days {begin + 1} to {begin + days} (seed {seed}): {'FAILED' if found else 'quiet'}", flush=True)
            if found:
                failed = True
                print(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
