#!/usr/bin/env python3
"""A node of network namespaces: counts each request once, follows a gateway pod that is replaced, and two gateways at once.

    sudo python3 samples/kubernetes/try_in_namespaces.py .build/release/wingmirror

A gateway pod behind a veth pair forwards to two backends on its own port 8080, one of them on its node. Then a second gateway comes,
with a Gateway and routes of its own for the same host and port. The agent runs in the node's namespace and is given nothing but the
address of an API server, which this script plays. Needs root and iproute2; all
traffic stays in the namespaces. Exit 0 if the counts are right.
"""
import http.client
import http.server
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from api_server import Objects, Server

PREFIX = f"wm{os.getpid() % 10000}"
NODE, GATEWAY, NEAR, FAR, CLIENT = (f"{PREFIX}{n}" for n in ("n", "g", "b", "f", "c"))
HERE = os.path.abspath(__file__)


def run(*command):
    subprocess.run(command, check=True)


def inside(namespace, *command, **options):
    return subprocess.Popen(["ip", "netns", "exec", namespace, *command], **options)


def pod(namespace, interface, address):
    """A pod as Calico makes it: a veth pair, and a route of its own on the node."""
    run("ip", "netns", "add", namespace)
    run("ip", "-n", NODE, "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    run("ip", "-n", NODE, "link", "set", interface, "up")
    run("ip", "-n", NODE, "addr", "add", "169.254.1.1/32", "dev", interface)
    run("ip", "-n", NODE, "route", "add", f"{address}/32", "dev", interface)
    for arguments in (["link", "set", "lo", "up"], ["link", "set", "eth0", "up"], ["addr", "add", f"{address}/32", "dev", "eth0"],
                      ["route", "add", "169.254.1.1", "dev", "eth0"], ["route", "add", "default", "via", "169.254.1.1"]):
        run("ip", "-n", namespace, *arguments)


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    targets = ()
    count = 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.targets:
            # The gateway: forwards to its backends in turn, with HTTP/1.1 as Envoy does.
            Backend.count += 1
            upstream = http.client.HTTPConnection(self.targets[Backend.count % len(self.targets)], 8080, timeout=5)
            upstream.request("GET", self.path, headers={"Host": self.headers["Host"], "x-request-id": "1"})
            body = upstream.getresponse().read()
            upstream.close()
        else:
            body = b"ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# MARK: The API server

def gateway(name, namespace, label):
    return {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"istio": label}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}}


def routes(name, namespace, gateway):
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name, "namespace": namespace},
            "spec": {"hosts": ["*"], "gateways": [gateway], "http": [{"route": [{"destination": {"host": name}}]}]}}


def service(namespace, label):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": label, "namespace": namespace},
            "spec": {"selector": {"istio": label}, "ports": [{"name": "http2", "port": 80, "targetPort": "http"}]}}


OBJECTS = {
    "/apis/networking.istio.io/v1/gateways": [gateway("g", "default", "ingress"), gateway("inner", "inner", "inner")],
    "/apis/networking.istio.io/v1/virtualservices": [routes("shop", "default", "g"), routes("inner", "inner", "inner")],
    "/apis/networking.istio.io/v1/destinationrules": [], "/apis/networking.istio.io/v1/serviceentries": [],
    "/api/v1/services": [service("istio-ingress", "ingress"), service("inner", "inner")],
    "/api/v1/namespaces": [], "/api/v1/pods": [], "/api/v1/namespaces/istio-system/configmaps": [],
}

def gateway_pod(name, address):
    namespace, label = ("inner", "inner") if name.startswith("inner") else ("istio-ingress", "ingress")
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "uid": name, "labels": {"istio": label, "app": label},
                         "annotations": {"inject.istio.io/templates": "gateway"}},
            "spec": {"nodeName": "node-1", "containers": [{"name": "istio-proxy", "ports": [{"name": "http", "containerPort": 8080}]}]},
            "status": {"phase": "Running", "podIP": address}}


# MARK: The play

def fetch(path):
    out = subprocess.run(["ip", "netns", "exec", NODE, "curl", "-s", "-m", "5", f"http://127.0.0.1:9646{path}"], capture_output=True, text=True)
    return out.stdout


def counted(gateway="", family="http_requests_total"):
    """The requests that were counted, of one Gateway or of all."""
    samples = re.findall(rf"^wingmirror_{family}\{{([^}}]*)\}} ([0-9.e+]+)", fetch("/metrics"), re.M)
    return int(sum(float(value) for labels, value in samples if f'gateway="{gateway}' in labels))


def wait(what, condition, seconds=40):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return
        time.sleep(0.3)
    raise SystemExit(f"{what}: not within {seconds} s\n{fetch('/readyz')}\n{fetch('/metrics')[-3000:]}")


def listens(address):
    """Whether the pod's server has come up; a connection without a request counts as none."""
    return inside(CLIENT, "bash", "-c", f"exec 3<>/dev/tcp/{address}/8080", stderr=subprocess.DEVNULL).wait() == 0


def send(address, number):
    wait(f"{address} listens", lambda: listens(address))
    script = f"for i in $(seq {number}); do curl -s -m 5 -o /dev/null http://{address}:8080/shop || exit 1; done"
    assert inside(CLIENT, "sh", "-c", script).wait() == 0, "the gateway does not answer"


def play(binary):
    processes = []
    folder = tempfile.mkdtemp()
    try:
        run("ip", "netns", "add", NODE)
        run("ip", "-n", NODE, "link", "set", "lo", "up")
        run("ip", "netns", "exec", NODE, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        pod(GATEWAY, "caligw", "10.1.0.7")
        pod(NEAR, "calinear", "10.1.0.9")
        pod(FAR, "eth1", "10.1.1.9")
        pod(CLIENT, "eth0", "192.0.2.9")
        for namespace in (NEAR, FAR):
            processes.append(inside(namespace, sys.executable, HERE, "serve"))
        processes.append(inside(GATEWAY, sys.executable, HERE, "serve", "10.1.0.9", "10.1.1.9"))
        processes.append(inside(NODE, sys.executable, HERE, "api", stdin=subprocess.PIPE, text=True))
        api = processes[-1]
        config = os.path.join(folder, "w.yaml")
        with open(config, "w") as file:
            file.write(f"capture: {{interfaces: auto}}\nroutes: {{kubernetes: {{enabled: true, server: 'http://127.0.0.1:6443', node: node-1, snapshot: {folder}/objects}}}}\n"
                       "metrics: {listen: '127.0.0.1:9646'}\n")
        processes.append(inside(NODE, binary, "run", "--config", config))
        wait("the agent serves", lambda: "wingmirror_build_info" in fetch("/metrics"))
        assert counted() == 0
        print("ADDED gateway-1 10.1.0.7", file=api.stdin, flush=True)
        wait("the gateway pod is captured", lambda: 'interface_up{interface="caligw"} 1' in fetch("/metrics"))
        wait("routes", lambda: "1 routes" in fetch("/readyz"))
        send("10.1.0.7", 100)
        wait("100 requests", lambda: counted() >= 100)
        time.sleep(2)
        assert counted() == 100, f"{counted()} requests counted of 100"
        # The pod is replaced by one with another address and interface, while the old one is still there.
        pod(f"{PREFIX}h", "caligw2", "10.1.0.8")
        processes.append(inside(f"{PREFIX}h", sys.executable, HERE, "serve", "10.1.0.9", "10.1.1.9"))
        print("ADDED gateway-2 10.1.0.8", file=api.stdin, flush=True)
        wait("the second pod is captured", lambda: 'interface_up{interface="caligw2"} 1' in fetch("/metrics"))
        send("10.1.0.8", 50)
        send("10.1.0.7", 10)
        wait("160 requests", lambda: counted() >= 160)
        print("DELETED gateway-1 10.1.0.7", file=api.stdin, flush=True)
        wait("the first pod is left", lambda: re.search(r"^wingmirror_gateway_pods\{[^}]*\} 1(\.0)?$", fetch("/metrics"), re.M))
        send("10.1.0.8", 40)
        wait("200 requests", lambda: counted() >= 200)
        time.sleep(2)
        assert counted() == 200, f"{counted()} requests counted of 200"
        print("200 requests sent through two gateway pods, 200 counted")
        # A second gateway on the node, for the same host and port.
        pod(f"{PREFIX}i", "caliin", "10.1.0.20")
        processes.append(inside(f"{PREFIX}i", sys.executable, HERE, "serve", "10.1.0.9", "10.1.1.9"))
        print("ADDED inner-1 10.1.0.20", file=api.stdin, flush=True)
        wait("the second gateway is captured", lambda: 'interface_up{interface="caliin"} 1' in fetch("/metrics"))
        wait("both tables", lambda: "2 routes" in fetch("/readyz"))
        senders = [threading.Thread(target=send, args=pair) for pair in (("10.1.0.8", 60), ("10.1.0.20", 40))]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        wait("300 requests", lambda: counted() >= 300)
        time.sleep(2)
        both = (counted("default/g"), counted("inner/inner"), counted(family="http_requests_unmatched_total"))
        assert both == (260, 40, 0), f"260 and 40 requests sent, counted (and by no route): {both}"
        print("100 requests sent through two gateways at once, 60 and 40 counted, each by its own")
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        for namespace in (GATEWAY, f"{PREFIX}h", f"{PREFIX}i", NEAR, FAR, CLIENT, NODE):
            subprocess.run(["ip", "netns", "del", namespace], stderr=subprocess.DEVNULL)


def main():
    if sys.argv[1] == "serve":
        Backend.targets = tuple(sys.argv[2:])
        Server(("0.0.0.0", 8080), Backend).serve_forever()
    elif sys.argv[1] == "api":
        objects = Objects(OBJECTS)
        objects.serve(6443)
        for line in sys.stdin:
            kind, name, address = line.split()
            objects.change("/api/v1/pods", gateway_pod(name, address), kind)
    else:
        play(os.path.abspath(sys.argv[1]))


if __name__ == "__main__":
    main()
