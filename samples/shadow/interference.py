#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Whether mirroring is felt in production: throughput and latency with targets that misbehave, against none.

For each way to misbehave, rounds with and without mirroring of everything alternate under the full load of wrk, so that
what else the machine does meets both alike; what is shown are medians and their ratio, the agent's memory before and
after, and what became of the copies. At the end the kill switch is thrown under load, and the time until the last copy
arrived is shown. Run it as root after `make build`. Needs nginx and wrk.

usage: interference.py [--agent PROGRAM] [--rounds N] [--seconds N]
"""
import argparse
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

import shop

MIRROR = """\
mirror:
  enabled: true
  paused: true
  memory: 32MiB
  targets: {{staging: {{url: "http://127.0.0.1:{port}", rate: 500/s, timeout: 2s, breaker: {{errorShare: 1}}}}}}
  policies: [{{name: all, target: staging, percent: 100}}]
"""


class Target:
    """A staging server that misbehaves in one way, and remembers when the latest request came."""

    def __init__(self, manner):
        self.manner = manner
        self.latest = 0.0
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        if manner == "refusing":
            self.listener.close()
            return
        self.listener.listen(1024)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            while connection.recv(65536):
                self.latest = time.monotonic()
                getattr(self, self.manner)(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def answering(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def hanging(self, connection):
        time.sleep(3600)

    def resetting(self, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def slow(self, connection):
        time.sleep(1)
        self.answering(connection)

    def endless(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            time.sleep(0.01)


def load(port, seconds):
    """Requests in a second and the 99th percentile of latency in milliseconds, under wrk."""
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", "-H", "Host: shop.example.com"]
    text = subprocess.run(
        command + [f"http://127.0.0.1:{port}/products/1"], capture_output=True, text=True, check=True
    ).stdout
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def measure(demo, rounds, seconds):
    with_, without = [], []
    for _ in range(rounds):
        demo.post("/-/mirror/pause")
        without.append(load(demo.production, seconds))
        demo.post("/-/mirror/resume")
        with_.append(load(demo.production, seconds))
    return [[statistics.median(figure) for figure in zip(*runs)] for runs in (without, with_)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--agent", help="the agent, if not the release build of this repository")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    print(f"{'target':<10} {'req/s off':>10} {'on':>8} {'ratio':>6} {'p99 off':>9} {'on':>8}   memory MiB   copies")
    with shop.Demonstration(options.agent) as demo:
        demo.start_shops([])
        for manner in ("answering", "hanging", "refusing", "resetting", "slow", "endless"):
            target = Target(manner)
            demo.start_agent(MIRROR.format(port=target.port))
            before = demo.resident_mebibytes()
            off, on = measure(demo, options.rounds, options.seconds)
            after = demo.resident_mebibytes()
            lane = demo.mirror()["lanes"][0]
            figures = [f"sent {lane['sent']}", f"answered {lane['answered']}", f"failed {sum(lane['failed'].values())}",
                       f"dropped {sum(lane['dropped'].values())}"]
            adds_up = lane["considered"] == (
                sum(lane["filtered"].values()) + lane["notSampled"] + sum(lane["dropped"].values()) + lane["queued"]
                + lane["sent"]
            )
            print(
                f"{manner:<10} {off[0]:>10.0f} {on[0]:>8.0f} {on[0] / off[0]:>6.3f} {off[1]:>6.2f} ms {on[1]:>5.2f} ms"
                f"   {before:.0f} to {after:.0f}   {', '.join(figures)}, {'adds up' if adds_up else 'DOES NOT ADD UP'}",
                flush=True,
            )
            if manner == "answering":
                print(f"kill switch: {kill_switch(demo, target):.0f} ms until the last copy arrived", flush=True)
            demo.stop_agent()


def kill_switch(demo, target):
    """Milliseconds from asking for the pause until the last copy arrived, under load."""
    demo.post("/-/mirror/resume")
    thread = threading.Thread(target=load, args=(demo.production, 3))
    thread.start()
    time.sleep(1.5)
    asked = time.monotonic()
    demo.post("/-/mirror/pause")
    thread.join()
    return max(0.0, target.latest - asked) * 1000


if __name__ == "__main__":
    main()
