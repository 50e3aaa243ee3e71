#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Runs cases of alerts (rules/tests/*.yml) by promtool, each with the rules that it asks about and not with all.

usage: cases.py FILE ...

promtool evaluates every rule at every interval, whether or not a case asks about it. Here a case gets those that its text names,
those that they name in turn, and so on, in their groups and order; what it says of them is the same as with all. `promtool test
rules FILE` still does it with all, several times as long. Exit 1 when a case fails.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

GROUP = re.compile(r"(?m)^(?=  - name: )")
GROUP_NAME = re.compile(r'  - name: "?([^"\n]+)')
RULE = re.compile(r"(?m)^(?=      - (?:record|alert): )")
RULE_NAME = re.compile(r'      - (?:record|alert): "?([^"\n]+)')
NAME = re.compile(r"[A-Za-z_][\w:]*")


def groups(path):
    """The groups of a file of rules: what stands before a group's rules, and its rules as pairs of name and text."""
    text = path.read_text(encoding="utf-8")
    found = []
    for group in GROUP.split(text)[1:]:
        head, *rules = RULE.split(group)
        found.append((head, [(RULE_NAME.match(rule)[1], rule) for rule in rules]))
    if sum(len(rules) for _, rules in found) != len(re.findall(r"(?m)^[ -]+(?:record|alert): ", text)):
        raise SystemExit(f"cases.py: {path}: a rule is not indented as the others are")
    return found


def needed(asked, rules):
    """The names of the rules that a text asks about, with all that these build on."""
    waiting, found = set(NAME.findall(asked)) & rules.keys(), set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(NAME.findall(rules[name])) & rules.keys() - found
    return found


def narrowed(path):
    """The text of a case without its files of rules, and the text of the rules that it needs."""
    head, tests = re.split(r"(?m)^(?=tests:)", path.read_text(encoding="utf-8"), maxsplit=1)
    files = re.search(r"(?m)^rule_files: \[(.*)\]\n", head)
    every = [group for file in files[1].split(",") for group in groups(path.parent / file.strip())]
    rules = {}
    for _, entries in every:
        for name, text in entries:
            rules[name] = rules.get(name, "") + text
    names = needed(tests, rules)
    text = "groups:\n"
    for group_head, entries in every:
        kept = "".join(rule for name, rule in entries if name in names)
        group = GROUP_NAME.match(group_head)[1]
        if kept:
            text += group_head + kept
        else:
            head = re.sub(rf"(?m)^  - {re.escape(group)}\n", "", head)
    return head.replace(files[0], "rule_files: [rules.yml]\n") + tests, text


def run(path):
    """What promtool says of a case, empty when it holds."""
    case, rules = narrowed(path)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "rules.yml").write_text(rules, encoding="utf-8")
        (folder / path.name).write_text(case, encoding="utf-8")
        result = subprocess.run(["promtool", "test", "rules", str(folder / path.name)], capture_output=True, text=True)
    return f"{path.name}:\n{result.stdout}{result.stderr}" if result.returncode else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    problems = [problem for problem in map(run, parser.parse_args().files) if problem]
    print(*problems, sep="\n", end="", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
