# Wingmirror · Apache-2.0
"""An Envoy configured as istiod configures an ingress gateway, from the same objects the agent reads."""

import json
import pathlib
import subprocess
import time

import yaml

import network

_TYPE = "type.googleapis.com/envoy.extensions."
ACCESS_LOG_FIELDS = {
    "start": "%START_TIME(%s.%6f)%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "protocol": "%PROTOCOL%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "route": "%ROUTE_NAME%",
    "requestBytes": "%BYTES_RECEIVED%",
    "responseBytes": "%BYTES_SENT%",
    "milliseconds": "%DURATION%",
}


def load_objects(folder):
    """Every object in a folder of YAML files."""
    return [item for file in sorted(pathlib.Path(folder).glob("*.yaml"))
            for item in yaml.safe_load_all(file.read_text()) if item]


def pod_port(objects, server_port):
    """The port the gateway pod listens on for a Gateway server's port."""
    for item in objects:
        if item["kind"] == "Service" and item["metadata"]["name"] == "istio-ingressgateway":
            for port in item["spec"]["ports"]:
                if port["port"] == server_port:
                    return port["targetPort"]
    return server_port


def routes(objects):
    """Envoy routes for the VirtualServices, each named `namespace/name#rule` so that the access log tells them apart.

    Knows what samples/istio uses, prefix matches with one destination, and refuses the rest: a recording whose gateway
    does something else than its objects say would be worse than none.
    """
    services = [item for item in objects if item["kind"] == "VirtualService"]
    for item in sorted(services, key=lambda item: item["metadata"]["name"]):
        if item["spec"]["hosts"] != ["*"]:
            raise ValueError("%s: only the host * is translated" % item["metadata"]["name"])
        for index, rule in enumerate(item["spec"]["http"]):
            if set(rule) - {"name"} != {"match", "route"} or len(rule["route"]) != 1:
                raise ValueError("%s, rule %d: only one match list and one destination is translated"
                                 % (item["metadata"]["name"], index))
            destination = rule["route"][0]["destination"]
            for entry in rule["match"]:
                if set(entry) != {"uri"} or set(entry["uri"]) != {"prefix"}:
                    raise ValueError("%s, rule %d: only uri prefixes are translated"
                                     % (item["metadata"]["name"], index))
                yield {
                    "name": "%s/%s#%d" % (item["metadata"]["namespace"], item["metadata"]["name"], index),
                    "match": {"prefix": entry["uri"]["prefix"]},
                    "route": {
                        "cluster": cluster_name(item, destination),
                        "timeout": "0s",
                        # What Istio does without a retry policy of its own; a 503 is not retried.
                        "retry_policy": {"retry_on": "connect-failure,refused-stream,unavailable,cancelled",
                                         "num_retries": 2},
                    },
                }


def cluster_name(item, destination):
    return "outbound|%d||%s.%s.svc.cluster.local" % (
        destination["port"]["number"], destination["host"], item["metadata"]["namespace"])


def bootstrap(objects, access_log):
    """The whole Envoy configuration."""
    port = pod_port(objects, 80)
    connection_manager = {
        "@type": _TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "outbound_0.0.0.0_%d" % port,
        "codec_type": "AUTO",
        "use_remote_address": True,
        "normalize_path": True,
        "server_name": "istio-envoy",
        "stream_idle_timeout": "0s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "access_log": [{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": _TYPE + "access_loggers.file.v3.FileAccessLog",
                "path": str(access_log),
                "log_format": {"json_format": ACCESS_LOG_FIELDS},
            },
        }],
        "route_config": {
            "name": "http.%d" % port,
            "ignore_port_in_host_matching": True,
            "virtual_hosts": [{"name": "*:80", "domains": ["*"], "routes": list(routes(objects))}],
        },
        "http_filters": [{"name": "envoy.filters.http.router",
                          "typed_config": {"@type": _TYPE + "filters.http.router.v3.Router"}}],
    }
    chains = [{"filters": [{"name": "envoy.filters.network.http_connection_manager",
                            "typed_config": connection_manager}]}]
    return {
        # Istio's bootstrap cuts a #fragment off; a plain Envoy answers 400.
        "layered_runtime": {"layers": [{"name": "static", "static_layer": {
            "envoy.reloadable_features.http_reject_path_with_fragment": False}}]},
        "static_resources": {
            "listeners": [{
                "name": "gateway",
                "address": socket_address(network.GATEWAY_ADDRESS, port),
                "additional_addresses": [{"address": socket_address(network.GATEWAY_ADDRESS_6, port)}],
                "filter_chains": chains,
            }],
            "clusters": [cluster(service, address) for service, address in network.SERVICE_ADDRESSES.items()],
        },
    }


def socket_address(address, port):
    return {"socket_address": {"address": address, "port_value": port}}


def cluster(service, address):
    return {
        "name": "outbound|80||%s.default.svc.cluster.local" % service,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": service, "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": socket_address(address, 9080)}}]}]},
    }


class Gateway:
    """Envoy running in the gateway's namespace for as long as the context lasts."""

    def __init__(self, objects, folder, wait_for_port):
        self.port = pod_port(objects, 80)
        self.access_log = folder / "access.log"
        self._log = folder / "envoy.log"
        self._configuration = folder / "envoy.json"
        self._configuration.write_text(json.dumps(bootstrap(objects, self.access_log), indent=1))
        self._wait_for_port = wait_for_port
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(
            network.inside(network.GATEWAY_NAMESPACE, "envoy", "-c", str(self._configuration), "--concurrency", "1",
                           "--disable-hot-restart", "-l", "warning", "--log-path", str(self._log),
                           "--file-flush-interval-msec", "100"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._wait_for_port(network.GATEWAY_NAMESPACE, network.GATEWAY_ADDRESS, self.port)
        except TimeoutError:
            self.__exit__()
            raise RuntimeError("Envoy did not start:\n" + self._log.read_text()[-2000:]) from None
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)

    def entries(self):
        """The access log as it stands, one dictionary a line."""
        return [json.loads(line) for line in self.access_log.read_text().splitlines()]

    def wait_until_quiet(self, seconds=1.0, limit=20.0):
        """Returns once the access log has not grown for `seconds`."""
        size, since, started = -1, time.monotonic(), time.monotonic()
        while time.monotonic() - since < seconds and time.monotonic() - started < limit:
            time.sleep(0.1)
            now = self.access_log.stat().st_size
            if now != size:
                size, since = now, time.monotonic()
