#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Holds the identities of the page Metrics against captures: what came in is what is counted, and nothing is counted twice.

usage: identities.py [--agent PROGRAM] [--jobs N] [--limit-seconds N] [--no-promtool] PATH...

Each PATH is a pcap file or a folder of them. A file is read with the routes of the `objects.yaml` in its folder (and the settings of
`agent.yaml`), or with one route that takes everything on every port that the file has a server on; with the key log `FILE.keys`
or `keys`, if there is one. The metrics page is held against itself and against the request records of the same file, and
promtool checks it. Prints what fails, a count for each identity, and exits 1 when one does not hold. A file that is refused
whole (exit 1 without a page) is named as such.
"""
import argparse
import collections
import concurrent.futures
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ENDINGS = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz", ".cap")
SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
# Protocols in which TCP segments may lie: IPv4 and IPv6 within IPv4, UDP (VXLAN and others) and GRE.
TUNNELS = (4, 17, 41, 47)
FAILURES = re.compile(r"5xx.*|grpc_error|no_response|incomplete_response")

EVERYTHING = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: everything, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: everything, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [everything]
  http: [{name: everything, route: [{destination: {host: everything.istio-system.svc.cluster.local}}]}]
"""


def carried(path):
    """How many bytes the streams of a capture carried, by their sequence numbers; None where that takes more than a plain reading.

    Plain are classic files of Ethernet frames with whole IPv4 datagrams, whose streams are seen from one SYN on, lie in no
    tunnel and have no urgent bytes."""
    data = path.read_bytes()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}.get(data[:4])
    if order is None or len(data) < 24 or struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF != 1:
        return None
    streams, position = {}, 24
    while position + 16 <= len(data):
        captured = struct.unpack_from(order + "I", data, position + 8)[0]
        frame = data[position + 16 : position + 16 + captured]
        position += 16 + captured
        if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[14] >> 4 != 4:
            return None
        if frame[23] in TUNNELS:
            return None
        if frame[23] != 6:
            continue
        length = struct.unpack_from("!H", frame, 16)[0]
        header = (frame[14] & 15) * 4
        segment = frame[14 + header :]
        if struct.unpack_from("!H", frame, 20)[0] & 0x3FFF or not length or len(segment) < 20:
            return None
        number, flags = struct.unpack_from("!I", segment, 4)[0], segment[13]
        if flags & 0x20:
            return None
        stream = frame[26:34] + segment[:4]
        if flags & 2:
            if streams.setdefault(stream, [number, 0])[0] != number:
                return None
            number += 1
        if stream not in streams:
            return None
        payload = length - header - (segment[12] >> 4) * 4
        end = (number + payload - streams[stream][0] - 1) & 0xFFFFFFFF
        if payload > 0 and not flags & 4 and end < 1 << 30:
            streams[stream][1] = max(streams[stream][1], end)
    return sum(end for _, end in streams.values())


class Page:
    """A page in text format 0.0.4."""

    def __init__(self, text):
        self.samples = collections.defaultdict(list)
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                self.samples[name].append((dict(LABEL.findall(labels or "")), float(value)))

    def sum(self, name, **wanted):
        """The sum of the samples of a name whose labels are as wanted: a value, or a predicate."""
        total = 0
        for labels, value in self.samples["wingmirror_" + name]:
            if all(test(labels.get(key, "")) if callable(test) else labels.get(key, "") == test for key, test in wanted.items()):
                total += value
        return total


def status_label(status):
    """The value of `response_code` for a status."""
    return str(status) if 100 <= status <= 599 else "_OTHER"


def is_whole_answer(code):
    return code not in ("0", "unknown")


def identities(page, records, sent=None):
    """Triples of what is held, its left side and its right side, and how they compare; `sent` is what ``carried`` says."""
    if sent is not None:
        delivered, shed = page.sum("reassembly_delivered_bytes_total"), page.sum("reassembly_shed_bytes_total")
        yield "bytes: no more are delivered than were sent", delivered, ("between", 0, sent)
        # More than was sent are those that a lost segment held which only its acknowledgement names.
        yield "bytes: delivered, in gaps and shed", delivered + page.sum("reassembly_gap_bytes_total") + shed, ("between", sent, math.inf)
    yield "packets", page.sum("capture_packets_received_total"), (
        page.sum("decode_tcp_segments_total")
        + page.sum("decode_packets_without_tcp_total")
        + page.sum("decode_errors_total")
    )
    opened, closed = page.sum("flow_connections_opened_total"), page.sum("flow_connections_closed_total")
    yield "connections: opened = closed + open", opened, closed + page.sum("flow_connections_open")
    yield "connections: each has one end", page.sum("connections_closed_total"), closed
    yield "connections: each has one protocol", page.sum("connections_opened_total"), closed

    requests = [record for record in records if record["request"] is not None]
    routed = page.sum("http_requests_total")
    arrived = routed + page.sum("http_requests_unmatched_total") + page.sum("mirror_marked_requests_total")
    yield "requests: counted = recorded", arrived, len(requests)
    yield "requests: none is in flight at the end", page.sum("http_requests_in_flight"), 0
    yield "responses without a request", page.sum("http_unpaired_messages_total", kind="response"), sum(
        record["request"] is None for record in records
    )
    yield "requests without a response", page.sum("http_unpaired_messages_total", kind="request"), sum(
        record["response"] is None for record in requests
    )
    yield "records have a request or a response", sum(
        record["request"] is None and record["response"] is None for record in records
    ), 0

    unreliable = page.sum("http_unreliable_clocks_total")
    answered = page.sum("http_requests_total", response_code=is_whole_answer)
    yield "sizes: one of each request", page.sum("http_request_body_size_bytes_count"), routed
    yield "sizes: one of each response", page.sum("http_response_body_size_bytes_count"), answered
    waits = page.sum("http_server_wait_seconds_count")
    yield "server waits: one of each response with times", waits, ("between", answered - unreliable, answered)
    streams = page.sum("http_streams_total")
    none = page.sum("http_request_duration_seconds_count", response_code_class="none")
    durations = page.sum("http_request_duration_seconds_count")
    yield "durations", durations, ("between", answered - streams - unreliable + none, answered + none)
    yield "durations of unanswered requests", none, (
        "between",
        0,
        page.sum("http_requests_total", response_code="0", error_type=lambda error: error in ("client_closed", "no_response"))
        + page.sum("http_requests_total", response_code="_OTHER"),
    )

    taken = [record for record in requests if record["route"] and record["route"].get("outcome") in ROUTED]
    if len(taken) == routed:
        yield "sizes of requests: sum", page.sum("http_request_body_size_bytes_sum"), sum(
            record["request"]["contentBytes"] for record in taken
        )
        yield "sizes of responses: sum", page.sum("http_response_body_size_bytes_sum"), sum(
            record["response"]["contentBytes"] for record in taken if record["response"]
        )
        by_code = collections.Counter(
            status_label(record["response"]["status"]) for record in taken if record["response"] and record["response"]["status"]
        )
        for code, count in by_code.items():
            yield "requests by status", page.sum("http_requests_total", response_code=code), count
    else:
        yield "requests: routed = recorded as routed", routed, len(taken)

    unknown = page.sum("http_requests_total", response_code="unknown")
    partly = page.sum("http_requests_partly_seen_total")
    yield "every unknown answer was partly seen", unknown, ("between", 0, partly)
    yield "partly seen are requests", partly, ("between", 0, arrived)
    errors = page.sum("http_requests_total", error_type=lambda error: FAILURES.fullmatch(error) is not None)
    yield "errors are of requests whose answer is known", errors, ("between", 0, routed - unknown)
    yield "each 5xx is an error", page.sum("http_requests_total", response_code=lambda code: code.startswith("5")), page.sum(
        "http_requests_total", error_type=lambda error: error.startswith("5xx")
    )
    yield "a code of 0 has a reason", page.sum("http_requests_total", response_code="0", error_type=""), 0
    yield "opaque octets were delivered", page.sum("opaque_bytes_total"), (
        "between", 0, page.sum("reassembly_delivered_bytes_total")
    )
    yield "nothing is held at the end", page.sum("reassembly_buffered_bytes") + page.sum("tls_held_bytes"), 0
    yield from histograms(page)


ROUTED = {"route", "redirect", "direct_response"}


def histograms(page):
    """Each histogram grows with its bounds, and its last bucket is its count."""
    for name, samples in page.samples.items():
        if not name.endswith("_bucket"):
            continue
        series = collections.defaultdict(list)
        for labels, value in samples:
            key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
            series[key].append((math.inf if labels["le"] == "+Inf" else float(labels["le"]), value))
        counts = {tuple(sorted(labels.items())): value for labels, value in page.samples[name[: -len("bucket")] + "count"]}
        for key, buckets in series.items():
            values = [value for _, value in sorted(buckets)]
            yield "buckets grow with their bounds", values, sorted(values)
            yield "the last bucket is the count", values[-1], counts.get(key)


def holds(left, right):
    if isinstance(right, tuple):
        return right[1] <= left <= right[2]
    return left == right


def server_ports(records):
    return sorted({record["server"].rpartition(":")[2] for record in records if record.get("server")})


def examine(agent, path, everything, seconds, promtool):
    """What is wrong with one file: (identities held, failures, whether it was refused)."""
    folder = path.parent
    options = []
    for keys in (path.with_name(path.name + ".keys"), folder / "keys"):
        if keys.exists():
            options += ["--key-log", str(keys)]
            break

    def read(output, more):
        return subprocess.run(
            [*agent, "read", str(path), "--output", output, *options, *more], capture_output=True, timeout=seconds, check=False
        )

    if (folder / "objects.yaml").exists():
        routes = ["--routes", str(folder / "objects.yaml")]
        if (folder / "agent.yaml").exists():
            routes += ["--config", str(folder / "agent.yaml")]
    else:
        first = read("ndjson", ["--routes", str(everything)])
        ports = server_ports([json.loads(line) for line in first.stdout.splitlines()])
        routes = ["--routes", str(everything), "--gateway-selector", "istio=ingressgateway", "--gateway-namespace", "istio-system"]
        for port in ports or ["80"]:
            routes += ["--gateway-port", f"{port}:80"]
    lines, metrics = read("ndjson", routes), read("metrics", routes)
    if not metrics.stdout:
        return {}, [], metrics.stderr.decode(errors="replace").strip().splitlines()[-1:]
    records = [json.loads(line) for line in lines.stdout.splitlines()]
    text = metrics.stdout.decode()
    held, failures = collections.Counter(), []
    for title, left, right in identities(Page(text), records, carried(path)):
        held[title] += 1
        if not holds(left, right):
            failures.append(f"{title}: {left} is not {right}")
    if promtool:
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        held["promtool finds nothing"] += 1
        if checked.returncode or checked.stdout or checked.stderr:
            failures.append("promtool: " + (checked.stdout + checked.stderr).strip())
    return held, failures, []


def files(paths):
    for path in paths:
        path = pathlib.Path(path)
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file() and one.name.endswith(ENDINGS))
        else:
            yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--agent", default="wingmirror")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit-seconds", type=float, default=600)
    parser.add_argument("--no-promtool", action="store_true")
    arguments = parser.parse_args()
    promtool = not arguments.no_promtool and shutil.which("promtool") is not None
    if not promtool:
        print("skipped: promtool check metrics")
    held, failed, refused, count = collections.Counter(), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        everything = pathlib.Path(folder) / "everything.yaml"
        everything.write_text(EVERYTHING)
        found = list(files(arguments.paths))
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            results = pool.map(
                lambda path: examine([arguments.agent], path, everything, arguments.limit_seconds, promtool), found
            )
            for path, (identities_held, failures, refusal) in zip(found, results):
                count += 1
                held.update(identities_held)
                if refusal or not identities_held:
                    refused += 1
                    print(f"refused  {path}: {' '.join(refusal)}")
                if failures:
                    failed += 1
                    print(f"FAILED   {path}")
                    for failure in failures:
                        print(f"         {failure}")
    for title, times in held.items():
        print(f"{times:8}  {title}")
    print(f"{count} files, {refused} refused whole, {failed} with an identity that does not hold, {sum(held.values())} checks")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
