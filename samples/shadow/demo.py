#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Shadow traffic from end to end, on this machine's loopback interface.

Production and three staging servers run in nginx: one of the same version, a changed one, and a baseline. The agent
captures what production gets, mirrors all of it to the three, and judges the answers. Run it as root after `make build`, or by
`make shadow-demo`. Needs nginx (apt-get install nginx-light) and ends with status 1 if the verdicts are not as they
should be, or a planted credential is found where it must not be.

With --keep everything stays up afterwards, so that the page, the report and its curl lines can be tried, until Enter
or an interrupt.

usage: demo.py [--agent PROGRAM] [--requests N] [--keep]
"""
import argparse
import subprocess
import sys
import time

import shop

MIRROR = """\
mirror:
  enabled: true
  targets:
    same: {{url: "http://127.0.0.1:{same}", rate: 1000/s}}
    changed: {{url: "http://127.0.0.1:{changed}", rate: 1000/s}}
    now: {{url: "http://127.0.0.1:{now}", rate: 1000/s}}
  policies:
    # What differs must be spread over seven blocks of time, which are ten seconds where nobody waits for a demonstration.
    - {{name: products, match: {{virtualService: shop/shop, route: products}}, targets: [same, changed], baseline: now,
       percent: 100, comparison: {{timeBlock: 1s}}}}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--agent", help="the agent, if not the release build of this repository")
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--keep", action="store_true", help="keep everything running until Enter or an interrupt")
    options = parser.parse_args()
    same, changed, now = shop.free_port(), shop.free_port(), shop.free_port()
    with shop.Demonstration(options.agent) as demo:
        demo.start_shops([(same, False), (changed, True), (now, False)])
        demo.start_agent(MIRROR.format(same=same, changed=changed, now=now))
        print(f"sending {options.requests} requests to production, all of them mirrored three times …", flush=True)
        demo.visit(options.requests, rate=400)
        verdicts = wait_for_verdicts(demo, options.requests)
        report = subprocess.run(
            [demo.agent_program, "mirror", "report", "--agent", f"http://127.0.0.1:{demo.admin}"],
            capture_output=True, text=True, check=True,
        ).stdout
        print("\n" + report)
        pages = [report] + [
            demo.get(path)
            for path in ("/metrics", "/api/v1/mirror", "/api/v1/exchanges", "/api/v1/config", "/api/v1/status", "/")
        ]
        pages.append((demo.folder / "agent.log").read_text())
        if options.keep:
            keep(demo)
    problems = [f"{target} should {word}" for target, word in (("same", "pass"), ("changed", "fail"))
                if verdicts.get(target) != word]
    problems += [f"the credential {secret} was found" for secret in shop.SECRETS if any(secret in p for p in pages)]
    sys.exit("; ".join(problems) if problems else 0)


def keep(demo):
    """Leaves everything running until somebody has seen enough."""
    print(f"\nthe page is at http://127.0.0.1:{demo.admin}/ – press Enter to end", flush=True)
    try:
        input()
    except (EOFError, KeyboardInterrupt):
        pass


def wait_for_verdicts(demo, requests):
    """The verdict of each target, once all pairs have been judged."""
    end = time.monotonic() + 20
    while True:
        verdicts = demo.mirror()["verdicts"]
        if len(verdicts) == 2 and all(v["pairs"] >= requests * 0.99 for v in verdicts) or time.monotonic() > end:
            return {verdict["target"]: verdict["verdict"] for verdict in verdicts}
        time.sleep(0.2)


if __name__ == "__main__":
    main()
