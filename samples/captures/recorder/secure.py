# Wingmirror · Apache-2.0
"""The secure gateway: the Envoy of gateway.py with TLS, HTTP/2 and a key log, and the services behind it."""

import json
import pathlib
import subprocess
import sys

import gateway
import network

PORT = 9080
SERVICE_ADDRESSES = {
    "product-service": "10.244.2.11", "stock-service": "10.244.2.12", "chat-service": "10.244.2.13"}
HERE = pathlib.Path(__file__).parent

_TYPE = "type.googleapis.com/envoy.extensions."
ACCESS_LOG_FIELDS = {**gateway.ACCESS_LOG_FIELDS, "grpcStatus": "%GRPC_STATUS_NUMBER%", "tls": "%DOWNSTREAM_TLS_VERSION%"}


def make_certificate(folder):
    """A certificate for the clients' name; returns the paths of certificate and key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    network.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                "30", "-subj", "/CN=shop.example.com", "-addext", "subjectAltName=DNS:shop.example.com",
                "-keyout", str(key), "-out", str(certificate))
    return certificate, key


def bootstrap(objects, access_log, key_log, certificate, key):
    """The configuration of gateway.py, with the listener on the port of HTTPS and TLS ended there."""
    whole = gateway.bootstrap(objects, access_log)
    listener = whole["static_resources"]["listeners"][0]
    port = gateway.pod_port(objects, 443)
    for address in [listener] + listener["additional_addresses"]:
        address["address"]["socket_address"]["port_value"] = port
    chain = listener["filter_chains"][0]
    manager = chain["filters"][0]["typed_config"]
    manager["access_log"][0]["typed_config"]["log_format"]["json_format"] = ACCESS_LOG_FIELDS
    manager["http2_protocol_options"] = {"allow_connect": True}
    chain["transport_socket"] = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": _TYPE + "transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "key_log": {"path": str(key_log)},
                "tls_certificates": [
                    {"certificate_chain": {"filename": str(certificate)}, "private_key": {"filename": str(key)}}],
            },
        },
    }
    clusters = [gateway.cluster(service, address) for service, address in SERVICE_ADDRESSES.items()]
    for cluster in clusters:
        if "stock" in cluster["name"]:
            options = _TYPE + "upstreams.http.v3.HttpProtocolOptions"
            cluster["typed_extension_protocol_options"] = {options.rpartition("/")[2]: {
                "@type": options, "explicit_http_config": {"http2_protocol_options": {}}}}
    whole["static_resources"]["clusters"] = clusters
    return whole


class Gateway(gateway.Gateway):
    """Envoy with TLS, running in the gateway's namespace for as long as the context lasts."""

    def __init__(self, objects, folder, wait_for_port):
        super().__init__(objects, folder, wait_for_port)
        self.port = gateway.pod_port(objects, 443)
        self.key_log = folder / "secure.keys"
        self.certificate, key = make_certificate(folder)
        self._configuration.write_text(
            json.dumps(bootstrap(objects, self.access_log, self.key_log, self.certificate, key), indent=1))


class Services:
    """The services, running in the gateway's namespace for as long as the context lasts."""

    def __init__(self, wait_for_port):
        self._wait_for_port = wait_for_port
        self._process = None

    def __enter__(self):
        for address in SERVICE_ADDRESSES.values():
            subprocess.run(["ip", "-n", network.GATEWAY_NAMESPACE, "address", "add", address + "/32", "dev", "lo"],
                           capture_output=True)
        self._process = subprocess.Popen(
            network.inside(network.GATEWAY_NAMESPACE, sys.executable, str(HERE / "secure_services.py"),
                           *SERVICE_ADDRESSES.values(), str(PORT)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            for address in SERVICE_ADDRESSES.values():
                self._wait_for_port(network.GATEWAY_NAMESPACE, address, PORT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(20)


def heads_in(file, keys):
    """How many requests and final responses the capture holds, by tshark with the key log."""
    said = subprocess.run(
        ["tshark", "-r", str(file), "-o", "tls.keylog_file:%s" % keys, "-Y", "http or http2", "-T", "fields",
         "-e", "http2.headers.method", "-e", "http.request.method", "-e", "http2.headers.status", "-e",
         "http.response.code"], capture_output=True, text=True, check=True).stdout
    requests, responses = 0, 0
    for line in said.splitlines():
        fields = [[value for value in field.split(",") if value] for field in line.split("\t")]
        requests += len(fields[0]) + len(fields[1])
        responses += sum(status[0] != "1" or status == "101" for status in fields[2] + fields[3])
    return requests, responses


def count(entries):
    """What the access log says: requests by route, status of HTTP and of gRPC, version and TLS."""
    import truth

    return {
        "exchanges": len(entries),
        "protocols": truth.tally(entries, lambda entry: entry["protocol"] or "none"),
        "tls": truth.tally(entries, lambda entry: entry["tls"] or "none"),
        "routes": [
            {
                "virtualService": name.rpartition("#")[0],
                "requests": len(members),
                "statuses": truth.tally(members, truth.status),
                "grpcStatuses": truth.tally(
                    [entry for entry in members if entry["grpcStatus"] is not None], lambda entry: str(entry["grpcStatus"])),
                "flags": truth.tally(members, lambda entry: entry["flags"] or "none"),
            }
            for name, members in sorted(grouped(entries).items())
        ],
    }


def grouped(entries):
    groups = {}
    for entry in entries:
        groups.setdefault(entry["route"] or "none#0", []).append(entry)
    return groups
