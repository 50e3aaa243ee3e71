# Wingmirror · Apache-2.0
"""What the demonstrations of this folder share: a shop behind nginx, its staging, an agent, and traffic."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What is planted in requests and must be found nowhere behind the agent.
SECRETS = ("planted-bearer-5f1c", "planted-cookie-91ab")

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop.example.com"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.example.com]
  gateways: [shop]
  http:
    - {name: products, match: [{uri: {prefix: /products}}], route: [{destination: {host: products}}]}
    - {name: rest, route: [{destination: {host: web}}]}
"""

# The answers of the three shops: production, the same version in staging, and a changed one.
ANSWER = """{"id":$1,"name":"product $1","price":$1.5,"tags":["new","sale"],"request":"$request_id"}"""
CHANGED = """{"id":$1,"name":"product $1","price":"$1.5","tags":["sale","new"],"request":"$request_id"}"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process=None, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        if process is not None and process.poll() is not None:
            break
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def find_agent(path=None):
    if path:
        return path
    folder = subprocess.run(
        ["swift", "build", "-c", "release", "--show-bin-path"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    agent = os.path.join(folder, "wingmirror")
    if not os.path.exists(agent):
        sys.exit("there is no release build yet: run `make build`")
    return agent


class Demonstration:
    """A folder, the processes started in it, and their end."""

    def __init__(self, agent=None):
        if os.geteuid() != 0:
            sys.exit("capturing needs root: run this with sudo")
        if not shutil.which("nginx"):
            sys.exit("nginx is missing: apt-get install nginx-light")
        self.agent_program = find_agent(agent)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wingmirror-shadow-"))
        self.processes = []
        self.admin = free_port()
        self.production = free_port()
        self.agent = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(8)
            if process.poll() is None:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, command, log):
        output = open(self.folder / log, "ab")
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self.folder)
        self.processes.append(process)
        return process

    def start_shops(self, staging):
        """Production, and staging as pairs of port and whether it is changed."""
        servers = [self.shop(self.production, False)] + [self.shop(port, changed) for port, changed in staging]
        paths = "".join(
            f"{name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log;\n"
            "events { worker_connections 4096; }\n"
            f"http {{ access_log off; keepalive_requests 1000000; {paths}\n" + "\n".join(servers) + "\n}\n"
        )
        nginx = self.start(["nginx", "-c", str(self.folder / "nginx.conf")], "nginx.out")
        for port in [self.production] + [port for port, _ in staging]:
            wait_for(port, nginx)

    @staticmethod
    def shop(port, changed):
        failure = 'if ($request_uri ~ "/products/.*7$") { return 500; }' if changed else ""
        answer = CHANGED if changed else ANSWER
        return (
            f"server {{ listen 127.0.0.1:{port}; default_type application/json; {failure}\n"
            f"  location ~ ^/products/([0-9]+)$ {{ return 200 '{answer}'; }}\n"
            "  location / { return 200 '{\"page\":\"home\"}'; } }"
        )

    def start_agent(self, mirror):
        (self.folder / "routes.yaml").write_text(ROUTES)
        (self.folder / "agent.yaml").write_text(
            f"capture: {{interfaces: [lo]}}\n"
            f"gateway: {{namespace: shop, labels: {{istio: ingressgateway}}, addresses: [127.0.0.1], "
            f"ports: [{{pod: {self.production}, server: 80}}]}}\n"
            f"routes: {{files: [{self.folder}/routes.yaml]}}\n"
            f'metrics: {{listen: "127.0.0.1:{self.admin}"}}\nlog: {{format: text}}\n{mirror}'
        )
        self.agent = self.start([self.agent_program, "run", "--config", "agent.yaml"], "agent.log")
        wait_for(self.admin, self.agent)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                if urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=2).status == 200:
                    return
            time.sleep(0.05)
        sys.exit("the agent does not capture:\n" + (self.folder / "agent.log").read_text())

    def stop_agent(self):
        self.agent.send_signal(signal.SIGTERM)
        self.agent.wait(10)

    def get(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=10).read().decode()

    def post(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}{path}", method="POST", headers={"X-Wingmirror-Request": "1"})
        return urllib.request.urlopen(request, timeout=10).read().decode()

    def mirror(self):
        return json.loads(self.get("/api/v1/mirror"))

    def resident_mebibytes(self):
        for line in open(f"/proc/{self.agent.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def visit(self, count, rate, clients=4):
        """Sends requests for products from several clients, each request with credentials that must go no further."""

        def client(number):
            connection = http.client.HTTPConnection("127.0.0.1", self.production)
            begin = time.monotonic()
            for index in range(count // clients):
                fields = {
                    "Host": "shop.example.com",
                    "Authorization": f"Bearer {SECRETS[0]}",
                    "Cookie": f"session={SECRETS[1]}",
                    "x-request-id": f"{number:04d}-{index:027d}",
                }
                connection.request("GET", f"/products/{index % 97}?access_token={SECRETS[0]}", headers=fields)
                connection.getresponse().read()
                due = begin + (index + 1) * clients / rate
                time.sleep(max(0, due - time.monotonic()))

        threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
