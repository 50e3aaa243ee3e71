#!/usr/bin/env python3
"""An agent on a cluster of 10,000 objects and 5,000 pods: how soon it has a table, how much memory it takes, what a change costs.

    python3 samples/kubernetes/try_at_scale.py .build/release/wingmirror [--objects 10000] [--churn SECONDS]

The API server is this script's. Needs the capability NET_RAW (or root), for the agent captures on loopback; nothing is sent there.
Prints seconds from the first request to the first table (agents of many nodes start together, so each waits at random for up to 10 s
before it asks), resident memory, and for changes of one VirtualService: how long until the table has it,
and how much CPU the agent took. With `--churn` objects are then changed at random, ten a second, and the table is compared with that of
an agent that starts afresh. Exit 1 if the tables differ.
"""
import argparse
import json
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from api_server import ISTIO, Objects


def meta(name, namespace, version):
    return {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}", "resourceVersion": str(version),
            "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 3,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x" * 800},
            "managedFields": [{"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {"f:http": {}}}}]}


def virtual_service(number, revision=0):
    prefix = f"/v{revision}" if revision else "/api"
    return {"apiVersion": ISTIO, "kind": "VirtualService", "metadata": meta(f"vs-{number}", f"team-{number % 100}", 1),
            "spec": {"hosts": [f"app-{number}.example.com"], "gateways": ["istio-system/main"], "http": [
                {"name": "canary", "match": [{"headers": {"x-canary": {"exact": "1"}}, "uri": {"prefix": prefix}}],
                 "route": [{"destination": {"host": f"app-{number}", "subset": "v2", "port": {"number": 80}}}]},
                {"name": "api", "match": [{"uri": {"prefix": prefix}}, {"uri": {"regex": f"/x{number}/[0-9]+"}}],
                 "route": [{"destination": {"host": f"app-{number}", "subset": "v1", "port": {"number": 80}}, "weight": 90},
                           {"destination": {"host": f"app-{number}", "subset": "v2", "port": {"number": 80}}, "weight": 10}]},
                {"name": "rest", "route": [{"destination": {"host": f"app-{number}", "port": {"number": 80}}}]}]}}


def make(objects):
    """Four kinds in the proportions of a large installation, and the gateway."""
    count = objects // 10
    lists = {
        f"/apis/{ISTIO}/virtualservices": [virtual_service(n) for n in range(4 * count)],
        "/api/v1/services": [
            {"apiVersion": "v1", "kind": "Service", "metadata": meta(f"app-{n}", f"team-{n % 100}", 1),
             "spec": {"selector": {"app": f"app-{n}"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}} for n in range(4 * count)],
        f"/apis/{ISTIO}/destinationrules": [
            {"apiVersion": ISTIO, "kind": "DestinationRule", "metadata": meta(f"dr-{n}", f"team-{n % 100}", 1),
             "spec": {"host": f"app-{n}", "subsets": [{"name": v, "labels": {"version": v}} for v in ("v1", "v2")]}} for n in range(2 * count)],
        f"/apis/{ISTIO}/gateways": [
            {"apiVersion": ISTIO, "kind": "Gateway", "metadata": meta("main", "istio-system", 1),
             "spec": {"selector": {"istio": "ingressgateway"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}}],
        f"/apis/{ISTIO}/serviceentries": [], "/api/v1/namespaces": [], "/api/v1/namespaces/istio-system/configmaps": [],
    }
    lists["/api/v1/services"].append(
        {"apiVersion": "v1", "kind": "Service", "metadata": meta("istio-ingressgateway", "istio-system", 1),
         "spec": {"selector": {"istio": "ingressgateway"}, "ports": [{"name": "http2", "port": 80, "targetPort": 8080}]}})
    lists["/api/v1/pods"] = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": dict(meta(f"app-{n}-x", f"team-{n % 100}", 1), labels={"app": f"app-{n}", "version": "v1"}),
         "spec": {"nodeName": f"node-{n % 100}", "containers": [{"name": "app", "image": "x", "env": [{"name": "A", "value": "b" * 200}]}]},
         "status": {"phase": "Running", "podIP": f"10.{n // 65536}.{n // 256 % 256}.{n % 256}"}} for n in range(objects // 2)]
    lists["/api/v1/pods"].append(
        {"apiVersion": "v1", "kind": "Pod", "metadata": dict(meta("gateway-1", "istio-system", 1), labels={"istio": "ingressgateway"}),
         "spec": {"nodeName": "node-1", "containers": [{"name": "istio-proxy", "args": ["proxy", "router"]}]},
         "status": {"phase": "Running", "podIP": "127.0.0.1"}})
    return lists


class Agent:
    def __init__(self, binary, port, folder, name):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = os.path.join(folder, f"{name}.yaml")
        with open(config, "w") as file:
            file.write(f"capture: {{interfaces: [lo]}}\nroutes: {{kubernetes: {{enabled: true, server: 'http://127.0.0.1:{port}', node: node-1}}}}\n"
                       f"metrics: {{listen: '127.0.0.1:{self.port}'}}\nlog: {{level: warning}}\n")
        self.started = time.time()
        self.process = subprocess.Popen([binary, "run", "--config", config])

    def fetch(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def sample(self, name):
        found = re.search(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+-]+)$", self.fetch("/metrics"), re.M)
        return float(found.group(1)) if found else 0.0

    def wait(self, what, condition, seconds=120):
        end = time.time() + seconds
        while time.time() < end:
            if condition():
                return time.time()
            time.sleep(0.02)
        raise SystemExit(f"{what}: not within {seconds} s; {self.fetch('/readyz')}")

    def routes(self):
        found = re.match(r"(\d+) routes", self.fetch("/readyz"))
        return int(found.group(1)) if found else 0

    @property
    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            values = dict(line.split(":", 1) for line in file)
        return sum(int(values[key].split()[0]) for key in ("RssAnon", "RssShmem")) / 1024

    def generation(self):
        try:
            return json.loads(self.fetch("/api/v1/status"))["routes"]["generation"]
        except ValueError:
            return 0

    def hash(self):
        found = re.search(r'wingmirror_route_table_info\{[^}]*hash="([^"]*)"\}', self.fetch("/metrics"))
        return found.group(1) if found else ""

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=5)
    parser.add_argument("--churn", type=float, default=0, metavar="SECONDS")
    arguments = parser.parse_args()
    cluster = Objects(make(arguments.objects))
    port = cluster.serve()
    path = f"/apis/{ISTIO}/virtualservices"
    total = len(cluster.lists[path])
    with tempfile.TemporaryDirectory() as folder:
        agent = Agent(arguments.binary, port, folder, "first")
        try:
            wanted = 4 * total
            ready = agent.wait("the first table", lambda: agent.routes() == wanted)
            print(f"{arguments.objects} objects, {wanted} routes: first table {ready - cluster.first:.2f} s after the first request, "
                  f"which waited {cluster.first - agent.started:.2f} s of at most 10, {agent.cpu:.2f} s of CPU")
            time.sleep(3)
            print(f"resident {agent.resident:.0f} MiB (RssAnon + RssShmem)")
            for number in range(arguments.changes):
                before = agent.generation()
                time.sleep(3)
                idle, begun = agent.cpu, time.time()
                cluster.change(path, virtual_service(7 * number, revision=number + 1))
                live = agent.wait("a change", lambda: agent.generation() != before)
                time.sleep(2)
                print(f"a change of one VirtualService: live after {live - begun:.2f} s, {agent.cpu - idle:.2f} s of CPU in all")
            if arguments.churn:
                churn(agent, arguments, cluster, path, total)
                time.sleep(5)
                fresh = Agent(arguments.binary, port, folder, "second")
                try:
                    fresh.wait("the table of a fresh agent", lambda: fresh.routes() == agent.routes() and fresh.hash() == agent.hash())
                    print(f"the table after the churn is that of a fresh agent: {fresh.hash()}, {fresh.routes()} routes")
                finally:
                    fresh.stop()
            print(f"{cluster.requests} requests to the API server")
        finally:
            agent.stop()


def churn(agent, arguments, cluster, path, total):
    """Changes objects at random, and says what memory does."""
    source = random.Random(1)
    begun, idle, count = time.time(), agent.cpu, 0
    resident = [agent.resident]
    while time.time() - begun < arguments.churn:
        number = source.randrange(total)
        kind = source.choice(["MODIFIED"] * 8 + ["DELETED", "ADDED"])
        cluster.change(path, virtual_service(number, revision=source.randrange(1, 1000)), kind)
        count += 1
        time.sleep(0.1)
        if count % 50 == 0:
            resident.append(agent.resident)
    spent = time.time() - begun
    print(f"{count} changes in {spent:.0f} s: {(agent.cpu - idle) / spent:.2f} of a core; resident {resident[0]:.0f} MiB at first, "
          f"{max(resident):.0f} at most, {agent.resident:.0f} at the end")


if __name__ == "__main__":
    main()
