#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Two nodes with an agent each, a gateway's pod on the second; clients come by a port of the first, which forwards them (DNAT).

    two_nodes_check.py AGENT SAMPLES ARRANGEMENT

AGENT is the program, SAMPLES the folder of that name, ARRANGEMENT one of those below, or `available` to ask whether nodes can be
made here at all. Ends with 1 when the agents' sum is not what was sent. Namespaces are the nodes, and are gone afterwards.
"""

import collections
import contextlib
import ctypes
import http.client
import http.server
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

from fault_check import Agent, expect, wait_for

CLIENT, FIRST, SECOND, POD = (f"wm{os.getpid()}{letter}" for letter in "cabp")
# What each node sends packets for pods of the other through, and whether the first puts its own address in the client's place.
ARRANGEMENTS = {
    "host-gw": ("eth1", False),
    "host-gw-masqueraded": ("eth1", True),
    "vxlan": ("flannel.1", False),
}
LIBC = ctypes.CDLL(None, use_errno=True)


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


@contextlib.contextmanager
def inside(namespace):
    """Sockets and programs that are made within are those of the namespace, and stay so."""
    with open("/proc/thread-self/ns/net") as before, open(f"/run/netns/{namespace}") as there:
        if LIBC.setns(there.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            LIBC.setns(before.fileno(), 0)


@contextlib.contextmanager
def namespaces():
    try:
        for namespace in (CLIENT, FIRST, SECOND, POD):
            ip(f"netns add {namespace}")
            ip(f"-n {namespace} link set lo up")
        yield
    finally:
        for namespace in (CLIENT, FIRST, SECOND, POD):
            subprocess.run(["ip", "netns", "del", namespace], stderr=subprocess.DEVNULL)


def cable(left, left_name, left_address, right, right_name, right_address):
    ip(f"-n {left} link add {left_name} type veth peer name {right_name} netns {right}")
    for namespace, name, address in ((left, left_name, left_address), (right, right_name, right_address)):
        ip(f"-n {namespace} addr add {address} dev {name}")
        ip(f"-n {namespace} link set {name} up")


def tunnel(node, interface, pods, there, there_pods):
    """Flannel's: an address of the node's pods is the tunnel's, and the way to the pods of the other node."""
    addresses = dict(zip((FIRST, SECOND), ("10.9.0.1", "10.9.0.2")))
    ip(
        f"-n {node} link add flannel.1 type vxlan id 1 dstport 8472 dev {interface} "
        f"local {addresses[node]} remote {addresses[there]}"
    )
    ip(f"-n {node} addr add {pods}/32 dev flannel.1")
    ip(f"-n {node} link set flannel.1 up")
    ip(f"-n {node} route add {there_pods}/24 via {there_pods} dev flannel.1 onlink")


def join(out, masquerades):
    cable(CLIENT, "eth0", "192.0.2.2/24", FIRST, "eth0", "192.0.2.1/24")
    cable(FIRST, "eth1", "10.9.0.1/24", SECOND, "eth0", "10.9.0.2/24")
    cable(SECOND, "cali1", "10.244.2.1/32", POD, "eth0", "10.244.2.5/32")
    ip(f"-n {SECOND} route add 10.244.2.5/32 dev cali1")
    ip(f"-n {POD} route add 10.244.2.1/32 dev eth0")
    ip(f"-n {POD} route add default via 10.244.2.1")
    ip(f"-n {CLIENT} route add default via 192.0.2.1")
    if out == "flannel.1":
        tunnel(FIRST, "eth1", "10.244.1.0", SECOND, "10.244.2.0")
        tunnel(SECOND, "eth0", "10.244.2.0", FIRST, "10.244.1.0")
        ip(f"-n {SECOND} route add 192.0.2.0/24 via 10.244.1.0 dev flannel.1 onlink")
    else:
        ip(f"-n {FIRST} route add 10.244.2.0/24 via 10.9.0.2")
        ip(f"-n {SECOND} route add 192.0.2.0/24 via 10.9.0.1")
    for node in (FIRST, SECOND):
        with inside(node):
            pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    source = f'chain post {{ type nat hook postrouting priority 100; oifname "{out}" ct status dnat masquerade; }}'
    rules = f"""table ip nat {{
        chain pre {{ type nat hook prerouting priority -100; tcp dport 30080 dnat to 10.244.2.5:8080; }}
        {source if masquerades else ""}
    }}"""
    with inside(FIRST):
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)


class Gateway(http.server.BaseHTTPRequestHandler):
    """Answers `/products/STATUS` with that status."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(int(self.path.rsplit("/", 1)[1]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def ask(statuses):
    """Asks for each of the statuses on one connection."""
    with inside(CLIENT):
        connection = http.client.HTTPConnection("192.0.2.1", 30080, timeout=60)
        connection.connect()
    for status in statuses:
        connection.request("GET", f"/products/{status}", headers={"Host": "shop.example.com"})
        response = connection.getresponse()
        response.read()
        expect(f"the gateway answers {status}, not {response.status}", response.status == status)
    connection.close()


def counted(node, agent):
    """The requests by status, or by the reason why no route took them."""
    found = collections.Counter()
    with inside(node):
        page = agent.get("/metrics")
    for name, label in (("requests_total", "response_code"), ("requests_unmatched_total", "reason")):
        pattern = rf'^wingmirror_http_{name}\{{.*\b{label}="([^"]*)".*\}} (\S+)$'
        for key, value in re.findall(pattern, page, re.M):
            found[key] += int(float(value))
    return {key: value for key, value in found.items() if value}


@contextlib.contextmanager
def agent_on(node, program, samples, folder):
    with inside(node):
        agent = Agent(program, folder, {"interfaces": ["any"]}, ["--routes", samples / "istio"], node)
        agent.__enter__()
    try:
        yield agent
    finally:
        agent.__exit__()


def play(program, samples, folder, out, masquerades):
    join(out, masquerades)
    with inside(POD):
        server = http.server.ThreadingHTTPServer(("10.244.2.5", 8080), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with agent_on(FIRST, program, samples, folder) as first, agent_on(SECOND, program, samples, folder) as second:
        for _ in range(10):
            ask([200, 500])
        ask([200] * 10)
        # Packets are read in order: when this one is counted, so are those before it.
        ask([418])
        wait_for("the last request at the gateway's node", lambda: "418" in counted(SECOND, second))
        wait_for("all requests where they pass by", lambda: sum(counted(FIRST, first).values()) >= 31)
        at_gateway, passing = counted(SECOND, second), counted(FIRST, first)
    expect(f"by status at the gateway's node: {at_gateway}", at_gateway == {"200": 20, "500": 10, "418": 1})
    expect(f"no request of a gateway where they pass by: {passing}", passing == {"no_listener": 31})


def available():
    with namespaces(), inside(FIRST):
        ip("link add flannel.1 type vxlan id 1 dstport 8472 dev lo local 127.0.0.1 remote 127.0.0.2")
        subprocess.run(["nft", "add table ip nat"], check=True)


def main():
    program, samples, arrangement = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    if arrangement == "available":
        available()
        return
    with tempfile.TemporaryDirectory(prefix="wingmirror-nodes-") as folder, namespaces():
        play(program, samples, pathlib.Path(folder), *ARRANGEMENTS[arrangement])


if __name__ == "__main__":
    main()
