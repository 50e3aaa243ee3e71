#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Attacks the endpoints of an agent from another network namespace, and says how long `/healthz` takes meanwhile.

    sudo python3 Tests/Robustness/endpoints.py --agent .build/release/wingmirror [CASE…]

An agent with a page of several MiB is asked for `/healthz` on loopback, as a probe of the node would, while connections are idle
or slow, pages are not read or read greedily, requests are sent far ahead of their responses, ten thousand route files are loaded
again, and its configuration is a pipe. Prints median, ninth tenth and worst of each, and the agent's peak memory. Fails where the
median is beyond 100 ms, an answer is not 200, or SIGTERM does not end the agent in time.
"""

import argparse
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)
import generate  # noqa: E402

ADMIN, HOST, PEER = 9646, "10.213.0.1", "10.213.0.2"

CONFIGURATION = """
capture: {savefiles: [%(folder)s/traffic.pcap], pace: fast}
gateway: {ports: [{pod: 80, server: 80}]}
routes: {files: [%(folder)s/routes]}
metrics: {listen: "0.0.0.0:9646"}
limits: {memory: 512MiB}
"""

ROUTE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs-%d, namespace: default}
spec:
  hosts: ["h%d.example.com"]
  gateways: [my-gateway]
  http:
"""
RULE = """  - match: [{uri: {prefix: /%d}}]
    route: [{destination: {host: s%d.default.svc.cluster.local}}]
"""


def write_inputs(folder, files, rules, requested):
    """Route files, and a capture with requests for some of their routes."""
    os.makedirs(f"{folder}/routes")
    with open(f"{folder}/routes/gateway.yaml", "w") as file:
        file.write(
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: my-gateway, namespace: default}\n"
            "spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, "
            'hosts: ["*"]}]}\n'
        )
    for number in range(files):
        with open(f"{folder}/routes/vs-{number}.yaml", "w") as file:
            file.write(ROUTE % (number, number) + "".join(RULE % (rule, number) for rule in range(rules)))
    with open(f"{folder}/traffic.pcap", "wb") as file:
        capture = generate.Capture(file)
        for number in range(requested):
            connection = generate.Connection(capture, number)
            for status in (200, 404, 500, 503):
                connection.to_server(b"GET /0 HTTP/1.1\r\nHost: h%d.example.com\r\n\r\n" % number)
                connection.to_client(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
        capture.flush()


class Agent:
    """An agent that has read its capture."""

    def __init__(self, path, folder):
        self.folder = folder
        self.configuration = f"{folder}/agent.yaml"
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION % {"folder": folder})
        self.log = open(f"{folder}/agent.log", "w")
        command = [path, "run", "--config", self.configuration]
        self.process = subprocess.Popen(command, stderr=self.log, stdout=self.log)
        end = time.monotonic() + 120
        while self.process.poll() is None and time.monotonic() < end:
            try:
                if ask("/readyz") == 200:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        sys.exit("the agent is not ready:\n" + open(f"{folder}/agent.log").read()[-2000:])

    def peak(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024

    def end(self):
        started = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return time.monotonic() - started


def ask(path, timeout=10, method="GET"):
    """The status of an answer, on loopback."""
    with socket.create_connection(("127.0.0.1", ADMIN), timeout) as connection:
        own = "" if method == "GET" else "X-Wingmirror-Request: 1\r\n"
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{own}Connection: close\r\n\r\n".encode())
        answer = connection.recv(4096)
        return int(answer.split(b" ", 2)[1]) if answer else 0


def measure(seconds, least):
    """How long `/healthz` takes, in seconds, asked over and over; and what went wrong."""
    times, wrong = [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(times) < least:
        started = time.monotonic()
        try:
            wrong += ask("/healthz") != 200
        except OSError:
            wrong += 1
        times.append(time.monotonic() - started)
        time.sleep(0.05)
    return sorted(times), wrong


# --- What the peer does, in a process in the other namespace


def hold(mode, count, seconds):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held, end = [], time.monotonic() + seconds
    for _ in range(count):
        try:
            connection = socket.socket()
            connection.settimeout(1)
            if mode == "unread":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.connect((HOST, ADMIN))
            connection.setblocking(False)
            if mode == "unread":
                connection.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            if mode == "slow":
                connection.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n")
            held.append(connection)
        except OSError:
            pass
    print("held", flush=True)
    while time.monotonic() < end:
        for connection in held if mode == "slow" else []:
            try:
                connection.send(b"a")
            except OSError:
                pass
        time.sleep(1)


def scrape(count, seconds):
    def one():
        while time.monotonic() < end:
            try:
                with socket.create_connection((HOST, ADMIN), 10) as connection:
                    connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    while connection.recv(1 << 20):
                        pass
            except OSError:
                pass

    end = time.monotonic() + seconds
    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    print("held", flush=True)
    for thread in threads:
        thread.join()


def send_ahead(count, seconds):
    """Sends requests as fast as they are taken, and reads what comes of them now and then."""

    def one():
        while time.monotonic() < end:
            try:
                with socket.create_connection((HOST, ADMIN), 10) as connection:
                    while time.monotonic() < end:
                        connection.setblocking(False)
                        try:
                            connection.send(requests)
                            connection.recv(1 << 16)
                        except BlockingIOError:
                            time.sleep(0.01)
            except OSError:
                # A connection that was closed; the next one is made at once.
                time.sleep(0.01)

    requests = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 2_000
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    print("held", flush=True)
    for thread in threads:
        thread.join()


# --- Cases


class Cases:
    def __init__(self, agent, peer, folder):
        self.agent, self.peer, self.folder = agent, peer, folder

    def attacked(self, kind, *values, seconds=15):
        command = ["nsenter", "-t", str(self.peer), "-n", sys.executable, __file__, "--peer", kind]
        command += [*map(str, values), str(seconds + 25)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        process.stdout.readline()
        try:
            return measure(seconds, 50)
        finally:
            process.kill()
            process.wait()

    def quiet(self):
        return measure(5, 50)

    def unread_40(self):
        return self.attacked("hold", "unread", 40)

    def unread_384(self):
        return self.attacked("hold", "unread", 384)

    def idle_10000(self):
        return self.attacked("hold", "idle", 10_000)

    def slow_1000(self):
        return self.attacked("hold", "slow", 1_000)

    def scrapers_12(self):
        return self.attacked("scrape", 12)

    def ahead_40(self):
        return self.attacked("ahead", 40)

    def reloads(self, count):
        def reload():
            statuses.append(ask("/-/reload", 120, "POST"))

        statuses = []
        os.utime(f"{self.folder}/routes/vs-0.yaml")
        threads = [threading.Thread(target=reload) for _ in range(count)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        times, wrong = [], 0
        while any(thread.is_alive() for thread in threads) or len(times) < 20:
            more, failed = measure(0, 1)
            times, wrong = times + more, wrong + failed
        print(f"  reloads of {count} requests took {time.monotonic() - started:.1f} s: {statuses}")
        return sorted(times), wrong + sum(status != 200 for status in statuses)

    def reload(self):
        return self.reloads(1)

    def three_reloads(self):
        return self.reloads(3)

    def pipe(self):
        """The configuration is a pipe that nobody writes to, and a reload is asked for in both ways."""
        os.rename(self.agent.configuration, self.agent.configuration + ".kept")
        os.mkfifo(self.agent.configuration)
        self.agent.process.send_signal(signal.SIGHUP)
        asking = threading.Thread(target=lambda: ask("/-/reload", 60, "POST"), daemon=True)
        asking.start()
        return measure(5, 50)


CASES = [name for name in vars(Cases) if name[0] != "_" and name not in ("attacked", "reloads")]


def enter_namespaces():
    """Goes on in a network namespace, and gives the process that keeps the peer's, which is joined to it."""
    if os.environ.get("WINGMIRROR_ENDPOINTS") != "inside":
        os.environ["WINGMIRROR_ENDPOINTS"] = "inside"
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])
    keeper = subprocess.Popen(["unshare", "-n", "sleep", "3600"])
    time.sleep(0.5)

    def ip(text, inside=()):
        subprocess.run([*inside, "ip", *text.split()], check=True)

    there = ["nsenter", "-t", str(keeper.pid), "-n"]
    ip("link set lo up")
    ip("link add attacked type veth peer name attacker")
    ip(f"link set attacker netns {keeper.pid}")
    ip(f"addr add {HOST}/24 dev attacked")
    ip("link set attacked up")
    ip(f"addr add {PEER}/24 dev attacker", there)
    ip("link set attacker up", there)
    return keeper


def main():
    if sys.argv[1:2] == ["--peer"]:
        kind, *values = sys.argv[2:]
        if kind == "hold":
            return hold(values[0], *map(int, values[1:]))
        if kind == "ahead":
            return send_ahead(*map(int, values))
        return scrape(*map(int, values))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", default=f"{FOLDER}/../../.build/release/wingmirror")
    parser.add_argument("--files", type=int, default=10_000, help="route files")
    parser.add_argument("--requested", type=int, default=1_000, help="routes with traffic, which make the page large")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    arguments = parser.parse_args()
    keeper, failures = enter_namespaces(), 0
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(folder, arguments.files, 5, arguments.requested)
        agent = Agent(os.path.abspath(arguments.agent), folder)
        load = os.getloadavg()[0]
        print(f"ready; peak {agent.peak():.0f} MiB; load {load:.1f} on {os.cpu_count()} cores", flush=True)
        for name in arguments.cases or CASES:
            times, wrong = getattr(Cases(agent, keeper.pid, folder), name)()
            median, tenth, worst = times[len(times) // 2], times[len(times) * 9 // 10], times[-1]
            isBad = median > 0.1 or wrong
            failures += bool(isBad)
            print(
                f"{name:14} {len(times):4} asked  median {median * 1e3:6.1f} ms  90 % {tenth * 1e3:6.1f}  worst "
                f"{worst * 1e3:7.1f}  wrong {wrong}  peak {agent.peak():4.0f} MiB  {'FAILED' if isBad else 'ok'}",
                flush=True,
            )
        took = agent.end()
        print(f"SIGTERM: ended after {took:.1f} s")
        failures += took > 6
    keeper.kill()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
