#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Gives every kind of hostile capture to an agent with `limits.memory: 64MiB`, and says how much memory that took at its peak.

    python3 Tests/Robustness/peaks.py --agent .build/release/wingmirror [--output har] [KIND…]
    sudo python3 Tests/Robustness/peaks.py --agent .build/release/wingmirror --live

Fails where a peak is beyond 64 MiB and 40 MiB for the program itself, or where an exchange of the ordinary connections among
the others is missing. Sizes are those of the longest attack that the limits must hold against; `--scale 0.1` takes a tenth.
`--output` reads with another output than metrics, with headers and contents kept where it has them. `--live` sends the frames
over a pair of interfaces in a network namespace of its own to `run`, whose own memory counts, without its capture ring.
"""

import argparse
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))
LIMIT = 64 + 40
HEALTHY = 3
COUNTS = {
    "http2-idle": 100_000, "http2-tables": 100_000, "http2-large-tables": 5_000, "http2-streams": 100,
    "http2-continuation": 10_000, "http2-bomb": 200, "http2-midstream": 50_000, "tls-hello": 100_000,
    "tls-long-names": 50_000, "tls-unfinished-hello": 10_000, "tls-unfinished-record": 20_000, "websockets": 100_000,
    "proxy-headers": 100_000, "heads": 60_000, "pipelined": 20_000, "response-heads": 60_000, "trailers": 60_000,
    "upgrades": 60_000, "bodies": 5_000, "response-bodies": 3_000, "large-pipelined": 1_000, "interim": 2_000,
    "gaps": 50_000, "loose-responses": 50_000, "second-syns": 100_000,
    "idle": 1_000_000, "half-open": 1_000_000, "one-sided": 500_000, "fragments": 500_000,
    "http2-rapid-reset": 300, "http2-settings": 300, "http2-pings": 300, "http2-data": 3_000, "http2-field-names": 300,
    "http2-trailers": 3_000, "http2-push": 3_000, "http2-gaps": 20_000, "upgraded-http2": 30_000, "tls-records": 300,
    "tls-alerts": 100_000, "websocket-frames": 3_000, "websocket-deflate": 20_000, "targets": 100_000,
    "patterns": 3_000,
}  # fmt: skip


PATTERN = r'^wingmirror_http_requests_total\{[^}]*response_code="200"[^}]*\} (\d+)'
SEARCHED = re.compile(rb'"status":\s?200')
OUTPUTS = {
    "metrics": [], "table": [], "gor": [], "ndjson": ["--fields", "--content", "65536"],
    "har": ["--content", "65536"],
}  # fmt: skip


def generator(kind, count):
    command = [sys.executable, f"{FOLDER}/generate.py", kind, str(count), "--healthy", str(HEALTHY)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def count_answers(output, file):
    """How many requests with the status 200 the agent wrote of, or None where its output does not say."""
    file.seek(0)
    if output == "metrics":
        return sum(int(found) for found in re.findall(PATTERN, file.read().decode(), re.M))
    if output not in ("ndjson", "har"):
        return None
    found, rest = 0, b""
    while data := file.read(1 << 20):
        rest += data
        found += len(SEARCHED.findall(rest))
        rest = rest[-12:] if not SEARCHED.search(rest[-12:]) else b""
    return found


def measure(agent, configuration, kind, count, output):
    """The peak in MiB, the exit status, how many ordinary requests were counted, and what went wrong."""
    source = generator(kind, count)
    with tempfile.TemporaryFile() as page:
        command = [agent, "read", "--config", configuration, "--output", output, *OUTPUTS[output], "-"]
        process = subprocess.Popen(command, stdin=source.stdout, stdout=page, stderr=subprocess.PIPE, cwd=ROOT)
        source.stdout.close()
        problem = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        source.wait()
        answered = count_answers(output, page)
    return usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status), answered, problem


# --- Live

LIVE = """
capture: {interfaces: [attacked], ringBytes: 32MiB}
gateway: {ports: [{pod: 80, server: 80}, {pod: 443, server: 443}]}
routes: {files: [%s/samples/istio, %s/patterns.yaml]}
metrics: {listen: "127.0.0.1:9646"}
limits: {memory: 64MiB}
records: {file: %s/records.ndjson, fields: true, contentBytes: 64KiB}
"""


PATTERNS = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: patterns, namespace: default}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: patterns, protocol: HTTP}, hosts: [patterns.example.com]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: patterns, namespace: default}
spec:
  hosts: [patterns.example.com]
  gateways: [patterns]
  http:
"""
PATTERN_RULE = """  - match: [{uri: {regex: "/r%d/[xy]*x[xy]{14}/.*"}}]
    route: [{destination: {host: a}}]
"""


DROPPED = "wingmirror_capture_packets_dropped_total"
WINDOW = 8 << 20


def own_memory(pid):
    """What counts against a control group, in MiB: neither pages of files nor the capture ring."""
    with open(f"/proc/{pid}/status") as file:
        status = file.read()
    return sum(int(re.search(word + r":\s+(\d+)", status).group(1)) for word in ("RssAnon", "RssShmem")) / 1024


def page():
    with urllib.request.urlopen("http://127.0.0.1:9646/metrics", timeout=30) as response:
        return response.read().decode()


def total(text, family):
    return sum(float(found) for found in re.findall(r"^%s(?:\{[^}]*\})? (\S+)" % family, text, re.M))


def wait_for(frames):
    """Waits until the agent has counted so many frames, or counts no more: its filter leaves some fragments to the kernel."""
    counted, changed = -1, time.monotonic()
    while (now := time.monotonic()) < changed + 1:
        text = page()
        if (count := total(text, "wingmirror_capture_packets_received_total") + total(text, DROPPED)) >= frames:
            break
        if count != counted:
            counted, changed = count, now
        time.sleep(0.02)


def measure_live(agent, folder, kind, count):
    """The same with `run`; what went wrong tells of packets that the kernel dropped too."""
    configuration = f"{folder}/live.yaml"
    with open(configuration, "w") as file:
        file.write(LIVE % (ROOT, folder, folder))
    with open(f"{folder}/agent.log", "w") as log:
        process = subprocess.Popen([agent, "run", "--config", configuration], stderr=log, stdout=log, cwd=ROOT)
    try:
        for attempt in range(300):
            try:
                urllib.request.urlopen("http://127.0.0.1:9646/readyz", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        wire.bind(("attacker", 0))
        source = generator(kind, count)
        capture = source.stdout
        capture.read(24)
        peak, looked, sent = 0, 0, [0, 0]
        while head := capture.read(16):
            frame = capture.read(struct.unpack("<IIII", head)[2])
            while True:
                try:
                    wire.send(frame)
                    break
                except OSError:
                    time.sleep(0.01)
            sent = [sent[0] + 1, sent[1] + len(frame)]
            if sent[1] > WINDOW or sent[0] % 10_000 == 0:
                # The agent has to have read what was sent, so that the kernel need not drop anything.
                sent[1] = 0
                wait_for(sent[0])
            if (now := time.monotonic()) - looked > 0.05:
                looked, peak = now, max(peak, own_memory(process.pid))
        source.wait()
        before = -1
        while (now := total(text := page(), "wingmirror_capture_packets_received_total")) != before:
            before, peak = now, max(peak, own_memory(process.pid))
            time.sleep(1)
        answered = sum(int(found) for found in re.findall(PATTERN, text, re.M))
        dropped = total(text, DROPPED)
        problem = f"  {dropped:.0f} packets dropped by the kernel\n" if dropped else ""
        process.terminate()
        status = process.wait(20)
        with open(f"{folder}/agent.log") as log:
            # Records that were dropped and counted, some of them at the end, which the exit status tells.
            status = 0 if status == 1 and "records were not written" in log.read() else status
        return peak, status, answered, problem
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def enter_namespace():
    """Goes on in a network namespace with two interfaces, `attacker` and `attacked`."""
    if os.environ.get("WINGMIRROR_PEAKS") != "inside":
        os.environ["WINGMIRROR_PEAKS"] = "inside"
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])
    for command in (
        "link set lo up",
        "link add attacker mtu 65535 type veth peer name attacked mtu 65535",
        "link set attacker up",
        "link set attacked up",
    ):
        subprocess.run(["ip", *command.split()], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", default=f"{ROOT}/.build/release/wingmirror")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--output", choices=sorted(OUTPUTS), default="metrics")
    parser.add_argument("--live", action="store_true", help="as root: with run on an interface")
    parser.add_argument("kinds", nargs="*", metavar="KIND")
    arguments = parser.parse_args()
    if arguments.live:
        enter_namespace()
    agent, failures = os.path.abspath(arguments.agent), 0
    with tempfile.TemporaryDirectory() as folder:
        configuration = f"{folder}/small.yaml"
        with open(configuration, "w") as file:
            file.write(
                f"limits: {{memory: 64MiB}}\nroutes: {{files: [{ROOT}/samples/istio, {folder}/patterns.yaml]}}\n"
            )
        with open(f"{folder}/patterns.yaml", "w") as file:
            # The routes of the kind `patterns`: each expression has thousands of states.
            file.write(PATTERNS + "".join(PATTERN_RULE % number for number in range(100)))
        for kind in arguments.kinds or COUNTS:
            count = max(200, int(COUNTS[kind] * arguments.scale))
            if arguments.live:
                peak, status, answered, problem = measure_live(agent, folder, kind, count)
            else:
                peak, status, answered, problem = measure(agent, configuration, kind, count, arguments.output)
            # Each ordinary connection but the last has come to its exchanges.
            expected = ((count + 99) // 100 - 1) * HEALTHY
            own = count if kind in ("http2-idle", "http2-tables") else 0
            if kind == "http2-midstream" and arguments.output == "ndjson":
                # Records are of responses without their requests too.
                own = count
            isRead = answered is None or expected <= answered <= expected + own
            isBad = peak > LIMIT or status != 0 or not isRead
            failures += isBad
            verdict = "FAILED" if isBad else "ok"
            print(f"{kind:22} {count:7}  {peak:6.0f} MiB  {answered} of {expected} ordinary  {verdict}", flush=True)
            if problem:
                print(problem, end="")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
