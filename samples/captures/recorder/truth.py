# Wingmirror · Apache-2.0
"""The access log of the gateway, counted: what an agent that saw the capture should have counted too."""

import collections


def outcome(entry):
    """Which of the agent's outcomes an entry is: `route`, `no_route`, or `rejected` (answered before routing)."""
    if entry["route"]:
        return "route"
    return "no_route" if "NR" in (entry["flags"] or "") else "rejected"


def status(entry):
    """The status as text; `none` where the client went away before an answer began."""
    return str(entry["status"]) if entry["status"] else "none"


def count(entries):
    """The whole truth file."""
    rules = collections.defaultdict(list)
    unmatched = collections.defaultdict(list)
    for entry in entries:
        kind = outcome(entry)
        (rules[entry["route"]] if kind == "route" else unmatched[kind]).append(entry)
    return {
        "exchanges": len(entries),
        "connectionsWithRequests": len({entry["client"] for entry in entries}),
        "statuses": tally(entries, status),
        "routes": [
            {"virtualService": name.rpartition("#")[0], "rule": int(name.rpartition("#")[2]), **totals(members)}
            for name, members in sorted(rules.items())
        ],
        "unmatched": {kind: totals(members) for kind, members in sorted(unmatched.items())},
        "flags": tally(entries, lambda entry: entry["flags"] or "none"),
        "details": tally(entries, lambda entry: (entry["details"] or "none").partition("{")[0]),
    }


def totals(entries):
    upgraded = [entry for entry in entries if entry["status"] == 101]
    return {
        "requests": len(entries),
        "statuses": tally(entries, status),
        "methods": tally(entries, lambda entry: entry["method"] or "none"),
        **octets(entries),
        # Of these, what followed an accepted upgrade and is not HTTP content.
        "upgraded": octets(upgraded),
    }


def octets(entries):
    return {
        "requestBytes": sum(entry["requestBytes"] for entry in entries),
        "responseBytes": sum(entry["responseBytes"] for entry in entries),
    }


def tally(entries, key):
    return dict(sorted(collections.Counter(key(entry) for entry in entries).items()))
