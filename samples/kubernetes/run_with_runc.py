#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Runs the image under runc as the kubelet would run samples/kubernetes/daemonset.yaml on this machine.

    sudo python3 samples/kubernetes/run_with_runc.py [--layout FOLDER] [--seconds N] [-- ARGUMENT…]

Takes user, capabilities, no_new_privs, read-only root file system, arguments and ConfigMaps from the DaemonSet: nothing
about privileges is written here a second time. As with Kubernetes, no ambient capability is set; `podman run --cap-add`
sets them and so hides a missing file capability. The agent shares the machine's network. Its exit status is this
program's. Arguments after `--` replace the container's. With --seconds the agent gets SIGTERM after that time.

Needs root, runc and umoci, and the Python package PyYAML. The layout is what `make image` leaves in .build-image/oci.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent


def load(manifest):
    """The DaemonSet and the ConfigMaps, by name, of a manifest."""
    objects = [item for item in yaml.safe_load_all(manifest.read_text()) if item]
    daemonset = next(item for item in objects if item["kind"] == "DaemonSet")
    return daemonset, {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}


def write_volume(data, folder):
    """Lays a ConfigMap out as the kubelet does: files are links through `..data` to a folder with the time in its name."""
    version = folder / "..2026_01_01_00_00_00.000000001"
    version.mkdir(parents=True)
    for name, text in data.items():
        (version / name).write_text(text)
        (folder / name).symlink_to("..data/" + name)
    (folder / "..data").symlink_to(version.name)


def mounts(pod, container, config_maps, folder):
    """Bind mounts for the container's ConfigMap volumes, and for the two files the kubelet adds to every container."""
    for path in ("/etc/hosts", "/etc/resolv.conf"):
        yield {"destination": path, "type": "bind", "source": path, "options": ["rbind", "ro"]}
    volumes = {volume["name"]: volume["configMap"]["name"] for volume in pod["volumes"]}
    for mount in container["volumeMounts"]:
        source = folder / "volumes" / mount["name"]
        write_volume(config_maps[volumes[mount["name"]]], source)
        options = ["rbind", "ro" if mount.get("readOnly") else "rw"]
        yield {"destination": mount["mountPath"], "type": "bind", "source": str(source), "options": options}


def specification(base, pod, container, config_maps, folder, arguments):
    """The runtime specification: what umoci wrote for the image, changed to what the pod asks."""
    context = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
    capabilities = sorted("CAP_" + name for name in context["capabilities"]["add"])
    if context["capabilities"]["drop"] != ["ALL"]:
        raise ValueError("the DaemonSet does not drop all capabilities")
    process = base["process"]
    process["terminal"] = False
    process["user"] = {"uid": context["runAsUser"], "gid": context["runAsGroup"]}
    process["noNewPrivileges"] = not context["allowPrivilegeEscalation"]
    process["rlimits"] = []
    # As containerd sets them, without an ambient set: starting an executable that has no file capability loses them all.
    process["capabilities"] = {"bounding": capabilities, "permitted": capabilities, "effective": capabilities}
    process["args"] = base["process"]["args"][:1] + (arguments or container["args"])
    base["root"]["readonly"] = context["readOnlyRootFilesystem"]
    base["mounts"] += list(mounts(pod, container, config_maps, folder))
    base["linux"].pop("resources", None)
    if pod["hostNetwork"]:
        base["linux"]["namespaces"] = [item for item in base["linux"]["namespaces"] if item["type"] != "network"]
    return base


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layout", default=str(REPOSITORY / ".build-image" / "oci") + ":dev", help="FOLDER:TAG")
    parser.add_argument("--manifest", type=pathlib.Path, default=HERE / "daemonset.yaml")
    parser.add_argument("--seconds", type=float, help="stop the agent after that many seconds")
    parser.add_argument("arguments", nargs="*", help="instead of the container's arguments")
    options = parser.parse_args()
    missing = [tool for tool in ("runc", "umoci") if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        sys.exit("run_with_runc: " + (", ".join(missing) + " not found" if missing else "must be run as root"))

    daemonset, config_maps = load(options.manifest)
    pod = daemonset["spec"]["template"]["spec"]
    with tempfile.TemporaryDirectory(prefix="wingmirror-runc-") as name:
        folder = pathlib.Path(name)
        # The agent is not root, and has to reach its volumes.
        folder.chmod(0o755)
        bundle = folder / "bundle"
        unpacked = subprocess.run(["umoci", "unpack", "--image", options.layout, str(bundle)], stdout=sys.stderr)
        if unpacked.returncode != 0:
            sys.exit("run_with_runc: no image to unpack at %s; make image leaves one" % options.layout)
        file = bundle / "config.json"
        base = json.loads(file.read_text())
        file.write_text(json.dumps(specification(base, pod, pod["containers"][0], config_maps, folder, options.arguments)))
        identity = folder.name
        agent = subprocess.Popen(["runc", "run", "--bundle", str(bundle), identity])
        try:
            agent.wait(options.seconds)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            subprocess.run(["runc", "kill", identity, "TERM"], check=True)
            agent.wait(20)
        finally:
            if agent.poll() is None:
                subprocess.run(["runc", "delete", "--force", identity])
        sys.exit(agent.returncode if agent.returncode >= 0 else 128 - agent.returncode)


if __name__ == "__main__":
    main()
