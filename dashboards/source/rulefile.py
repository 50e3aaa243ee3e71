# Wingmirror · Apache-2.0
"""Writes Prometheus rule files: the little YAML that they need."""

import json
import textwrap

BANNER = "# Made by dashboards/generate.py from source/; changes belong there.\n"


def rule_file(comment, groups):
    """A rule file; `groups` are pairs of a dictionary of the group's settings and its rules."""
    lines = [BANNER + "".join(f"# {line}".rstrip() + "\n" for line in textwrap.wrap(comment, 116)), "groups:"]
    for settings, rules in groups:
        lines += block("- ", settings, "  ") + ["    rules:"]
        for each in rules:
            lines += block("- ", each, "      ")
    return "\n".join(lines) + "\n"


def block(mark, mapping, indent):
    """A mapping as an entry of a list."""
    lines = []
    for key, value in mapping.items():
        lines += entry(key, value, indent + ("  " if lines else mark))
    return lines


def entry(key, value, indent):
    """One key: a text, a text of several lines, or a mapping."""
    inner = " " * (len(indent) + 2)
    if isinstance(value, dict):
        return [f"{indent}{key}:"] + [line for pair in value.items() for line in entry(*pair, inner)]
    if "\n" in value:
        return [f"{indent}{key}: |"] + [(inner + line).rstrip() for line in value.strip("\n").split("\n")]
    return [f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}"]
