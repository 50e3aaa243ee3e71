#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Reads every kind of hostile capture with `limits.memory: 64MiB`, and says how much memory that took at its peak.

    python3 Tests/Robustness/peaks.py --agent .build/release/wingmirror [KIND…]

Fails where a peak is beyond 64 MiB and 40 MiB for the program itself, or where an exchange of the ordinary connections among
the others is missing. Sizes are those of the longest attack that the limits must hold against; `--scale 0.1` takes a tenth.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))
LIMIT = 64 + 40
HEALTHY = 3
COUNTS = {
    "http2-idle": 100_000, "http2-tables": 100_000, "http2-large-tables": 5_000, "http2-streams": 100,
    "http2-continuation": 10_000, "http2-bomb": 200, "http2-midstream": 50_000, "tls-hello": 100_000,
    "tls-long-names": 50_000, "tls-unfinished-hello": 10_000, "tls-unfinished-record": 20_000, "websockets": 100_000,
    "proxy-headers": 100_000, "heads": 20_000, "pipelined": 20_000,
}  # fmt: skip


def measure(agent, configuration, kind, count):
    """The peak in MiB, the exit status, and how many ordinary requests were counted."""
    generator = subprocess.Popen(
        [sys.executable, f"{FOLDER}/generate.py", kind, str(count), "--healthy", str(HEALTHY)], stdout=subprocess.PIPE
    )
    with tempfile.TemporaryFile() as page:
        command = [agent, "read", "--config", configuration, "--output", "metrics", "-"]
        process = subprocess.Popen(command, stdin=generator.stdout, stdout=page, stderr=subprocess.PIPE, cwd=ROOT)
        generator.stdout.close()
        problem = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        generator.wait()
        page.seek(0)
        text = page.read().decode()
    pattern = r'^wingmirror_http_requests_total\{[^}]*response_code="200"[^}]*\} (\d+)'
    answered = sum(int(found) for found in re.findall(pattern, text, re.M))
    return usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status), answered, problem


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", default=f"{ROOT}/.build/release/wingmirror")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("kinds", nargs="*", metavar="KIND")
    arguments = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        configuration = f"{folder}/small.yaml"
        with open(configuration, "w") as file:
            file.write(f"limits: {{memory: 64MiB}}\nroutes: {{files: [{ROOT}/samples/istio]}}\n")
        for kind in arguments.kinds or COUNTS:
            count = max(200, int(COUNTS[kind] * arguments.scale))
            peak, status, answered, problem = measure(os.path.abspath(arguments.agent), configuration, kind, count)
            # Each ordinary connection but the last has come to its exchanges.
            expected = ((count + 99) // 100 - 1) * HEALTHY
            own = count if kind in ("http2-idle", "http2-tables") else 0
            isBad = peak > LIMIT or status != 0 or answered < expected or answered > expected + own
            failures += isBad
            verdict = "FAILED" if isBad else "ok"
            print(f"{kind:22} {count:7}  {peak:6.0f} MiB  {answered} of {expected} ordinary  {verdict}", flush=True)
            if problem:
                print(problem, end="")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
