#!/usr/bin/env python3
"""Writes the man pages of all commands, from what the program says of itself.

    python3 samples/systemd/man_pages.py BINARY FOLDER [--version TEXT] [--date YYYY-MM-DD]

One page a command in FOLDER: wingmirror.1, wingmirror-run.1, wingmirror-routes-explain.1 and so on. Used by `make install`.
"""
import argparse
import json
import os
import re
import subprocess

EXIT_STATUS = [("0", "The work is done."), ("1", "The work failed."), ("2", "Bad usage or configuration: one line for each problem."),
               ("3", "A permission is missing: the message names the command that grants it.")]
FILES = [("/etc/wingmirror/wingmirror.yaml", "The configuration that the systemd unit uses.")]


def escape(text):
    """Text as roff takes it: no line begins with a control character, and hyphens stay hyphens."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def paragraphs(text):
    """A discussion: paragraphs of prose, and lines that are set in by two spaces as they are."""
    examples, prose = [], []
    lines = text.strip().split("\n")
    block = []

    def end():
        if block:
            prose.append(" ".join(block))
            block.clear()

    inside = False
    for line in lines:
        if re.fullmatch(r"Examples?:", line.strip()):
            end()
            inside = True
        elif inside and line.startswith("  "):
            if examples and examples[-1].endswith("\\"):
                examples[-1] = examples[-1][:-1].rstrip() + " " + line.strip()
            else:
                examples.append(line.strip())
        elif not line.strip():
            end()
            inside = False if not examples else inside and not prose
        else:
            inside = False
            block.append(line.strip())
    end()
    return [p for p in prose if not p.startswith("Exit status:")], examples


def names(argument):
    """The names of an option, the short one first."""
    found = sorted(argument.get("names") or [], key=lambda name: name["kind"] != "short")
    return [("-" if name["kind"] == "short" else "--") + name["name"] for name in found]


def value(argument):
    return argument.get("valueName", "value")


def synopsis(argument):
    """How an argument stands in the synopsis."""
    if argument["kind"] == "positional":
        text = f"\\fI{escape(value(argument))}\\fR"
    else:
        text = f"\\fB{escape(names(argument)[-1])}\\fR"
        if argument["kind"] == "option":
            text += f" \\fI{escape(value(argument))}\\fR"
    if argument.get("isRepeating"):
        text += " ..."
    return f"[{text}]" if argument.get("isOptional", True) else text


def entry(argument):
    """The paragraph of an argument."""
    if argument["kind"] == "positional":
        title = f"\\fI{escape(value(argument))}\\fR"
    else:
        title = ", ".join(f"\\fB{escape(name)}\\fR" for name in names(argument))
        if argument["kind"] == "option":
            title += f" \\fI{escape(value(argument))}\\fR"
    text = (argument.get("abstract") or "").strip()
    more = (argument.get("discussion") or "").strip()
    lines = [".TP", title, escape(text) if text else "\\&"]
    default = argument.get("defaultValue")
    if default and argument["kind"] != "flag" and "default" not in text.lower():
        lines.append(escape(f"Default: {default}."))
    values = argument.get("allValues") or (argument.get("completionKind") or {}).get("list", {}).get("values")
    if values and argument["kind"] == "option":
        lines.append(escape(f"One of {', '.join(values)}."))
    if more:
        lines += [".IP", escape(more)]
    return "\n".join(lines)


def page(command, path, parent, options):
    """The page of one command."""
    name = "-".join(path)
    shown = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]
    children = [c for c in command.get("subcommands", []) if c.get("shouldDisplay", True) and c["commandName"] != "help"]
    prose, examples = paragraphs(command.get("discussion") or "")
    abstract = command.get("abstract", "").rstrip(".")
    lines = [f'.TH "{name.upper()}" 1 "{options.date}" "wingmirror {options.version}" "Wingmirror"',
             ".SH NAME", f"{escape(name)} \\- {escape(abstract[:1].lower() + abstract[1:])}",
             ".SH SYNOPSIS", ".nh", ".ad l"]
    parts = [synopsis(a) for a in shown]
    if children:
        parts = [f"\\fI{'command'}\\fR [\\fIoptions\\fR]"]
    lines += [f".HP\n\\fB{escape(' '.join(path))}\\fR " + " ".join(parts), ".ad b", ".hy", ".SH DESCRIPTION"]
    for number, text in enumerate(prose or [command.get("abstract", "")]):
        lines += ([".PP"] if number else []) + [escape(text)]
    if children:
        lines.append(".SH COMMANDS")
        for child in children:
            lines += [".TP", f"\\fB{escape('-'.join(path + [child['commandName']]))}\\fR(1)", escape(child.get("abstract", ""))]
    positional = [a for a in shown if a["kind"] == "positional"]
    others = [a for a in shown if a["kind"] != "positional"]
    if positional:
        lines += [".SH ARGUMENTS"] + [entry(a) for a in positional]
    if others:
        lines.append(".SH OPTIONS")
        sections = []
        for argument in others:
            title = argument.get("sectionTitle") or ""
            if title not in sections:
                sections.append(title)
        for title in sections:
            if title:
                lines.append(f'.SS "{escape(title)}"')
            lines += [entry(a) for a in others if (a.get("sectionTitle") or "") == title]
    if examples:
        lines.append(".SH EXAMPLES")
        for number, example in enumerate(examples):
            lines += ([".PP"] if number else []) + [".nf", ".RS", escape(example), ".RE", ".fi"]
    lines.append(".SH EXIT STATUS")
    for status, text in EXIT_STATUS:
        lines += [".TP", f"\\fB{status}\\fR", escape(text)]
    if len(path) == 1:
        lines.append(".SH FILES")
        for file, text in FILES:
            lines += [".TP", f"\\fI{escape(file)}\\fR", escape(text)]
    related = [parent] if parent else []
    related += ["-".join(path + [c["commandName"]]) for c in children]
    if related:
        lines += [".SH SEE ALSO", ",\n".join(f"\\fB{escape(r)}\\fR(1)" for r in related)]
    return name, "\n".join(lines) + "\n"


def write(command, path, parent, options):
    name, text = page(command, path, parent, options)
    with open(os.path.join(options.folder, f"{name}.1"), "w", encoding="utf-8") as file:
        file.write(text)
    for child in command.get("subcommands", []):
        if child.get("shouldDisplay", True) and child["commandName"] != "help":
            write(child, path + [child["commandName"]], name, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("binary")
    parser.add_argument("folder")
    parser.add_argument("--version", default="")
    parser.add_argument("--date", default="")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    dump = subprocess.run([options.binary, "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout
    command = json.loads(dump)["command"]
    write(command, [command["commandName"]], None, options)


if __name__ == "__main__":
    main()
