#!/usr/bin/env python3
"""Captures read with routes of an API server and with the same routes of files: the records have to be the same.

    python3 samples/kubernetes/try_labs.py .build/release/wingmirror CAPTURE OBJECTS [agent options…]

CAPTURE is a pcap file, OBJECTS a YAML file of Kubernetes objects, as `kubectl get -o yaml` prints them. This script plays the API
server, and everything after the two is given to `wingmirror read` both times, such as --gateway-port or --config. Exit 1 with the
first records that differ.
"""
import json
import os
import subprocess
import sys
import tempfile

import yaml

from api_server import Objects

# The names of collections that are not the kind and an s.
PLURALS = {"Ingress": "ingresses", "GatewayClass": "gatewayclasses", "IngressClass": "ingressclasses", "ServiceEntry": "serviceentries"}


def objects(path):
    """The objects of a file, by the path of their collection; those without a namespace are in `default`."""
    lists = {}
    for document in yaml.load_all(open(path), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        for item in (document or {}).get("items", [document]) if (document or {}).get("kind", "").endswith("List") else [document]:
            if not item:
                continue
            version, kind = item["apiVersion"], item["kind"]
            resource = PLURALS.get(kind, f"{kind.lower()}s")
            collection = f"/api/v1/{resource}" if version == "v1" else f"/apis/{version}/{resource}"
            if kind not in ("Namespace", "GatewayClass", "IngressClass"):
                item["metadata"].setdefault("namespace", "default")
            item["metadata"]["resourceVersion"] = "1"
            lists.setdefault(collection, []).append(item)
    for empty in ("services", "namespaces", "namespaces/istio-system/configmaps"):
        lists.setdefault(f"/api/v1/{empty}", [])
    return lists


def read(arguments, **environment):
    result = subprocess.run(arguments, stdout=subprocess.PIPE, env=dict(os.environ, **environment))
    if result.returncode:
        raise SystemExit(f"{' '.join(arguments)}: status {result.returncode}")
    return result.stdout.splitlines()


def main():
    binary, capture, path, *options = sys.argv[1:]
    port = Objects(objects(path)).serve()
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = os.path.join(folder, "config")
        with open(kubeconfig, "w") as file:
            json.dump({
                "apiVersion": "v1", "kind": "Config", "current-context": "trial",
                "contexts": [{"name": "trial", "context": {"cluster": "trial", "user": "trial"}}],
                "clusters": [{"name": "trial", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "users": [{"name": "trial", "user": {}}],
            }, file)
        common = [binary, "read", capture, "--output", "ndjson", *options]
        served = read(common + ["--kubernetes"], KUBECONFIG=kubeconfig)
    files = read(common + ["--routes", path])
    for number, (one, other) in enumerate(zip(files, served)):
        if one != other:
            raise SystemExit(f"record {number + 1} differs:\n{one.decode()}\n{other.decode()}")
    if len(files) != len(served):
        raise SystemExit(f"{len(files)} records with files, {len(served)} with the API server")
    routed = sum(b'"outcome":"route"' in line for line in files)
    print(f"{len(files)} records, {routed} of them with a route: the same from files and from the API server")


if __name__ == "__main__":
    main()
