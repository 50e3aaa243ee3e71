#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Many routes at the series limit: whether each has its true share of errors, and what a scrape weighs.

usage: series_limit.py AGENT [--routes N] [--limit N]

Makes N routes and a capture in which each gets one request of each of 15 statuses, the successes first, has an agent read it, and
scrapes that in every format. Of the requests 4 in 15 fail, on each route that has a name and in all; the exit status is 1 if that
is not what the page says.
"""
import argparse
import collections
import gzip
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from make_reach_captures import Capture, Talk  # noqa: E402

STATUSES = (200, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 500, 502, 503, 504)
EMPTY = (204, 304)
FORMATS = {
    "text": "text/plain;version=0.0.4",
    "OpenMetrics": "application/openmetrics-text;version=1.0.0",
    "protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
}


def routes(count):
    lines = ["apiVersion: networking.istio.io/v1", "kind: Gateway", "metadata: {name: gateway, namespace: istio-system}",
             "spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}"]
    for first in range(0, count, 100):
        lines += ["---", "apiVersion: networking.istio.io/v1", "kind: VirtualService",
                  f"metadata: {{name: vs-{first}, namespace: istio-system}}", "spec:",
                  f"  hosts: [h{first}.example.com]", "  gateways: [gateway]", "  http:"]
        lines += [f"  - {{name: r{n}, match: [{{uri: {{exact: /r{n}}}}}], route: [{{destination: {{host: s{n}.istio-system.svc.cluster.local}}}}]}}"
                  for n in range(first, min(count, first + 100))]
    return "\n".join(lines) + "\n"


def traffic(count):
    """A connection for each hundred routes and status, which pipelines; successes of all routes come before any error."""
    capture = Capture()
    for status in STATUSES:
        for first in range(0, count, 100):
            Talk.port = 20000 + (Talk.port + 1) % 40000
            talk = Talk(capture)
            numbers = range(first, min(count, first + 100))
            talk.client("".join(f"GET /r{n} HTTP/1.1\r\nHost: h{first}.example.com\r\n\r\n" for n in numbers))
            body = "" if status in EMPTY else "{}"
            talk.server(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}" * len(numbers))
            talk.finish()
    return capture


def scrape(port, accept, compressed=False):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    if compressed:
        request.add_header("Accept-Encoding", "gzip")
    begin = time.time()
    with urllib.request.urlopen(request, timeout=120) as answer:
        body = answer.read()
    return body, time.time() - begin


def shares(text):
    """Of each route that has a name, requests and errors; and those of the rest."""
    counts = collections.defaultdict(lambda: [0, 0])
    for labels, value in re.findall(r"^wingmirror_http_requests_total\{(.*)\} (\S+)$", text, re.M):
        label = dict(re.findall(r'([a-z_]+)="([^"]*)"', labels))
        counts[label["route"]][0] += float(value)
        counts[label["route"]][1] += float(value) if label["error_type"].startswith("5xx") else 0
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agent")
    parser.add_argument("--routes", type=int, default=100)
    parser.add_argument("--limit", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "routes.yaml").write_text(routes(arguments.routes))
        traffic(arguments.routes).write(folder / "traffic.pcap")
        (folder / "agent.yaml").write_text(
            f"routes: {{files: [{folder}/routes.yaml]}}\ngateway: {{namespace: istio-system, labels: {{istio: ingressgateway}}}}\n"
            f"metrics: {{listen: '127.0.0.1:0', seriesLimit: {arguments.limit}}}\nlog: {{level: info, format: json}}\n"
        )
        log = (folder / "log").open("w+")
        agent = subprocess.Popen(
            [arguments.agent, "run", str(folder / "traffic.pcap"), "--config", str(folder / "agent.yaml"), "--pace", "fast"],
            stdout=log, stderr=log,
        )
        try:
            return report(arguments, agent, folder / "log")
        finally:
            agent.terminate()
            agent.wait(30)


def report(arguments, agent, log):
    port = None
    wanted = arguments.routes * len(STATUSES)
    for _ in range(600):
        time.sleep(0.5)
        found = re.search(r"127\.0\.0\.1:(\d+)", log.read_text())
        port = port or (found and int(found[1]))
        if port:
            try:
                text = scrape(port, FORMATS["text"])[0].decode()
            except OSError:
                continue
            if sum(all_ for all_, _ in shares(text).values()) >= wanted:
                break
    else:
        raise SystemExit("the agent has not counted all: " + log.read_text()[-2000:])
    counts = shares(text)
    named = {route: count for route, count in counts.items() if route != "__overflow__"}
    wrong = [route for route, (all_, errors) in counts.items() if errors * 15 != all_ * 4]
    total = [sum(count[part] for count in counts.values()) for part in (0, 1)]
    print(f"{arguments.routes} routes × {len(STATUSES)} statuses, limit {arguments.limit}: {len(named)} routes have a name, "
          f"{len(wrong)} a wrong share of errors; in all {total[1]:.0f} of {total[0]:.0f} requests failed")
    for name, accept in FORMATS.items():
        body, seconds = scrape(port, accept)
        packed, packed_seconds = scrape(port, accept, compressed=True)
        lines = f", {sum(1 for line in body.splitlines() if not line.startswith(b'#'))} samples" if name != "protobuf" else ""
        assert gzip.decompress(packed)
        print(f"{name:12} {len(body):>12,} bytes in {seconds:.2f} s, gzipped {len(packed):,} in {packed_seconds:.2f} s{lines}")
    status = pathlib.Path(f"/proc/{agent.pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    print(f"resident {resident / 1024:.0f} MiB")
    return 1 if wrong or total != [wanted, arguments.routes * 4] else 0


if __name__ == "__main__":
    sys.exit(main())
