#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Does to a running agent what happens to agents, and says what does not hold.

    fault_check.py AGENT SAMPLES FAULT

AGENT is the program, SAMPLES the folder of that name, FAULT one of those below. Ends with 1 when something does not hold, and
with 77 when the fault needs root. Nothing here depends on how fast the machine is: whatever waits does so for minutes.
"""

import fcntl
import http.server
import json
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

PATIENCE = 300
# Of fcntl(2); older versions of Python do not name it.
F_SETPIPE_SZ = 1031


def wait_for(what, holds):
    """Waits until something holds, and gives what it gave."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"not within {PATIENCE} seconds: {what}")


def expect(what, holds):
    if not holds:
        sys.exit(f"does not hold: {what}")


def free_ports(count):
    """Ports that nothing has, below those that the system hands out by itself: a port of its choice could be another program's by
    the time the agent takes it."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = set()
    while len(ports) < count:
        port = max(lowest - 12_000, 1024) + int.from_bytes(os.urandom(4), "big") % 12_000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.add(port)
    return ports


class Agent:
    """A running agent with a configuration of its own, which is killed if it has not ended by itself."""

    def __init__(self, program, folder, capture, arguments=(), name="agent", served=8080, errors=subprocess.STDOUT):
        self.log = open(folder / f"{name}.log", "w+")
        self.configuration = folder / f"{name}.yaml"
        self.port, metrics = free_ports(2)
        self.text = json.dumps(
            {
                "capture": capture,
                "gateway": {"ports": [{"pod": served, "server": 80}]},
                "admin": {"listen": f"127.0.0.1:{self.port}"},
                "metrics": {"listen": f"127.0.0.1:{metrics}"},
            }
        )
        self.configuration.write_text(self.text)
        command = [str(program), "run", "--config", str(self.configuration), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=errors)

    def __enter__(self):
        wait_for("the agent is ready", lambda: self.process.poll() is not None or self.status("/readyz") == 200)
        if self.process.poll() is not None:
            self.log.seek(0)
            sys.exit(f"the agent ended with {self.process.returncode}: {self.log.read()[-2000:]}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def get(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60).read().decode()

    def status(self, path):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def metric(self, beginning):
        """The sum of the series whose line begins so."""
        lines = self.get("/metrics").splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(beginning))

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """Ends it as Kubernetes does."""
        self.signal(signal.SIGTERM)
        wait_for("the agent ends by SIGTERM", lambda: self.process.poll() is not None)
        self.log.seek(0)
        expect(f"status 0, not {self.process.returncode}: {self.log.read()[-2000:]}", self.process.returncode == 0)


def requests_of(agent):
    return agent.metric("wingmirror_http_requests_total") + agent.metric("wingmirror_http_requests_unmatched_total")


def looping(samples):
    return {"savefiles": [str(samples / "captures/ingress.pcap")], "loop": True, "pace": "realtime"}


def signals(program, samples, folder):
    """A storm of signals: reloads become few, pauses end as they began, and the agent serves on."""
    with Agent(program, folder, looping(samples), ["--routes", samples / "istio"]) as agent:
        for _ in range(500):
            for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
                agent.signal(number)
        wait_for("a reload", lambda: agent.metric("wingmirror_config_reloads_total") >= 1)
        expect("/healthz answers", agent.status("/healthz") == 200)
        expect("the configuration is good", agent.metric("wingmirror_config_last_reload_successful") == 1)
        before = requests_of(agent)
        wait_for("traffic is counted on", lambda: requests_of(agent) > before)
        agent.end()


def killed_while_writing(program, samples, folder):
    """SIGKILL at any moment leaves whole lines, but for the last, which the next run takes away."""
    records = folder / "records.ndjson"
    arguments = ["--routes", samples / "istio", "--records", records]
    seen = 0
    for round_number in range(4):
        with Agent(program, folder, looping(samples), arguments, f"run{round_number}") as agent:
            wait_for("records are written", lambda: records.exists() and records.stat().st_size > seen + 8_000)
            if round_number < 3:
                agent.process.kill()
                agent.process.wait()
            else:
                agent.end()
        lines = records.read_bytes().split(b"\n")
        seen = sum(map(len, lines)) + len(lines) - 1
        whole = lines[:-1]
        for line in whole:
            json.loads(line)
        expect("the last run ended with a whole line", round_number < 3 or lines[-1] == b"")


def log_unread(program, samples, folder):
    """A log that nobody reads stops nothing, and the agent ends when it is told to."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 16_384)
    with Agent(program, folder, looping(samples), ["--routes", samples / "istio"], errors=writing) as agent:
        reloads = lambda: agent.metric("wingmirror_config_reloads_total")
        for _ in range(1000):
            if not select.select([], [writing], [], 0)[1]:
                break
            before = reloads()
            agent.signal(signal.SIGHUP)
            wait_for("a reload while the log is read", lambda: reloads() > before)
        expect("the pipe is full", not select.select([], [writing], [], 0)[1])
        # Its last page may have room for some lines more.
        for _ in range(40):
            before = reloads()
            agent.signal(signal.SIGHUP)
            wait_for("a reload that cannot be logged", lambda: reloads() > before)
        expect("/healthz answers", agent.status("/healthz") == 200)
        agent.end()
    os.close(writing)
    os.close(reading)


def file_limit(program, samples, folder):
    """A file that may grow no more ends no agent, and is written on once it may."""
    records = folder / "records.ndjson"
    arguments = ["--routes", samples / "istio", "--records", records]
    with Agent(program, folder, looping(samples), arguments) as agent:
        _, hard = resource.prlimit(agent.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(agent.process.pid, resource.RLIMIT_FSIZE, (1, hard))
        wait_for("the failure is seen", lambda: agent.metric("wingmirror_record_sink_up") == 0)
        resource.prlimit(agent.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        wait_for("records are written again", lambda: agent.metric("wingmirror_record_sink_up") == 1)
        agent.end()
    lines = records.read_bytes().split(b"\n")
    expect("the last line is whole", lines[-1] == b"")
    for line in lines[:-1]:
        json.loads(line)


def configuration_spoiled(spoil):
    def fault(program, samples, folder):
        with Agent(program, folder, looping(samples), ["--routes", samples / "istio"]) as agent:
            agent.configuration.unlink()
            spoil(agent.configuration)
            agent.signal(signal.SIGHUP)
            if not agent.configuration.is_fifo():
                wait_for("the reload is refused", lambda: agent.metric("wingmirror_config_last_reload_successful") == 0)
            expect("/healthz answers", agent.status("/healthz") == 200)
            before = requests_of(agent)
            wait_for("traffic is counted on", lambda: requests_of(agent) > before)
            if agent.configuration.is_dir():
                agent.configuration.rmdir()
                agent.configuration.write_text(agent.text)
                agent.signal(signal.SIGHUP)
                wait_for("a good one is taken", lambda: agent.metric("wingmirror_config_last_reload_successful") == 1)
            agent.end()

    return fault


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def ask(port, count):
    for number in range(count):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/fault/{number}", timeout=60).read()


def written(path):
    return path.read_bytes().count(b'"target":"/fault/') if path.exists() else 0


def two_agents(program, samples, folder):
    """Two agents on one interface see all of its traffic, each for itself."""
    port = serve()
    capture = {"interfaces": ["lo"], "filter": f"tcp port {port}"}
    files = [folder / "first.ndjson", folder / "second.ndjson"]
    with Agent(program, folder, capture, ["--records", files[0]], "first", port) as first:
        with Agent(program, folder, capture, ["--records", files[1]], "second", port) as second:
            ask(port, 50)
            wait_for("both have all requests", lambda: [written(file) for file in files] == [50, 50])
            first.end()
            ask(port, 10)
            wait_for("the other goes on", lambda: written(files[1]) == 60)
            second.end()
    expect("the first saw no more", written(files[0]) == 50)


def interface_gone(program, samples, folder):
    """An interface that is deleted and made again is captured again; the others are captured all the while."""
    port = serve()
    name = f"wmf{os.getpid()}"[:15]
    link = lambda *words: subprocess.run(["ip", "link", *words], check=True)
    make = lambda: (link("add", name, "type", "veth", "peer", "name", f"{name}p"[-15:]), link("set", name, "up"))
    make()
    try:
        records = folder / "records.ndjson"
        capture = {"interfaces": ["lo", name], "filter": f"tcp port {port}"}
        with Agent(program, folder, capture, ["--records", records], served=port) as agent:
            captured = lambda: agent.metric(f'wingmirror_capture_interface_up{{interface="{name}"') == 1
            wait_for("the interface is captured", captured)
            for number in range(1, 4):
                link("delete", name)
                wait_for("that it is gone is seen", lambda: not captured())
                ask(port, 10)
                wait_for("the other is captured on", lambda: written(records) == 10 * number)
                make()
                wait_for("it is captured again", captured)
            expect("/healthz answers", agent.status("/healthz") == 200)
            agent.end()
    finally:
        subprocess.run(["ip", "link", "delete", name], check=False)


FAULTS = {
    "signals": signals,
    "killed-while-writing": killed_while_writing,
    "log-unread": log_unread,
    "file-limit": file_limit,
    "configuration-is-folder": configuration_spoiled(pathlib.Path.mkdir),
    "configuration-is-fifo": configuration_spoiled(os.mkfifo),
    "configuration-is-gone": configuration_spoiled(lambda path: None),
    "two-agents": two_agents,
    "interface-gone": interface_gone,
}
NEED_ROOT = {"two-agents", "interface-gone"}


def main():
    program, samples, fault = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    if fault in NEED_ROOT and os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="wingmirror-fault-") as folder:
        FAULTS[fault](program, samples, pathlib.Path(folder))


if __name__ == "__main__":
    main()
