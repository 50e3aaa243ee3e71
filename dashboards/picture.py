#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Draws a dashboard as SVG from what a running Prometheus answers to its queries.

usage: picture.py URL DASHBOARD.json [--minutes N] [--set NAME=VALUE ...] [--rows N] > picture.svg

For README and documentation, and for a look at the panels without Grafana. It is a drawing of the same queries at the same places, not
Grafana: colours, legends and axes are simpler, and heatmaps are drawn from classic buckets only. Variables take all values unless set.
`--rows` ends the picture after so many rows of the dashboard. Exit 1 when a query is refused.
"""
import argparse
import datetime
import html
import json
import math
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

WIDTH = 1400
UNIT = WIDTH / 24  # a column of the grid
HEIGHT = 34  # a row of the grid
PALETTE = ("#3274d9", "#e0b400", "#37872d", "#c4162a", "#8f3bb8", "#ff780a", "#1f8a8a", "#7c5b3b", "#5f6b7a", "#d95f9a")
NAMED = {"green": "#37872d", "orange": "#d9730d", "red": "#c4162a", "yellow": "#c29b00", "blue": "#3274d9", "text": "#1f2933"}
INK, FAINT, LINE = "#1f2933", "#67737f", "#dfe4e9"


class Refused(Exception):
    """A query that Prometheus does not accept."""


def ask(base, path, **parameters):
    """The result of a query of the HTTP API."""
    body = urllib.parse.urlencode(parameters).encode()
    try:
        with urllib.request.urlopen(f"{base}/api/v1/{path}", data=body, timeout=60) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise Refused(f"{json.load(error).get('error')}: {parameters['query']}") from error


def variables(dashboard, chosen):
    """The texts that stand for the dashboard's variables."""
    values = {}
    for variable in dashboard["templating"]["list"]:
        name = variable["name"]
        values[name] = chosen.get(name) or variable.get("allValue") or ".*"
    return values


def written(query, values, minutes):
    """A query with its variables replaced."""
    query = query.replace("$__rate_interval", "1m").replace("$__range_s", str(minutes * 60)).replace("$__range", f"{minutes}m")
    for name in sorted(values, key=len, reverse=True):
        query = re.sub(r"\$\{" + name + r"(:[a-z]+)?\}|\$" + name + r"\b", lambda _, name=name: values[name], query)
    return query


def amount(value, unit, digits=3):
    """A number with its unit, as an axis or a tile shows it."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"

    def plain(number):
        places = max(0, digits - 1 - math.floor(math.log10(abs(number)))) if number else 0
        return f"{number:.{places}f}".rstrip("0").rstrip(".") if places else f"{number:.0f}"

    def scaled(steps, suffix, base):
        rest, index = abs(value), 0
        while rest >= base and index < len(steps) - 1:
            rest, index = rest / base, index + 1
        return f"{'-' if value < 0 else ''}{plain(rest)} {steps[index]}{suffix}".strip()

    if unit == "percentunit":
        return f"{plain(value * 100)} %"
    if unit == "s":
        for size, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if not value or abs(value) >= size or size == 1e-6:
                return f"{plain(value / size)} {name}"
    if unit in ("bytes", "decbytes", "Bps"):
        base = 1024 if unit == "bytes" else 1000
        steps = ("B", "KiB", "MiB", "GiB") if unit == "bytes" else ("B", "kB", "MB", "GB")
        return scaled(steps, "/s" if unit == "Bps" else "", base)
    if unit == "dateTimeFromNow":
        return f"{max(0, time.time() - value / 1000):.0f} s ago"
    suffix = {"reqps": "req/s", "cps": "/s", "ops": "ops/s", "pps": "p/s"}.get(unit, "")
    return f"{plain(value)} {suffix}".strip() if abs(value) < 1e4 else scaled(("", "k", "M", "G"), suffix, 1000)


def text(x, y, words, size=11, colour=INK, anchor="start", weight="normal"):
    """A line of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{html.escape(str(words))}</text>'
    )


def shortened(words, width, size=11):
    """As much of a text as fits into a width, by the usual width of a character."""
    most = max(1, int(width / (size * 0.56)))
    return words if len(words) <= most else words[: most - 1] + "…"


def legend(target, labels):
    """What a series is called."""
    if target.get("legendFormat"):
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: labels.get(match[1], ""), target["legendFormat"])
    return ", ".join(value for name, value in sorted(labels.items()) if name not in ("__name__", "job")) or "value"


def numbers(series):
    """The values of a series by their times; a native histogram has none."""
    return {float(at): float(value) for at, value in series.get("values", [])}


class Picture:
    """A dashboard as it is drawn."""

    def __init__(self, base, dashboard, values, minutes):
        self.base, self.values, self.minutes = base, values, minutes
        self.end = time.time()
        self.step = max(5, minutes * 60 // 240)
        self.parts = []

    def series(self, target):
        """Pairs of a name and values by time."""
        query = written(target["expr"], self.values, self.minutes)
        found = ask(self.base, "query_range", query=query, start=self.end - self.minutes * 60, end=self.end, step=self.step)
        return [(legend(target, one["metric"]), one["metric"], numbers(one)) for one in found]

    def latest(self, target):
        """Pairs of labels and the value of now."""
        query = written(target["expr"], self.values, self.minutes)
        found = ask(self.base, "query", query=query, time=self.end)
        return [(one["metric"], float(one["value"][1])) for one in found if "value" in one]

    def panel(self, panel, top):
        """Draws a panel, its own top at `top` grid rows."""
        grid = panel["gridPos"]
        x, y, width, height = grid["x"] * UNIT, top * HEIGHT, grid["w"] * UNIT, grid["h"] * HEIGHT
        if panel["type"] == "row":
            self.parts.append(text(x + 6, y + 22, panel["title"], 14, weight="600"))
            return
        self.parts.append(
            f'<rect x="{x + 3:.1f}" y="{y + 3:.1f}" width="{width - 6:.1f}" height="{height - 6:.1f}" rx="3" fill="#fff" '
            f'stroke="{LINE}"/>'
        )
        self.parts.append(text(x + 11, y + 20, shortened(panel.get("title", ""), width - 20, 12), 12, weight="600"))
        draw = getattr(self, "draw_" + panel["type"], None)
        if draw:
            draw(panel, (x + 10, y + 28, width - 20, height - 38))

    def draw_stat(self, panel, box):
        """A number, coloured by the thresholds."""
        x, y, width, height = box
        settings = panel["fieldConfig"]["defaults"]
        shown = [value for target in panel["targets"] for _, value in self.latest(target)]
        words, colour = settings.get("noValue", "no data"), FAINT
        if shown and not math.isnan(shown[0]):
            words, colour = amount(shown[0], settings.get("unit")), INK
            for step in settings.get("thresholds", {}).get("steps", []):
                if step["value"] is None or shown[0] >= step["value"]:
                    colour = NAMED.get(step["color"], step["color"])
            for mapping in settings.get("mappings", []):
                named = mapping["options"].get(f"{shown[0]:g}") if mapping["type"] == "value" else None
                if named:
                    words, colour = named["text"], NAMED.get(named["color"], named["color"])
        size = min(26, width / max(4, len(words)) * 1.6)
        self.parts.append(text(x + width / 2, y + height / 2 + size / 3, words, f"{size:.0f}", colour, "middle", "600"))

    def nothing(self, panel, box):
        """Says that there is no data."""
        x, y, width, height = box
        words = panel["fieldConfig"]["defaults"].get("noValue") or "no data"
        self.parts.append(text(x + width / 2, y + height / 2, words, 12, FAINT, "middle"))

    def draw_timeseries(self, panel, box):
        """Lines, stacked where the panel says so, with a legend below."""
        x, y, width, height = box
        settings = panel["fieldConfig"]["defaults"]
        isStacked = settings.get("custom", {}).get("stacking", {}).get("mode") == "normal"
        every = [(name, values) for target in panel["targets"] for name, _, values in self.series(target)]
        every = [(name, {at: value for at, value in values.items() if math.isfinite(value)}) for name, values in every]
        every = [(name, values) for name, values in every if values][:12]
        if not every:
            return self.nothing(panel, box)
        lines, below = [], {}
        for name, values in every:
            top = {at: value + (below.get(at, 0) if isStacked else 0) for at, value in values.items()}
            lines.append((name, top, dict(below)))
            if isStacked:
                below = {**below, **top}
        highest = max(value for _, values, _ in lines for value in values.values())
        lowest = min(0, min(value for _, values, _ in lines for value in values.values()))
        highest = highest if highest > lowest else lowest + 1
        left, bottom, room = x + 58, y + height - 34, width - 62
        tall = height - 46

        def place(at, value):
            return (
                left + room * (1 - (self.end - at) / (self.minutes * 60)),
                bottom - tall * (value - lowest) / (highest - lowest) * 0.95,
            )

        for share in (0, 0.5, 1):
            value = lowest + (highest - lowest) * share
            _, level = place(self.end, value)
            self.parts.append(f'<line x1="{left}" x2="{left + room:.1f}" y1="{level:.1f}" y2="{level:.1f}" stroke="{LINE}"/>')
            self.parts.append(text(left - 5, level + 4, amount(value, settings.get("unit"), 2), 10, FAINT, "end"))
        for share in (0, 0.5, 1):
            at = self.end - self.minutes * 60 * (1 - share)
            words = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%H:%M")
            self.parts.append(text(left + room * share, bottom + 13, words, 10, FAINT, ("start", "middle", "end")[round(share * 2)]))
        for index, (name, values, floor) in reversed(list(enumerate(lines))):
            colour = PALETTE[index % len(PALETTE)]
            for run in self.runs(values):
                points = [place(at, values[at]) for at in run]
                path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
                if isStacked:
                    back = " ".join("{:.1f},{:.1f}".format(*place(at, floor.get(at, 0))) for at in reversed(run))
                    self.parts.append(f'<polygon points="{path} {back}" fill="{colour}" fill-opacity="0.35"/>')
                self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
        at = left
        for index, (name, _, _) in enumerate(lines):
            words = shortened(name, room / min(4, len(lines)) - 18, 10)
            need = 16 + len(words) * 5.8
            if at + need > left + room + 4:
                break
            self.parts.append(f'<rect x="{at:.1f}" y="{y + height - 14:.1f}" width="9" height="3" fill="{PALETTE[index % len(PALETTE)]}"/>')
            self.parts.append(text(at + 12, y + height - 9, words, 10, FAINT))
            at += need
        return None

    def runs(self, values):
        """The times of values without a pause among them."""
        runs, last = [], None
        for at in sorted(values):
            if last is None or at - last > self.step * 1.5:
                runs.append([])
            runs[-1].append(at)
            last = at
        return runs

    def draw_heatmap(self, panel, box):
        """Squares by time and bucket, from cumulative buckets."""
        x, y, width, height = box
        unit = panel["options"].get("yAxis", {}).get("unit")
        found = [(float(labels["le"]), values) for target in panel["targets"] for _, labels, values in self.series(target) if "le" in labels]
        found.sort(key=lambda one: one[0])
        cells = {}
        for index, (_, values) in enumerate(found):
            for at, value in values.items():
                lower = found[index - 1][1].get(at, 0) if index else 0
                if value - lower > 0:
                    cells[at, index] = value - lower
        if not cells:
            return self.nothing(panel, box)
        used = sorted({index for _, index in cells})
        first, last = used[0], used[-1]
        left, room, tall = x + 58, width - 62, (height - 22) / (last - first + 1)
        most = max(cells.values())
        for (at, index), value in cells.items():
            place = left + room * (1 - (self.end - at) / (self.minutes * 60))
            self.parts.append(
                f'<rect x="{place:.1f}" y="{y + (last - index) * tall:.1f}" width="{room * self.step / self.minutes / 60:.1f}" '
                f'height="{tall - 0.5:.1f}" fill="#d9730d" fill-opacity="{0.1 + 0.9 * math.sqrt(value / most):.2f}"/>'
            )
        for index in used:
            self.parts.append(text(left - 5, y + (last - index) * tall + tall / 2 + 4, amount(found[index][0], unit), 10, FAINT, "end"))
        return None

    def draw_table(self, panel, box):
        """Rows of labels and the value of now, with the names of columns that the panel gives."""
        x, y, width, height = box
        renamed, order, hidden, kept = {}, {}, {}, None
        for change in panel.get("transformations", []):
            options = change["options"]
            if change["id"] == "organize":
                renamed = options.get("renameByName", {})
                order = options.get("indexByName", {})
                hidden = options.get("excludeByName", {})
            if change["id"] == "filterFieldsByName":
                kept = options.get("include", {}).get("names")
        units = {
            override["matcher"]["options"]: change["value"]
            for override in panel["fieldConfig"].get("overrides", [])
            for change in override["properties"]
            if change["id"] == "unit"
        }
        rows = {}
        for target in panel["targets"]:
            name = f"Value #{target['refId']}"
            for labels, value in self.latest(target):
                key = tuple(sorted(item for item in labels.items() if item[0] not in ("__name__", "job")))
                rows.setdefault(key, {})[name] = value
        if not rows:
            return self.nothing(panel, box)
        labels = sorted({name for key in rows for name, _ in key}, key=lambda name: (order.get(name, 99), name))
        columns = [name for name in labels if not hidden.get(name)] + [f"Value #{target['refId']}" for target in panel["targets"]]
        if kept:
            columns = [name for name in columns if name in kept or name.replace("Value", "Trend") in kept]
        titles = {name: renamed.get(name) or renamed.get(name.replace("Value", "Trend")) or name for name in columns}
        room = width / max(1, len(columns))
        for index, name in enumerate(columns):
            self.parts.append(text(x + index * room, y + 10, shortened(titles[name], room - 6, 10), 10, FAINT, weight="600"))
        values = [name for name in columns if name.startswith("Value")]
        ranked = sorted(rows.items(), key=lambda row: -(row[1].get(values[0], 0) if values else 0))
        for line, (key, cells) in enumerate(ranked[: int((height - 14) / 17)]):
            level = y + 28 + line * 17
            for index, name in enumerate(columns):
                isValue = name.startswith("Value")
                unit = units.get(titles[name], panel["fieldConfig"]["defaults"].get("unit"))
                words = amount(cells.get(name), unit) if isValue else dict(key).get(name, "")
                self.parts.append(text(x + index * room, level, shortened(words, room - 6), 11))
        return None

    def draw_text(self, panel, box):
        """The first lines of a text."""
        x, y, width, _ = box
        for index, line in enumerate(re.sub(r"[*`#]", "", panel["options"]["content"]).strip().splitlines()[:4]):
            self.parts.append(text(x, y + 12 + index * 16, shortened(line, width)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("dashboard", type=pathlib.Path)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--rows", type=int, default=99)
    arguments = parser.parse_args()
    dashboard = json.loads(arguments.dashboard.read_text())
    chosen = dict(one.split("=", 1) for one in arguments.set)
    picture = Picture(arguments.url.rstrip("/"), dashboard, variables(dashboard, chosen), arguments.minutes)
    rows, top, height = 0, 1, 1
    try:
        for panel in dashboard["panels"]:
            rows += panel["type"] == "row"
            if rows > arguments.rows:
                break
            picture.panel(panel, panel["gridPos"]["y"] + top)
            height = max(height, panel["gridPos"]["y"] + panel["gridPos"]["h"] + top)
    except Refused as error:
        print(f"picture.py: {error}", file=sys.stderr)
        return 1
    tall = height * HEIGHT + 8
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{tall}" viewBox="0 0 {WIDTH} {tall}" '
        'font-family="Inter, Helvetica, Arial, sans-serif">'
    )
    print(f'<rect width="{WIDTH}" height="{tall}" fill="#f4f6f8"/>')
    print(text(9, 24, dashboard["title"], 17, weight="600"))
    print(text(WIDTH - 9, 24, "drawn from the dashboard's queries by dashboards/picture.py; not a screenshot of Grafana", 11, FAINT, "end"))
    print("\n".join(picture.parts))
    print("</svg>")
    return 0


if __name__ == "__main__":
    sys.exit(main())
