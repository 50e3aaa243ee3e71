#!/usr/bin/env python3
"""Writes a software bill of materials (SPDX 2.3, JSON) of the static executable: what was linked into it, with versions and licences.

    python3 samples/kubernetes/sbom.py BINARY CHECKOUTS > wingmirror.spdx.json

BINARY gives the checksum; CHECKOUTS is the folder with the packages' sources, whose licence files are looked at. Swift packages and their
revisions come from Package.resolved, libraries of the system from dpkg. The same inputs give the same document.
"""
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What the link takes from Debian (samples/kubernetes/image.mk), and what those libraries need in turn.
SYSTEM = [("libpcap-dev", "BSD-3-Clause"), ("zlib1g-dev", "Zlib"), ("libbrotli-dev", "MIT"), ("libre2-dev", "BSD-3-Clause"), ("libyaml-dev", "MIT"),
          ("libdbus-1-dev", "AFL-2.1 OR GPL-2.0-or-later"),
          ("libc6-dev", "LGPL-2.1-or-later"), ("libstdc++-12-dev", "GPL-3.0-or-later WITH GCC-exception-3.1")]
LICENCES = [("Apache-2.0", r"Apache License\s+Version 2\.0"), ("MIT", r"Permission is hereby granted, free of charge"),
            ("BSD-3-Clause", r"Neither the name"), ("BSD-2-Clause", r"Redistribution and use in source and binary forms")]


def licence(folder):
    """The SPDX identifier of the licence file of a folder; NOASSERTION where none is recognised."""
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.upper().startswith(("LICENSE", "LICENCE", "COPYING")) and os.path.isfile(os.path.join(folder, name)):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                text = file.read()
            for identifier, pattern in LICENCES:
                if re.search(pattern, text):
                    # The Swift project's packages carry an exception for what the compiler inlines.
                    return f"{identifier} WITH Swift-exception" if "Runtime Library Exception" in text else identifier
    return "NOASSERTION"


def identifier(text):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", text)


def run(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def package(name, version, licence, location="NOASSERTION", purl=None):
    entry = {"name": name, "SPDXID": identifier(f"Package-{name}"), "versionInfo": version, "downloadLocation": location,
             "filesAnalyzed": False, "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION"}
    if purl:
        entry["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]
    return entry


def document(binary, checkouts):
    with open(binary, "rb") as file:
        checksum = hashlib.sha256(file.read()).hexdigest()
    with open(os.path.join(ROOT, "Package.resolved"), encoding="utf-8") as file:
        pins = json.load(file)["pins"]
    version = run("git", "describe", "--tags", "--always") or "unknown"
    time = int(run("git", "log", "-1", "--format=%ct") or 0)
    root = package("wingmirror", version, "Apache-2.0")
    root["primaryPackagePurpose"] = "APPLICATION"
    root["checksums"] = [{"algorithm": "SHA256", "checksumValue": checksum}]
    packages = [root]
    for pin in sorted(pins, key=lambda pin: pin["identity"]):
        state = pin["state"]
        number = state.get("version") or state["revision"]
        place = pin["location"]
        folder = os.path.join(checkouts, os.path.basename(place).removesuffix(".git"))
        packages.append(package(pin["identity"], number, licence(folder), f"git+{place}@{state['revision']}",
                                f"pkg:swift/{place.removeprefix('https://').removesuffix('.git')}@{number}"))
    swift = re.search(r"Swift version (\S+)", run("swift", "--version") or "")
    packages.append(package("swift-runtime", swift.group(1) if swift else "unknown", "Apache-2.0 WITH Swift-exception"))
    for name, terms in SYSTEM:
        number = run("dpkg-query", "-W", "-f", "${Version}", name)
        if number:
            packages.append(package(name, number, terms, purl=f"pkg:deb/debian/{name}@{number}"))
    contained = [{"spdxElementId": root["SPDXID"], "relationshipType": "STATIC_LINK", "relatedSpdxElement": other["SPDXID"]} for other in packages[1:]]
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"wingmirror-{version}",
            "documentNamespace": f"https://wingmirror.invalid/spdx/{checksum}",
            "creationInfo": {"created": datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                             "creators": ["Tool: wingmirror-sbom"]},
            "packages": packages,
            "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": root["SPDXID"]}] + contained}


if __name__ == "__main__":
    json.dump(document(sys.argv[1], sys.argv[2]), sys.stdout, indent=1)
    print()
