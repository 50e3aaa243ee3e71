# Wingmirror · Apache-2.0
"""A real Envoy with its services and a capture of its listeners, in the network namespace in which this runs."""

import asyncio
import json
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions

PLAIN, SECURE, SERVICE, GRPC = 8080, 8443, 9000, 9001

# The routes as Istio's objects have them, and as Envoy has them. What decides is a path, a method, a header or a cookie.
ROUTES = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: lab}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [gateway]
  http:
  - name: tester
    match: [{headers: {x-role: {exact: tester}}}]
    route: [{destination: {host: shop.istio-system.svc.cluster.local}}]
  - name: gone
    match: [{uri: {prefix: /gone}}]
    directResponse: {status: 410, body: {string: gone}}
  - name: calls
    match: [{uri: {prefix: /lab.Calls}}]
    route: [{destination: {host: calls.istio-system.svc.cluster.local}}]
  - name: writes
    match: [{method: {exact: POST}}, {method: {exact: PUT}}]
    route: [{destination: {host: shop.istio-system.svc.cluster.local}}]
  - name: short
    match: [{uri: {regex: "/c[0-9]+/short.*"}}]
    timeout: 0.2s
    route: [{destination: {host: shop.istio-system.svc.cluster.local}}]
  - name: rest
    match: [{uri: {prefix: /c}}]
    route: [{destination: {host: shop.istio-system.svc.cluster.local}}]
"""
AGENT = """gateway:
  namespace: istio-system
  labels: {{istio: ingressgateway}}
  ports: [{{pod: {plain}, server: 80}}, {{pod: {secure}, server: 443}}]
  http10: true
"""


def configuration(folder):
    def route(name, match, **action):
        return {"name": name, "match": match, **(action or {"route": {"cluster": "shop", "timeout": "5s"}})}

    def header(name, value):
        return {"prefix": "/", "headers": [{"name": name, "string_match": {"exact": value}}]}

    routes = [
        route("tester", header("x-role", "tester")),
        route("gone", {"prefix": "/gone"}, direct_response={"status": 410, "body": {"inline_string": "gone"}}),
        route("calls", {"prefix": "/lab.Calls"}, route={"cluster": "calls", "timeout": "5s"}),
        route("writes", header(":method", "POST")),
        route("writes", header(":method", "PUT")),
        route("short", {"safe_regex": {"regex": "/c[0-9]+/short.*"}}, route={"cluster": "shop", "timeout": "0.2s"}),
        route("rest", {"prefix": "/c"}),
    ]
    kinds = "type.googleapis.com/envoy.extensions"
    log = {
        "connection": "%CONNECTION_ID%", "client": "%DOWNSTREAM_REMOTE_ADDRESS%", "target": "%REQ(:PATH)%", "method": "%REQ(:METHOD)%",
        "status": "%RESPONSE_CODE%", "flags": "%RESPONSE_FLAGS%", "received": "%BYTES_RECEIVED%", "sent": "%BYTES_SENT%",
        "details": "%RESPONSE_CODE_DETAILS%", "route": "%ROUTE_NAME%", "protocol": "%PROTOCOL%", "authority": "%REQ(:AUTHORITY)%",
    }  # fmt: skip
    manager = {
        "@type": f"{kinds}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress",
        "http_protocol_options": {"accept_http_10": True, "enable_trailers": True},
        "http2_protocol_options": {"max_concurrent_streams": 100},
        "access_log": [{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": f"{kinds}.access_loggers.file.v3.FileAccessLog", "path": f"{folder}/access.log",
                "log_format": {"json_format": log},
            },
        }],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{
            "name": "envoy.filters.http.router", "typed_config": {"@type": f"{kinds}.filters.http.router.v3.Router"}
        }],
    }  # fmt: skip
    secure = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{kinds}.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "key_log": {"path": f"{folder}/keys"},
                "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
                "tls_certificates": [{
                    "certificate_chain": {"filename": f"{folder}/certificate.pem"}, "private_key": {"filename": f"{folder}/key.pem"}
                }],
            },
        },
    }  # fmt: skip

    def listener(port, **chain):
        filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
        return {
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}, "filter_chains": [{"filters": filters, **chain}]
        }

    def cluster(name, port, **options):
        place = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
        return {
            "name": name, "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [place]}]}, **options,
        }  # fmt: skip

    http2 = {
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": f"{kinds}.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}
        }}
    }  # fmt: skip
    return {"static_resources": {
        "listeners": [listener(PLAIN), listener(SECURE, transport_socket=secure)],
        "clusters": [cluster("shop", SERVICE), cluster("calls", GRPC, **http2)],
    }}  # fmt: skip


class Capture:
    """Whole frames of the loopback interface, with the kernel's nanoseconds, into a pcap file."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 28)  # SO_RCVBUFFORCE
        self.socket.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        self.socket.bind(("lo", 0))
        self.socket.settimeout(0.2)
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1))
        self.ports = {port.to_bytes(2, "big") for port in (PLAIN, SECURE)}
        self.ended = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            try:
                frame, extra, _, address = self.socket.recvmsg(1 << 18, 256)
            except TimeoutError:
                if self.ended:
                    return
                continue
            # Loopback shows each frame twice: as it leaves, and as it arrives.
            if address[2] == socket.PACKET_OUTGOING or not self.ports & {frame[34:36], frame[36:38]}:
                continue
            seconds, nanoseconds = struct.unpack("qq", next(data for _, kind, data in extra if kind == 35))
            self.file.write(struct.pack("<IIII", seconds, nanoseconds, len(frame), len(frame)) + frame)

    def end(self):
        self.ended = True
        self.thread.join()
        dropped = struct.unpack("II", self.socket.getsockopt(263, 6, 8))[1]  # SOL_PACKET, PACKET_STATISTICS
        self.socket.close()
        self.file.close()
        if dropped:
            sys.exit(f"the capture itself lost {dropped} packets")


class Gateway:
    def __init__(self, folder):
        self.folder = folder
        self.envoy = None

    def start(self):
        subprocess.run(["ip", "link", "set", "lo", "up", "mtu", "1500", "gso_max_segs", "1"], check=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab.example.com",
             "-keyout", self.folder / "key.pem", "-out", self.folder / "certificate.pem"],
            check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        (self.folder / "routes.yaml").write_text(ROUTES)
        (self.folder / "agent.yaml").write_text(AGENT.format(plain=PLAIN, secure=SECURE))
        (self.folder / "envoy.json").write_text(json.dumps(configuration(self.folder), indent=1))
        log = open(self.folder / "envoy.log", "w")
        self.envoy = subprocess.Popen(
            [shutil.which("envoy"), "-c", self.folder / "envoy.json", "--concurrency", "1", "--disable-hot-restart", "-l", "error",
             "--file-flush-interval-msec", "100"],
            stdout=log, stderr=log,
        )  # fmt: skip
        end = time.time() + 60
        while time.time() < end:
            try:
                socket.create_connection(("127.0.0.1", SECURE), 1).close()
                return
            except OSError:
                time.sleep(0.2)
        sys.exit(f"Envoy does not listen; see {self.folder}/envoy.log")

    def end(self):
        if self.envoy:
            time.sleep(0.5)
            self.envoy.send_signal(signal.SIGTERM)
            self.envoy.wait()

    def truth(self):
        with open(self.folder / "access.log") as log:
            return [json.loads(line) for line in log]


# -- the services ---------------------------------------------------------------------------------------------------


async def serve_shop(reader, writer):
    """HTTP/1.1 that answers by chance: lengths, chunks, trailers, no content, delays, connections that break off."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            line, *fields = head[:-4].split(b"\r\n")
            method, target, _ = line.split(b" ", 2)
            values = dict(field.lower().split(b":", 1) for field in fields)
            answer = random.Random(target)
            early = answer.random() < 0.05 and b"expect" not in values
            if not early:
                await read_content(reader, values)
            await asyncio.sleep(answer.choice([0, 0, 0.001, 0.02, 0.1, 0.3 if b"/short" in target else 0]))
            kept = await answer_request(writer, method, answer)
            if early or not kept:
                return
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()


async def read_content(reader, values):
    if b"transfer-encoding" in values:
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            if size == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return
            await reader.readexactly(size + 2)
    await reader.readexactly(int(values.get(b"content-length", b"0")))


async def answer_request(writer, method, answer):
    """Whether the connection goes on."""
    if answer.random() < 0.02:
        return False
    status = answer.choice([200, 200, 200, 200, 201, 204, 302, 304, 404, 429, 500, 503])
    body = b"" if status in (204, 304) else b"x" * answer.choice([0, 1, 20, 300, 1400, 5000, answer.randrange(60_000)])
    head = b"HTTP/1.1 %d Status\r\nServer: lab\r\nX-Thing: %d\r\n" % (status, answer.randrange(40))
    if answer.random() < 0.3:
        head += b"Set-Cookie: s=%s\r\n" % bytes(answer.choices(b"abcdef", k=answer.randrange(3000)))
    framing = answer.choice(["length", "length", "chunked", "close"]) if body else "length"
    if method == b"HEAD" or status in (204, 304):
        if status not in (204, 304):
            head += b"Content-Length: %d\r\n" % len(body)
        writer.write(head + b"\r\n")
        return True
    if framing == "length":
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body))
        if answer.random() < 0.03:
            writer.write(body[: len(body) // 2])
            await writer.drain()
            return False
        writer.write(body)
    elif framing == "chunked":
        writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
        while body:
            size = answer.randrange(1, 4000)
            piece, body = body[:size], body[size:]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if answer.random() < 0.2:
                await writer.drain()
                await asyncio.sleep(0.001)
        writer.write(b"0\r\nX-End: yes\r\n\r\n" if answer.random() < 0.3 else b"0\r\n\r\n")
    else:
        writer.write(head + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        return False
    await writer.drain()
    return answer.random() > 0.03


async def serve_calls(reader, writer):
    """gRPC over HTTP/2: one to four messages, then the status in trailers, or a status alone."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    targets = {}

    def answer(stream):
        chance = random.Random(targets[stream])
        status = chance.choice(["0", "0", "0", "5", "14"])
        fields = [(":status", "200"), ("content-type", "application/grpc")]
        if chance.random() < 0.2:
            connection.send_headers(stream, fields + [("grpc-status", status)], end_stream=True)
            return
        connection.send_headers(stream, fields + [("x-served-by", f"pod-{chance.randrange(9)}")])
        for _ in range(chance.randrange(1, 5)):
            message = bytes(chance.randrange(2000))
            connection.send_data(stream, b"\0" + struct.pack(">I", len(message)) + message)
        connection.send_headers(stream, [("grpc-status", status), ("grpc-message", "because")], end_stream=True)

    try:
        while True:
            writer.write(connection.data_to_send())
            await writer.drain()
            octets = await reader.read(65536)
            if not octets:
                return
            for event in connection.receive_data(octets):
                if isinstance(event, h2.events.RequestReceived):
                    targets[event.stream_id] = dict(event.headers)[b":path"]
                elif isinstance(event, h2.events.DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    answer(event.stream_id)
    except (ConnectionError, h2.exceptions.ProtocolError):
        pass
    finally:
        writer.close()


class Services(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.ready = threading.Event()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        await asyncio.start_server(serve_shop, "127.0.0.1", SERVICE, limit=1 << 20)
        await asyncio.start_server(serve_calls, "127.0.0.1", GRPC)
        self.ready.set()
        await asyncio.Event().wait()
