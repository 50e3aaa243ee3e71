#!/usr/bin/env python3
"""Checks what installs Wingmirror: renders the chart, compares with the golden files, builds the kustomizations, validates.

    pip install helm-python-sdk kubernetes-validate pyyaml
    check_deploy.py            # exit 1 with the differences
    check_deploy.py --update   # writes the golden files, and kustomize/base, which is the chart with its defaults

helm-python-sdk is Helm itself as a library. `kubectl kustomize` builds the overlays; without kubectl they are passed over, and
the last line says so. Custom resources of monitoring.coreos.com have no schema here and are only parsed.
"""
import difflib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import helm_python as helm
import kubernetes_validate
import yaml

HERE = Path(__file__).resolve().parent
CHART = HERE / "chart"
BASE = HERE / "kustomize" / "base"
VERSION = "1.37"

# One case for each group of documented values: together they set every value that values.yaml names.
CASES = {
    "defaults": {},
    "monitoring": {
        "createNamespace": True,
        "podMonitor": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}, "interval": "30s"},
    },
    "every-value": {
        "image": {"repository": "registry.example/wingmirror", "tag": "", "digest": "sha256:" + "a" * 64, "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "pull"}],
        "config": {"mesh": {"revision": "canary"}, "log": {"level": "debug"}},
        "kubernetes": {"namespaces": ["shop"], "istioNamespace": "mesh", "server": "https://192.0.2.1:6443"},
        "extraVolumes": [{"name": "authority", "secret": {"secretName": "staging-ca"}}],
        "extraVolumeMounts": [{"name": "authority", "mountPath": "/etc/staging", "readOnly": True}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        "priorityClassName": "system-node-critical",
        "nodeSelector": {"kubernetes.io/os": "linux", "role": "ingress"},
        "affinity": {"nodeAffinity": {}},
        "tolerateEverything": True,
        "updateStrategy": {"type": "OnDelete", "rollingUpdate": None},
        "podAnnotations": {"team": "edge"},
        "podLabels": {"team": "edge"},
        "metrics": {"port": 9999, "address": "0.0.0.0"},
        "openshift": True,
        "extraManifests": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}],
    },
    "mirror": {
        "config": {
            "mirror": {
                "enabled": True,
                "targets": {"staging": {"url": "http://staging.example.internal:8080"}},
                "policies": [{"match": {"virtualService": "default/product-vs"}, "target": "staging", "percent": 1}],
            }
        }
    },
    # The endpoints inside TLS, for those whom the API server lets.
    "admin": {
        "config": {"admin": {"tls": {"certificate": "/etc/wingmirror-tls/tls.crt", "key": "/etc/wingmirror-tls/tls.key"}, "auth": {"kubernetes": True}}},
        "extraVolumes": [{"name": "tls", "secret": {"secretName": "wingmirror-tls"}}],
        "extraVolumeMounts": [{"name": "tls", "mountPath": "/etc/wingmirror-tls", "readOnly": True}],
        "podMonitor": {
            "enabled": True,
            "endpoint": {
                "tlsConfig": {"ca": {"secret": {"name": "wingmirror-tls", "key": "ca.crt"}}, "serverName": "wingmirror.example"},
                "authorization": {"credentials": {"name": "prometheus-token", "key": "token"}},
            },
        },
    },
    # The page on another port than the one of scrapers, both at addresses of their own.
    "page": {"config": {"admin": {"listen": "127.0.0.1:9647"}}, "metrics": {"address": "[2001:db8::7]"}},
    "tolerations": {"tolerations": [{"key": "dedicated", "value": "ingress", "effect": "NoSchedule"}]},
}
# Values that the schema must refuse.
REFUSED = [
    {"imgae": {}}, {"metrics": {"port": "9646"}}, {"image": {"digest": "abc"}}, {"podMonitor": {"interval": "often"}},
    {"updateStrategy": {"type": "Recreate"}}, {"metrics": {"address": "::"}}, {"metrics": {"address": "0.0.0.0:1"}},
    {"config": {"metrics": {"listen": "[::]:9700"}}}, {"config": {"captur": {}}}, {"config": {"capture": {"ringByte": "1MiB"}}},
    {"config": {"admin": {"listen": "127.0.0.1"}}}, {"config": {"admin": {"listen": "[::]:9646"}}},
    {"kubernetes": {"server": "https://192.0.2.1:6443/path"}}, {"updateStrategy": {"rollingUpdate": {"maxSurge": 1}}},
    {"podLabels": {"app.kubernetes.io/name": "x"}}, {"podAnnotations": {"checksum/config": "x"}},
    {"podMonitor": {"interval": ""}}, {"podMonitor": {"interval": "30s1m"}},
    {"prometheusRule": {"runbookBase": "wiki"}}, {"prometheusRule": {"grafanaBase": "grafana"}},
]


def render(values, name="wingmirror", namespace="wingmirror"):
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name=name, namespace=namespace)
    texts = []
    for path in sorted(files):
        if path.endswith(".txt"):
            continue
        for document in files[path].split("\n---\n"):
            if yaml.safe_load(document):
                texts.append(document.strip().removeprefix("---\n") + "\n")
    return texts


def plain(document):
    """A document of the chart without what only Helm puts there."""
    lines = [l for l in document.splitlines() if "helm.sh/chart:" not in l and "app.kubernetes.io/managed-by:" not in l]
    lines = [l for l in lines if "app.kubernetes.io/instance:" not in l]
    return "\n".join(lines) + "\n"


def of_kustomize(document):
    """A document of the chart as the base has it: there the name of the ConfigMap, not an annotation, rolls the pods."""
    return re.sub(r"\n +annotations:\n[^\n]*\n +checksum/config: [0-9a-f]+", "", plain(document))


def configured(text):
    """The data of the ConfigMap and the pod template of a rendering."""
    values = {d["kind"]: d for d in yaml.safe_load_all(text) if d and d["kind"] in ("ConfigMap", "DaemonSet")}
    return values["ConfigMap"]["data"], values["DaemonSet"]["spec"]["template"]


def validate(documents, place, problems):
    for document in documents:
        value = yaml.safe_load(document) if isinstance(document, str) else document
        if value["apiVersion"].startswith("monitoring.coreos.com"):
            continue
        try:
            kubernetes_validate.validate(value, VERSION, strict=True)
        except Exception as error:
            problems.append(f"{place}: {value['kind']} {value['metadata']['name']}: {error}")


def links(bases, runbooks, boards):
    """What is wrong with the links of the alerts, given what they are to begin with; nothing for none."""
    documents = [yaml.safe_load(d) for d in render({"prometheusRule": {"enabled": True, **bases}})]
    groups = next(d for d in documents if d["kind"] == "PrometheusRule")["spec"]["groups"]
    rules = [r for group in groups for r in group["rules"] if "alert" in r]
    wrong = [] if rules else ["no alerts"]
    for rule in rules:
        notes, name = rule["annotations"], rule["alert"]
        wanted = f"{runbooks}{name}.md" if runbooks else None
        if notes.get("runbook_url") != wanted:
            wrong.append(f"{name}: runbook_url is {notes.get('runbook_url')}, not {wanted}")
        if not notes["dashboard_url"].startswith(boards):
            wrong.append(f"{name}: dashboard_url is {notes['dashboard_url']}")
    return wrong


def compare(path, text, update, problems):
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    old = path.read_text() if path.exists() else ""
    if old != text:
        problems.append("".join(difflib.unified_diff(old.splitlines(True), text.splitlines(True), str(path.name), "rendered")))


def main():
    update = "--update" in sys.argv[1:]
    problems = []
    lint = helm.lint(str(CHART))
    # 1 is information: that there is no icon.
    problems += [f"lint: {m['path']}: {m['error']}" for m in lint["messages"] if m["severity"] > 1] + lint["errors"]
    for name, values in CASES.items():
        documents = render(values)
        validate(documents, name, problems)
        compare(HERE / "golden" / f"{name}.yaml", "---\n".join(documents), update, problems)
    # Values that say nothing, and a name that YAML takes for a number.
    usual = render({})
    for values in [{"config": None}, {"config": {"mirror": None, "mesh": None, "admin": None}}, {"config": {"admin": {"auth": None}}}]:
        documents = render(values)
        validate(documents, str(values), problems)
        if "auth" not in str(values) and documents != usual:
            problems.append(f"{values} change what is rendered")
    validate(render({}, name="1234"), "a release of the name 1234", problems)
    # What the values say of the endpoint is there once, with what the chart says.
    endpoint = {"interval": "5s", "relabelings": [{"targetLabel": "x", "replacement": "y"}], "honorLabels": True}
    text = next(d for d in render({"podMonitor": {"enabled": True, "scrapeProtocols": [], "endpoint": endpoint}}) if "kind: PodMonitor" in d)
    spec = yaml.safe_load(text)["spec"]
    shown = spec["podMetricsEndpoints"][0]
    if text.count("interval:") != 1 or text.count("relabelings:") != 1 or shown["interval"] != "5s" or not shown["honorLabels"]:
        problems.append(f"PodMonitor: its endpoint is {shown}")
    if [r["targetLabel"] for r in shown["relabelings"]] != ["node", "x"] or "scrapeProtocols" in spec:
        problems.append(f"PodMonitor: {spec}")
    # Two releases share no object, and the mesh configuration is read where the configuration says.
    def objects(namespace="wingmirror", **place):
        settings = {"config": {"mesh": {"rootNamespace": "mesh", "revision": 126}}, "kubernetes": {"namespaces": ["mesh", "shop"]}}
        values = [yaml.safe_load(d) for d in render(settings, namespace=namespace, **place)]
        if any("virtualservices" in str(d["rules"]) for d in values if d["kind"] == "ClusterRole"):
            problems.append("kubernetes.namespaces: the ClusterRole reads routes everywhere")
        return {(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in values}
    one, other = objects(), objects(namespace="edge")
    shared = (one & other) | (objects(name="eu", namespace="edge") & objects(namespace="edge-eu"))
    if shared or not any(kind == "Role" and namespace == "mesh" for kind, namespace, _ in one):
        problems.append(f"two releases share {shared}; {one}")
    # The rules and dashboards are files of their own: only that they arrive whole is checked.
    documents = [yaml.safe_load(d) for d in render({"prometheusRule": {"enabled": True}, "dashboards": {"enabled": True}})]
    rules = next(d for d in documents if d["kind"] == "PrometheusRule")
    wanted = sum(len(yaml.safe_load(f.read_text())["groups"]) for f in (CHART / "files/rules").glob("*.yml"))
    if len(rules["spec"]["groups"]) != wanted:
        problems.append(f"PrometheusRule: {len(rules['spec']['groups'])} groups, not {wanted}")
    problems += links({}, "", "/d/")
    bases = {"runbookBase": "https://git.example/Runbooks/", "grafanaBase": "https://grafana.example/"}
    problems += links(bases, "https://git.example/Runbooks/", "https://grafana.example/d/")
    boards = {k: v for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["labels"].get("grafana_dashboard") == "1"
              for k, v in d["data"].items()}
    for file in (CHART / "files/dashboards").glob("*.json"):
        if yaml.safe_load(boards.get(file.name, "null")) != yaml.safe_load(file.read_text()):
            problems.append(f"dashboard {file.name} does not arrive whole")
    for values in REFUSED:
        try:
            render(values)
            problems.append(f"values.schema.json lets {values} through")
        except Exception:
            pass
    # The base is the chart with its defaults, in the namespace that it makes.
    base = [of_kustomize(d) for d in render({"createNamespace": True})]
    names = {"ServiceAccount": "rbac", "ClusterRole": "rbac", "ClusterRoleBinding": "rbac", "Role": "rbac", "RoleBinding": "rbac"}
    files = {}
    for document in base:
        value = yaml.safe_load(document)
        kind = value["kind"]
        if kind == "ConfigMap":
            # The kustomization makes it of this file.
            compare(BASE / "wingmirror.yaml", value["data"]["wingmirror.yaml"], update, problems)
            continue
        files.setdefault(names.get(kind, kind.lower()), []).append(document)
    for name, documents in files.items():
        head = "# Written by samples/kubernetes/check_deploy.py --update: the chart with its defaults.\n"
        compare(BASE / f"{name}.yaml", head + "---\n".join(documents), update, problems)
    if shutil.which("kubectl"):
        seen = []
        for folder in [BASE, *sorted((HERE / "kustomize" / "overlays").iterdir())]:
            built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
            if built.returncode:
                problems.append(f"{folder.name}: {built.stderr.strip()}")
                continue
            validate(list(yaml.safe_load_all(built.stdout)), f"overlay {folder.name}", problems)
            data, template = configured(built.stdout)
            for other, otherData, otherTemplate in seen:
                if (data == otherData) != (template == otherTemplate):
                    problems.append(f"{folder.name} over {other}: another configuration has to be another pod template, and no other has")
            seen.append((folder.name, data, template))
    else:
        print("kubectl is not installed: the kustomizations were not built")
    for problem in problems:
        print(problem)
    print(f"{len(CASES)} renderings, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
