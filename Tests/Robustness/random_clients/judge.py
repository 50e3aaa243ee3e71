# Wingmirror · Apache-2.0
"""Holds an agent's records of a capture against the gateway's log, and those of damaged copies against those of the whole."""

import collections
import gzip
import json
import random
import re
import struct
import subprocess
import sys
import tempfile

NUMBER = re.compile(r"/c(\d+)")
# What Envoy says where the client or the end of the connection took the answer away: the log has a status that nobody was sent.
LEFT = {"DC", "DR", "DPE"}


def records(agent, folder, capture):
    options = ["--config", folder / "agent.yaml", "--routes", folder / "routes.yaml", "--key-log", folder / "keys"]
    done = subprocess.run(
        [agent, "read", capture, "--output", "ndjson", *options], capture_output=True, text=True, timeout=600
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{agent} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def number(target):
    found = NUMBER.search(target or "")
    return int(found.group(1)) if found else None


def by_number(entries, target):
    table = collections.defaultdict(list)
    for entry in entries:
        key = number(target(entry))
        if key is not None:
            table[key].append(entry)
    return table


def target_of(record):
    return (record.get("request") or {}).get("target")


# -- the whole capture ----------------------------------------------------------------------------------------------


def check_whole(truth, whole):
    """What differs from the gateway's log, one sentence each."""
    wrong = []
    logged, told = by_number(truth, lambda entry: entry["target"]), by_number(whole, target_of)
    for key, entries in logged.items():
        if len(told[key]) != 1:
            wrong.append(f"{len(told[key])} records of {entries[0]['method']} {entries[0]['target'][:40]}")
            continue
        wrong += [f"{entries[0]['target'][:40]}: {fault}" for fault in differences(entries[0], told[key][0])]
    for key, entries in told.items():
        # The gateway logs a request that it refused without its target.
        if key not in logged and not {"malformed", "framing_conflict"} & set(entries[0]["integrity"]) and answered(entries[0]):
            wrong.append(f"{target_of(entries[0])[:40]} is in no log: {entries[0]}")
    return wrong


def answered(record):
    return record["response"] is not None and record["response"]["status"] not in (400, 413, 431, 501)


def differences(entry, record):
    flags = set((entry["flags"] or "-").split(",")) - {"-"}
    left = flags & LEFT or entry["details"] in ("http1.body_disallowed", "downstream_remote_disconnect")
    request, response = record["request"], record["response"] or {}
    for field in ("method", "authority"):
        if request[field] != entry[field]:
            yield f"{field} {entry[field]} became {request[field]}"
    status = response.get("status")
    if status != (entry["status"] or None) and not (left and status is None) and not record["integrity"]:
        yield f"status {entry['status']} {entry['details']} became {status} {record['integrity']}"
    route = (record["route"] or {}).get("routeName")
    if entry["route"] is not None and route != entry["route"]:
        yield f"route {entry['route']} became {route}"
    if left or record["integrity"]:
        return
    # Envoy does not count what it had not read when the answer was there.
    if request["contentBytes"] < entry["received"]:
        yield f"request's size {entry['received']} became {request['contentBytes']}"
    if response.get("contentBytes") != entry["sent"]:
        yield f"answer's size {entry['sent']} became {response.get('contentBytes')}"


# -- damaged copies -------------------------------------------------------------------------------------------------


class Packets:
    """The packets of a classic pcap file of Ethernet with IPv4, and the connection and payload of each."""

    def __init__(self, path):
        data = (gzip.open if str(path).endswith(".gz") else open)(path, "rb").read()
        self.header, self.raw, self.times, self.connections, self.payloads = data[:24], [], [], [], []
        at = 24
        while at < len(data):
            seconds, nanoseconds, length, _ = struct.unpack_from("<IIII", data, at)
            frame = data[at + 16 : at + 16 + length]
            self.raw.append(data[at : at + 16 + length])
            self.times.append(seconds * 10**9 + nanoseconds)
            ports = struct.unpack_from(">HH", frame, 34)
            self.connections.append(max(ports))
            self.payloads.append(struct.unpack_from(">H", frame, 16)[0] - 20 - (frame[46] >> 4) * 4)
            at += 16 + length

    def damaged(self, seed, lose=0.0, burst=1, cut=0.0):
        """What is left of the file, and the times at which each connection lost something."""
        chance, lost, left = random.Random(seed), collections.defaultdict(list), collections.Counter()
        out, first = [self.header], int(len(self.raw) * cut)
        for place, (raw, at, connection, payload) in enumerate(zip(self.raw, self.times, self.connections, self.payloads)):
            if place < first:
                lost[connection].append(at)
                continue
            if payload > 0 and (left[connection] or chance.random() < lose):
                left[connection] = left[connection] - 1 if left[connection] else burst - 1
                lost[connection].append(at)
                continue
            out.append(raw)
        return b"".join(out), lost


def facts(record, sizes):
    """What a record says of its exchange; None is what it does not know."""
    request, response = record["request"] or {}, record["response"] or {}
    said = {field: request.get(field) for field in ("method", "target", "authority", "scheme", "fieldCount")}
    said |= {"status": response.get("status"), "response fields": response.get("fieldCount"), "grpcStatus": record.get("grpcStatus")}
    said["route"] = json.dumps(record["route"], sort_keys=True) if record.get("route") else None
    if sizes:
        said |= {"request bytes": request.get("contentBytes"), "response bytes": response.get("contentBytes")}
    return said


def nanoseconds(record):
    import calendar
    import time

    whole, _, fraction = record["startTime"].rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction.ljust(9, "0"))


def check_damaged(agent, folder, packets, whole, seed, **how):
    """Counts of exchanges by what became of them, and what is wrong, one sentence each."""
    octets, lost = packets.damaged(seed, **how)
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(octets)
        file.flush()
        told = by_number(records(agent, folder, file.name), target_of)
    counts, wrong = collections.Counter(), []
    for key, (record, *_) in by_number(whole, target_of).items():
        start = nanoseconds(record)
        duration = record["timing"].get("durationSeconds")
        # One without an answer may have gone on until its connection ended.
        end = packets.times[-1] if duration is None else start + int(1e9 * duration)
        losses = lost[int(record["client"].rsplit(":", 1)[1])]
        touched = any(start - 1000 <= at <= end + 1000 for at in losses)
        untouched = not any(at <= end + 50_000_000 for at in losses)
        found = told.get(key)
        if not found:
            counts["gap"] += 1
            if untouched:
                wrong.append(f"seed {seed}: {target_of(record)[:40]} is gone, though its connection lost nothing before its end")
            continue
        before, after = facts(record, not touched), facts(found[0], not touched)
        marks = found[0]["integrity"]
        differing = [name for name in before if after[name] is not None and before[name] != after[name]]
        if marks:
            differing = [name for name in differing if not name.endswith(("bytes", "fields", "Count"))]
        missing = [name for name in before if before[name] is not None and after[name] is None]
        word = "wrong" if differing else "same" if not missing else "gap" if marks else "silent"
        if len(found) > 1:
            word, differing = "wrong", ["two records"]
        counts[word] += 1
        if word in ("wrong", "silent") or (untouched and word != "same"):
            names = "; ".join(f"{name} {before.get(name)} became {after.get(name)}"[:160] for name in differing or missing)
            wrong.append(f"seed {seed}: {record['client']} {target_of(record)[:40]}: {word}: {names} {marks}")
    return counts, wrong
