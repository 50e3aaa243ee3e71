#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Runs an agent for a while with everything at once, and looks whether it stays what it was.

    sudo python3 Tests/Robustness/soak.py --agent .build/release/wingmirror --seconds 1800

On loopback: an HTTP server and clients of it (connections that stay, connections that come and go, mirroring to a second server),
connections with heads, HTTP/2 blocks and TLS hellos that never end, pages that nobody reads, idle connections to the endpoints,
scrapers, a page that listens to events, reloads, changed and broken routes and configurations, records that are renamed, truncated
and find the disk full. Every five seconds: counters never decrease, mirroring's sums are true, `/healthz` answers. At the end:
memory, descriptors and threads are those of the second tenth, and each exchange is in a record or counted as dropped.
"""

import argparse
import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))
sys.path.insert(0, FOLDER)
import generate  # noqa: E402

GOOD_ROUTES = open(f"{ROOT}/samples/istio/order-vs.yaml").read()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server(threading.Thread):
    """Answers every request with two octets, some with 500."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        buffer = b""
        try:
            connection.settimeout(120)
            while data := connection.recv(65536):
                buffer += data
                while (end := buffer.find(b"\r\n\r\n")) >= 0:
                    status = b"500 Oops" if b"/fail" in buffer[:end] else b"200 OK"
                    buffer = buffer[end + 4 :]
                    connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nhi")
                buffer = buffer[-100_000:]
        except OSError:
            pass
        finally:
            connection.close()


class Soak:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.traffic, self.shadow, self.admin = free_port(), free_port(), free_port()
        self.routes, self.configuration = f"{folder}/routes", f"{folder}/agent.yaml"
        self.disk = f"{folder}/disk"
        self.problems, self.samples, self.previous = [], [], {}
        self.ends = threading.Event()
        self.random = random.Random(7)
        self.requests = self.lines = 0

    def fail(self, text):
        self.problems.append(text)
        print(f"  problem: {text}", flush=True)

    # --- The agent

    def write_configuration(self, text=None):
        text = text or f"""
capture: {{interfaces: [lo], ringBytes: 8MiB}}
gateway: {{ports: [{{pod: {self.traffic}, server: 80}}]}}
routes: {{files: [{self.routes}]}}
metrics: {{listen: "127.0.0.1:{self.admin}"}}
limits: {{memory: {self.arguments.memory}}}
records: {{file: {self.disk}/records.ndjson}}
mirror:
  enabled: true
  targets: {{s: {{url: "http://127.0.0.1:{self.shadow}", hosts: ["127.0.0.1"], rate: 50/s}}}}
  policies: [{{name: p, target: s, percent: 20}}]
"""
        with open(self.configuration + ".new", "w") as file:
            file.write(text)
        os.replace(self.configuration + ".new", self.configuration)

    def start(self):
        os.makedirs(self.routes)
        os.makedirs(self.disk)
        for name in os.listdir(f"{ROOT}/samples/istio"):
            shutil.copy(f"{ROOT}/samples/istio/{name}", self.routes)
        self.mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", self.disk]).returncode == 0
        self.write_configuration()
        Server(self.traffic).start()
        Server(self.shadow).start()
        self.log = open(f"{self.folder}/agent.log", "w")
        command = [os.path.abspath(self.arguments.agent), "run", "--config", self.configuration]
        self.process = subprocess.Popen(command, stderr=self.log, stdout=subprocess.DEVNULL, cwd=ROOT)
        for _ in range(600):
            try:
                if self.ask("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.log.flush()
        sys.exit("the agent is not ready:\n" + open(f"{self.folder}/agent.log").read()[-2000:])

    def ask(self, path, method="GET", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    # --- What happens all the time

    def connect(self, port):
        return socket.create_connection(("127.0.0.1", port), 5)

    def keep_alive(self):
        while not self.ends.is_set():
            try:
                with self.connect(self.traffic) as connection:
                    for _ in range(self.random.randrange(1, 200)):
                        if self.ends.is_set():
                            break
                        path = self.random.choice(["/products/1", "/orders", "/fail", "/elsewhere", "/products/2?token=t"])
                        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: shop.example.com\r\n\r\n".encode())
                        if not connection.recv(4096):
                            break
                        self.requests += 1
                        time.sleep(0.01)
            except OSError:
                pass

    def hold(self, port, payloads, count):
        """Connections that send something and then nothing, given up and begun again each minute."""
        while not self.ends.is_set():
            held = []
            for number in range(count):
                try:
                    connection = self.connect(port)
                    connection.setblocking(False)
                    connection.send(payloads[number % len(payloads)])
                    held.append(connection)
                except OSError:
                    pass
            self.ends.wait(30)
            for connection in held:
                connection.close()
            self.ends.wait(5)

    def listen_to_events(self):
        while not self.ends.is_set():
            try:
                with self.connect(self.admin) as connection:
                    connection.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    connection.settimeout(5)
                    while not self.ends.is_set() and connection.recv(65536):
                        pass
            except OSError:
                pass

    def begin(self):
        entries = b"".join(generate.literal(b"x-%d" % n, b"y" * 150, True) for n in range(20))
        block = generate.literal(b"x", b"y" * 280, False) * 50
        start = generate.PREFACE + generate.SETTINGS
        attacks = [
            b"GET /x HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(59)),
            start + generate.frame(1, 5, 1, generate.GET + entries),
            start + generate.frame(1, 1, 1, generate.GET) + generate.frame(9, 0, 1, block),
            generate.records(generate.hello(b"h.example.com", 65000))[:60000],
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x02\x10" + b"z" * 500,
            generate.REQUEST * 50,
            os.urandom(2000),
        ]
        # What a page is asked for and not read; and connections that ask nothing.
        unread = [b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /api/v1/routes HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
        tasks = [(self.keep_alive, ())] * 8
        tasks += [(self.hold, (self.traffic, attacks, self.arguments.connections))]
        tasks += [(self.hold, (self.admin, unread, 40)), (self.hold, (self.admin, [b"", b"GET / HT"], 60))]
        tasks += [(self.listen_to_events, ())]
        for task, values in tasks:
            threading.Thread(target=task, args=values, daemon=True).start()

    # --- What happens now and then

    def disturb(self, number):
        records = f"{self.disk}/records.ndjson"
        match number % 9:
            case 0:
                self.process.send_signal(signal.SIGHUP)
            case 1:
                self.ask("/-/reload", "POST", {"X-Wingmirror-Request": "1"})
            case 2:
                with open(f"{self.routes}/more.yaml", "w") as file:
                    file.write(GOOD_ROUTES.replace("order-vs", f"more-{number}").replace("/orders", f"/more-{number}"))
            case 3:
                kept = open(self.configuration).read()
                self.write_configuration("broken: [")
                self.process.send_signal(signal.SIGHUP)
                time.sleep(0.5)
                self.write_configuration(kept)
            case 4:
                with open(f"{self.routes}/more.yaml", "w") as file:
                    file.write("kind: [")
            case 5:
                if os.path.exists(f"{self.routes}/more.yaml"):
                    os.remove(f"{self.routes}/more.yaml")
            case 6:
                os.rename(records, records + ".1")
                self.process.send_signal(signal.SIGHUP)
                time.sleep(1.5)
                self.count_lines(records + ".1")
                os.remove(records + ".1")
            case 7:
                # A full disk, and room again.
                filler = f"{self.disk}/filler"
                if self.mounted:
                    try:
                        with open(filler, "wb") as file:
                            while True:
                                file.write(bytes(1 << 20))
                                file.flush()
                    except OSError:
                        pass
                    time.sleep(2)
                    os.remove(filler)
            case 8:
                self.ask("/api/v1/exchanges")

    def count_lines(self, path):
        """Counts the lines of a file of records that nobody writes any more; each must be whole."""
        with open(path, "rb") as file:
            data = file.read()
        whole = data.count(b"\n")
        self.lines += whole
        if not data.endswith(b"\n") and data:
            self.fail(f"{path} does not end with a line")
        for line in data.splitlines()[:: max(1, whole // 50)]:
            try:
                json.loads(line)
            except ValueError:
                self.fail(f"a line is no record: {line[:80]!r}")

    # --- Looking

    def metrics(self):
        status, page = self.ask("/metrics")
        if status != 200:
            return None
        types, values = {}, {}
        for line in page.decode().splitlines():
            if line.startswith("# TYPE"):
                _, _, name, kind = line.split(" ", 3)
                types[name] = kind
            elif line and line[0] != "#":
                key, value = line.rsplit(" ", 1)
                values[key] = float(value)
        for key, value in values.items():
            name = re.sub("_(bucket|count|sum)$", "", key.split("{")[0])
            isCounter = types.get(key.split("{")[0]) == "counter" or types.get(name) == "histogram"
            if isCounter and key in self.previous and value < self.previous[key] - 1e-9:
                self.fail(f"{key} went from {self.previous[key]} to {value}")
        self.previous = values
        return values

    def total(self, name, pattern=""):
        return sum(v for k, v in self.previous.items() if k.split("{")[0] == name and re.search(pattern, k))

    def look(self, elapsed):
        started = time.monotonic()
        try:
            if self.ask("/healthz")[0] != 200:
                self.fail("/healthz is not 200")
            health = time.monotonic() - started
            self.metrics()
            accept = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            self.ask("/metrics", headers={"Accept": accept})
            for path in ("/", "/api/v1/routes", "/api/v1/status"):
                self.ask(path)
            lanes = json.loads(self.ask("/api/v1/mirror")[1])["lanes"]
        except (OSError, http.client.HTTPException, ValueError) as error:
            return self.fail(f"at {elapsed:.0f} s an endpoint failed: {error!r}")
        for lane in lanes:
            filtered, dropped, failed = (sum(lane[word].values()) for word in ("filtered", "dropped", "failed"))
            if lane["considered"] != filtered + lane["notSampled"] + dropped + lane["queued"] + lane["sent"]:
                self.fail(f"considered requests do not add up: {lane}")
            if lane["sent"] != lane["answered"] + failed + lane["inFlight"]:
                self.fail(f"sent requests do not add up: {lane}")
        status = open(f"/proc/{self.process.pid}/status").read()
        value = lambda word: int(re.search(word + r":\s+(\d+)", status).group(1))
        sample = {
            "t": elapsed, "health": health, "anon": value("RssAnon") / 1024, "rss": value("VmRSS") / 1024,
            "peak": value("VmHWM") / 1024, "threads": value("Threads"),
            "descriptors": len(os.listdir(f"/proc/{self.process.pid}/fd")),
            "level": self.total("wingmirror_load_shedding_level"),
            "requests": self.total("wingmirror_http_requests_total"),
            "drops": self.total("wingmirror_capture_packets_dropped_total"),
        }  # fmt: skip
        self.samples.append(sample)
        if len(self.samples) % 6 == 1:
            print(
                "t={t:5.0f} s  anon {anon:5.1f}  rss {rss:5.1f}  peak {peak:5.1f} MiB  threads {threads}  "
                "descriptors {descriptors}  level {level:.0f}  requests {requests:.0f}  kernel drops {drops:.0f}  "
                "healthz {health:.3f} s".format(**sample),
                flush=True,
            )

    def judge(self):
        """Memory, descriptors and threads at the end are those of the beginning; the records add up."""
        count = max(3, len(self.samples) // 10)
        first, last = self.samples[count : 2 * count], self.samples[-count:]
        for key, slack in (("anon", 8), ("threads", 2), ("descriptors", 20)):
            before, after = (sorted(sample[key] for sample in part)[len(part) // 2] for part in (first, last))
            print(f"{key}: median {before:.1f} at the beginning, {after:.1f} at the end")
            if after > before * 1.15 + slack:
                self.fail(f"{key} grew")
        peak = max(sample["peak"] for sample in self.samples)
        health = sorted(sample["health"] for sample in self.samples)
        print(f"peak {peak:.1f} MiB; /healthz median {health[len(health) // 2]:.4f} s, slowest {health[-1]:.3f} s")

    def end(self):
        self.ends.set()
        time.sleep(3)
        self.metrics()
        self.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        status = self.process.wait(20)
        print(f"SIGTERM: ended with status {status} after {time.monotonic() - started:.2f} s")
        if time.monotonic() - started > 6:
            self.fail("SIGTERM took too long")
        self.count_lines(f"{self.disk}/records.ndjson")
        self.log.flush()
        text = open(f"{self.folder}/agent.log").read()
        lost = re.findall(r"(\d[\d,]*) of (\d[\d,]*) records were not written", text)
        dropped, told = (int(word.replace(",", "")) for word in lost[-1]) if lost else (0, None)
        print(f"records: {self.lines} whole lines, {dropped} counted as dropped, told {told}; {self.requests} requests")
        if told is not None and self.lines + dropped != told:
            self.fail(f"{self.lines} written and {dropped} dropped records are not {told}")
        if (status != 0) != (dropped > 0):
            self.fail(f"the exit status {status} does not tell of {dropped} lost records")
        for line in text.splitlines():
            if "Fatal" in line or "crash" in line.lower():
                self.fail(line[:200])

    def run(self):
        self.start()
        self.begin()
        started, number = time.monotonic(), 0
        while (elapsed := time.monotonic() - started) < self.arguments.seconds:
            self.look(elapsed)
            if number % 2:
                self.disturb(number // 2)
            number += 1
            if self.process.poll() is not None:
                self.fail(f"the agent ended with status {self.process.returncode}")
                break
            time.sleep(5)
        if self.process.poll() is None:
            self.judge()
            self.end()
        print("problems:", len(self.problems))
        return 1 if self.problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", default=f"{ROOT}/.build/release/wingmirror")
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--memory", default="64MiB")
    parser.add_argument("--connections", type=int, default=400, help="connections that attack at a time")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(arguments, folder)
        try:
            status = soak.run()
        finally:
            if soak.process.poll() is None:
                soak.process.kill()
            if soak.mounted:
                subprocess.run(["umount", "-l", soak.disk])
    sys.exit(status)


if __name__ == "__main__":
    main()
