# Wingmirror · Apache-2.0
"""The parts of a Grafana dashboard, and the conventions that all of ours share.

Each function returns a piece of the dashboard's JSON. A panel is written without its place: rows are filled from left to
right, and a panel that no longer fits begins the next line.
"""

UID_PREFIX = "wingmirror-"
TAGS = ["wingmirror"]
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA_VERSION = 39
COLUMNS = 24

# Colours say the same thing in every panel.
COLOURS = {
    "1xx": "purple",
    "2xx": "green",
    "3xx": "blue",
    "4xx": "orange",
    "5xx": "red",
    "no response": "dark-red",
    "canary": "yellow",
    "stable": "blue",
    "p50": "green",
    "p95": "orange",
    "p99": "red",
}
GOOD, FAIR, BAD, PLAIN = "green", "orange", "red", "text"


# -- dashboards ---------------------------------------------------------------------------------------------------


def uid(name):
    """The identifier that links use: the file's name without its ending, after a prefix."""
    return UID_PREFIX + name


def dashboard(name, title, description, variables, rows):
    """A whole dashboard; `name` is its file's name without the ending, `rows` what `row` returns."""
    return {
        "uid": uid(name),
        "title": title,
        "description": description,
        "tags": TAGS,
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "annotations": {"list": []},
        "links": [
            {
                "title": "Wingmirror",
                "type": "dashboards",
                "tags": TAGS,
                "asDropdown": True,
                "includeVars": False,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "The other dashboards of Wingmirror",
                "url": "",
            }
        ],
        "templating": {"list": variables},
        "panels": placed(rows),
    }


def row(title, *panels, collapsed=False):
    """A row with its panels."""
    return {"title": title, "panels": list(panels), "collapsed": collapsed}


def placed(rows):
    """The panels of all rows with numbers and places."""
    result, number, top = [], 0, 0
    for each in rows:
        number += 1
        header = {
            "type": "row",
            "id": number,
            "title": each["title"],
            "collapsed": each["collapsed"],
            "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
            "panels": [],
        }
        result.append(header)
        top += 1
        left = line = 0
        for panel in each["panels"]:
            number += 1
            width, height = panel.pop("size")
            if left + width > COLUMNS:
                left, top, line = 0, top + line, 0
            panel = {"id": number, **panel, "gridPos": {"x": left, "y": top, "w": width, "h": height}}
            (header["panels"] if each["collapsed"] else result).append(panel)
            left, line = left + width, max(line, height)
        top += line
    return result


# -- variables ----------------------------------------------------------------------------------------------------


def data_source():
    """The variable that says which Prometheus is asked; always the first."""
    return {
        "name": "datasource",
        "label": "Data Source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def variable(name, label, series, key, *, multi=True, every=".*", description=""):
    """A variable whose values are those of a label.

    `every` is what "All" stands for: `.*` where an empty label is a value like any other.
    """
    query = f"label_values({series}, {key})"
    result = {
        "name": name,
        "label": label,
        "description": description,
        "type": "query",
        "datasource": DATA_SOURCE,
        "definition": query,
        "query": query,
        "refresh": 2,
        "sort": 1,
        "regex": "",
        "hide": 0,
        "options": [],
        "multi": multi,
        "includeAll": multi,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]} if multi else {},
    }
    if multi:
        result["allValue"] = every
    return result


# -- queries ------------------------------------------------------------------------------------------------------


def query(expression, legend="", *, exemplar=False):
    """A query over the time range; its letter is given by the panel."""
    return {"expr": expression, "legendFormat": legend, "range": True, "instant": False, "exemplar": exemplar}


def lettered(queries, **settings):
    """The queries with their letters, A for the first."""
    return [
        {"refId": chr(ord("A") + number), "datasource": DATA_SOURCE, "editorMode": "code", **each, **settings}
        for number, each in enumerate(queries)
    ]


# -- panels -------------------------------------------------------------------------------------------------------


def panel(kind, title, description, size, *, targets, options, defaults, overrides=(), transformations=()):
    """What every kind of panel that asks something has in common."""
    result = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATA_SOURCE,
        "targets": targets,
        "options": options,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "size": size,
    }
    if transformations:
        result["transformations"] = list(transformations)
    return result


def fixed_colour(name, colour, *, regular=False):
    """An override that gives a series its colour."""
    return {
        "matcher": {"id": "byRegexp" if regular else "byName", "options": name},
        "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
    }


def curves(title, description, unit, *queries, size=(8, 8), stacked=False, least=0, most=None, points=False):
    """A graph over time. A legend found in `COLOURS` has the colour given there."""
    custom = {
        "drawStyle": "points" if points else "line",
        "lineWidth": 1,
        "fillOpacity": 30 if stacked else 8,
        "showPoints": "always" if points else "never",
        "pointSize": 5,
        "spanNulls": False,
        "axisPlacement": "auto",
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
    }
    defaults = {"unit": unit, "color": {"mode": "palette-classic"}, "custom": custom}
    if least is not None:
        defaults["min"] = least
    if most is not None:
        defaults["max"] = most
    return panel(
        "timeseries",
        title,
        description,
        size,
        targets=lettered(queries),
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        defaults=defaults,
        overrides=[
            fixed_colour(each["legendFormat"], COLOURS[each["legendFormat"]])
            for each in queries
            if each["legendFormat"] in COLOURS
        ],
    )


def tile(title, description, unit, expression, *, steps=(), size=(4, 4), texts=None, decimals=None, none="no data", instant=False):
    """A single number with its course behind it; an `instant` one is asked for once, at the end of the time range, and has
    none: what is reckoned over the whole range need not be reckoned again for each of its steps.

    `steps` are pairs of a lower bound and the colour from there on; below the first the number is green, without any it has
    no colour. `texts` names values, as `{1: ("open", BAD)}`.
    """
    defaults = {
        "unit": unit,
        "noValue": none,
        "color": {"mode": "thresholds"},
        "thresholds": {
            "mode": "absolute",
            "steps": [{"value": None, "color": GOOD if steps else PLAIN}]
            + [{"value": bound, "color": colour} for bound, colour in steps],
        },
    }
    if decimals is not None:
        defaults["decimals"] = decimals
    if texts:
        defaults["mappings"] = [mapping(texts)]
    return panel(
        "stat",
        title,
        description,
        size,
        targets=lettered([query(expression, title)], **({"range": False, "instant": True} if instant else {})),
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "graphMode": "none" if texts or instant else "area",
            "colorMode": "value",
            "justifyMode": "auto",
            "textMode": "value",
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
            "orientation": "auto",
        },
        defaults=defaults,
    )


def mapping(texts):
    """Texts and colours for values."""
    return {
        "type": "value",
        "options": {
            str(value): {"text": text, "color": colour, "index": index}
            for index, (value, (text, colour)) in enumerate(texts.items())
        },
    }


def heatmap(title, description, expression, *, unit="s", size=(12, 10)):
    """A heatmap of a histogram, classic (with `le`) or native: Grafana tells them apart by the answer."""
    return panel(
        "heatmap",
        title,
        description,
        size,
        targets=[
            {**each, "format": "heatmap"} for each in lettered([query(expression, "{{le}}", exemplar=True)])
        ],
        options={
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "reqps", "decimals": 2},
            "color": {
                "mode": "scheme",
                "scheme": "Oranges",
                "fill": "dark-orange",
                "scale": "exponential",
                "exponent": 0.5,
                "steps": 64,
                "reverse": False,
            },
            "exemplars": {"color": "rgba(31, 120, 193, 0.9)"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "showValue": "never",
            "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": True},
            "yAxis": {"axisPlacement": "left", "unit": unit, "reverse": False},
        },
        defaults={"custom": {"hideFrom": {"legend": False, "tooltip": False, "viz": False}}},
    )


def text(title, content, *, size=(24, 4)):
    """Words in Markdown."""
    return {
        "type": "text",
        "title": title,
        "description": "",
        "options": {"mode": "markdown", "content": content},
        "fieldConfig": {"defaults": {}, "overrides": []},
        "size": size,
    }


# -- tables -------------------------------------------------------------------------------------------------------


def column(name, expression, unit, *, steps=(), texts=None, width=None):
    """A column of numbers: the value of `expression` now for the labels of each line."""
    return {"name": name, "expr": expression, "unit": unit, "steps": steps, "texts": texts, "width": width}


def table(title, description, labels, *columns, size=(24, 8), link=None, sort=None, colours={}):
    """A table with a line for each set of labels.

    `labels` maps names of labels to headings, in order; other labels are left out. With `link` the last label's cell leads
    to another dashboard. Lines are sorted by the column `sort`, the largest first. `colours` gives values of a label's heading
    colours, as `{"Verdict": {"fail": BAD}}`.
    """
    letters = [chr(ord("A") + number) for number in range(len(columns))]
    # One query's values are called "Value", those of several "Value #A", "Value #B" …
    values = {f"Value #{letter}": each["name"] for letter, each in zip(letters, columns)}
    if len(columns) == 1:
        values["Value"] = columns[0]["name"]
    order = list(labels) + list(values)
    targets = lettered([query(each["expr"]) for each in columns], format="table", instant=True, range=False)
    return panel(
        "table",
        title,
        description,
        size,
        targets=targets,
        options=table_options(sort or columns[0]["name"]),
        defaults={"unit": "none", "custom": {"align": "auto", "filterable": True}},
        overrides=[column_override(each) for each in columns] + colour_overrides(colours) + link_override(labels, link),
        transformations=[
            {"id": "merge", "options": {}},
            {
                "id": "filterFieldsByName",
                "options": {"include": {"names": order}},
            },
            {
                "id": "organize",
                "options": {
                    "excludeByName": {},
                    "indexByName": {name: index for index, name in enumerate(order)},
                    "renameByName": {**labels, **values},
                },
            },
        ],
    )


def trends(title, description, labels, name, expression, unit, *, size=(8, 9), link=None):
    """A table with a line for each series of one query and its course as a sparkline with the latest value."""
    order = list(labels) + ["Trend #A", "Trend"]
    return panel(
        "table",
        title,
        description,
        size,
        targets=lettered([query(expression)], format="time_series"),
        options=table_options(name),
        defaults={"unit": "none", "custom": {"align": "auto"}},
        overrides=[
            {
                "matcher": {"id": "byName", "options": name},
                "properties": [
                    {"id": "unit", "value": unit},
                    {"id": "custom.cellOptions", "value": {"type": "sparkline", "lineWidth": 1, "fillOpacity": 17}},
                ],
            }
        ]
        + link_override(labels, link),
        transformations=[
            {"id": "timeSeriesTable", "options": {"A": {"stat": "lastNotNull", "timeField": "Time"}}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {},
                    "indexByName": {each: index for index, each in enumerate(order)},
                    "renameByName": {**labels, "Trend #A": name, "Trend": name},
                },
            },
        ],
    )


def table_options(sort):
    """Options of all tables."""
    return {
        "frameIndex": 0,
        "showHeader": True,
        "cellHeight": "sm",
        "sortBy": [{"displayName": sort, "desc": True}],
        "footer": {"show": False, "reducer": ["sum"], "countRows": False, "enablePagination": True},
    }


def column_override(each):
    """Unit, colours and texts of one column."""
    properties = [{"id": "unit", "value": each["unit"]}]
    if each["steps"]:
        steps = [{"value": None, "color": PLAIN}]
        steps += [{"value": bound, "color": colour} for bound, colour in each["steps"]]
        properties += [
            {"id": "thresholds", "value": {"mode": "absolute", "steps": steps}},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    if each["texts"]:
        properties += [
            {"id": "mappings", "value": [mapping(each["texts"])]},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    if each["width"]:
        properties.append({"id": "custom.width", "value": each["width"]})
    return {"matcher": {"id": "byName", "options": each["name"]}, "properties": properties}


def colour_overrides(colours):
    """Colours of the values of labels."""
    return [
        {
            "matcher": {"id": "byName", "options": heading},
            "properties": [
                {"id": "mappings", "value": [mapping({value: (value, colour) for value, colour in values.items()})]},
                {"id": "custom.cellOptions", "value": {"type": "color-text"}},
            ],
        }
        for heading, values in colours.items()
    ]


def link_override(labels, link):
    """Makes the cells of the last label lead to `link`, a pair of a text and an address."""
    if not link:
        return []
    heading = list(labels.values())[-1]
    return [
        {
            "matcher": {"id": "byName", "options": heading},
            "properties": [{"id": "links", "value": [{"title": link[0], "url": link[1], "targetBlank": False}]}],
        }
    ]
