# Wingmirror · Apache-2.0
"""Which routes are used, which are not, and what no route takes."""

from .grafana import BAD, FAIR, PLAIN, column, curves, dashboard, query, row, table, tile
from .queries import (
    REQUESTS,
    ROUTE,
    ROUTE_HEADINGS,
    UNMATCHED,
    by_gateway,
    object_variables,
    series,
    target_variables,
    to_route,
    total,
    total_rate,
    unmatched_share,
)

NAME = "route-coverage"
AT_GATEWAY = 'gateway=~"$gateway"'
IN_OBJECTS = ('virtualservice_namespace=~"$namespace"', 'virtualservice=~"$virtualservice"')

CONFIGURED = total(series("route_info", *IN_OBJECTS), *ROUTE, operation="group")
LAST_REQUEST = series("route_last_request_timestamp_seconds", *IN_OBJECTS)
# Used in the time range: a request with a time in it, or a counter that grew (a savefile's times are those of its packets).
USED = (
    f"({total(f'max_over_time({LAST_REQUEST}[$__range])', *ROUTE, operation='max')} > time() - $__range_s "
    f"or {total(f'increase({series(REQUESTS, *IN_OBJECTS)}[$__range])', *ROUTE)} > 0)"
)
NEVER_HIT = f"{CONFIGURED} unless on ({', '.join(ROUTE)}) {USED}"

# Codes of findings that are rules without a chance.
HIDDEN = 'code=~"shadowed-route|unreachable-after-catch-all"'


def build():
    return dashboard(
        NAME,
        "Wingmirror / Route coverage",
        "Routes without requests and requests without a route. The time range is the window: choose as many days as a "
        "route may rest.",
        target_variables() + object_variables(),
        [now(), routes(), unmatched(), left_out()],
    )


def now():
    return row(
        "Now",
        tile(
            "Configured routes",
            "Routes in the active route table, within the chosen objects.",
            "none",
            f"count({CONFIGURED})",
            size=(4, 4),
        ),
        tile(
            "Never hit",
            "Routes without a request in the time range, at any of the chosen agents.",
            "none",
            f"count({NEVER_HIT}) or 0 * count({CONFIGURED})",
            steps=((1, FAIR),),
            size=(4, 4),
        ),
        tile(
            "Used",
            "Share of the configured routes that took a request in the time range.",
            "percentunit",
            f"(count({CONFIGURED} and on ({', '.join(ROUTE)}) {USED}) or 0 * count({CONFIGURED})) / count({CONFIGURED})",
            size=(4, 4),
        ),
        tile(
            "Unmatched share",
            "Share of the gateways' requests that no route accounts for; redirects to https that a Gateway asks for, and what a "
            "gateway sends on, are not among them.",
            "percentunit",
            unmatched_share(AT_GATEWAY),
            steps=((0.01, FAIR), (0.05, BAD)),
            size=(4, 4),
            none="no requests",
        ),
        tile(
            "Can never match",
            "Rules that an earlier rule hides wholly, on the agent with the most.",
            "none",
            f"max(sum by (instance) ({series('route_table_findings', HIDDEN)})) or 0 * max({series('route_table_routes')})",
            steps=((1, FAIR),),
            size=(4, 4),
        ),
        tile(
            "Rejected objects",
            "Objects that the route tables leave out, on the agent with the most.",
            "none",
            f"max(sum by (instance) ({series('route_table_rejected_objects')})) "
            f"or 0 * max({series('route_table_routes')})",
            steps=((1, BAD),),
            size=(4, 4),
        ),
    )


def routes():
    match_labels = ROUTE + ("match", "hosts")
    never = (
        f"{total(series('route_info', *IN_OBJECTS), *match_labels, operation='count')} "
        f"unless on ({', '.join(ROUTE)}) {USED}"
    )
    return row(
        "Routes",
        table(
            "Never hit in the time range",
            "Configured routes that took no request. A route can be unused because no client needs it, because an earlier "
            "rule takes its requests, or because its traffic is not visible here.",
            {"match": "Match", "hosts": "Hosts", **ROUTE_HEADINGS},
            column("Agents", never, "none"),
            size=(12, 9),
            link=to_route(),
        ),
        table(
            "Latest request",
            "When each route last took a request, by the time of the packets; the agents' memory of it ends with a restart.",
            ROUTE_HEADINGS,
            column(
                "Latest request",
                f"({total(LAST_REQUEST, *ROUTE, operation='max')} > 0) * 1000",
                "dateTimeFromNow",
            ),
            column(
                "Requests in the range",
                total(f"increase({series(REQUESTS, *IN_OBJECTS)}[$__range])", *ROUTE),
                "short",
            ),
            size=(12, 9),
            link=to_route(),
        ),
        curves(
            "Age of the latest request",
            "Seconds since each route's latest request, for those that have had one.",
            "s",
            query(
                f"time() - ({total(LAST_REQUEST, *ROUTE, operation='max')} > 0)",
                "{{virtualservice_namespace}}/{{virtualservice}} {{route}}",
            ),
            size=(12, 8),
        ),
        table(
            "Findings",
            "What `wingmirror routes check` finds in the objects, by code: shadowed-route and unreachable-after-catch-all are rules "
            "that can never match. The command, and the agent's own page, name each with the rule that hides it.",
            {"instance": "Instance", "severity": "Severity", "code": "Code"},
            column("Findings", f"{series('route_table_findings')} > 0", "none"),
            size=(12, 8),
        ),
    )


def unmatched():
    return row(
        "Unmatched requests",
        curves(
            "By reason",
            "Requests per second that no route accounts for.",
            "reqps",
            query(total_rate(UNMATCHED, AT_GATEWAY, by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "By gateway",
            "Requests per second that no route accounts for; without a name where no Gateway selects the workload.",
            "reqps",
            query(by_gateway(total_rate(UNMATCHED, AT_GATEWAY, by=("gateway",))), "{{gateway}}"),
            stacked=True,
        ),
        curves(
            "By status",
            "How the gateways answered them.",
            "reqps",
            query(total_rate(UNMATCHED, AT_GATEWAY, by=("response_code_class",)), "{{response_code_class}}"),
            stacked=True,
        ),
        table(
            "Unmatched requests in the time range",
            "Requests by reason, gateway and class of status: no_host (no virtual host), no_match (a host without a rule that "
            "fits), rejected (answered before routing), no_listener (not the gateway's port), no_gateway (no Gateway selects "
            "the workload), conditional (a rule of another sort may apply), https_redirect.",
            {"gateway": "Gateway", "reason": "Reason", "response_code_class": "Status"},
            column(
                "Requests",
                total(
                    f"increase({series(UNMATCHED, AT_GATEWAY)}[$__range])", "gateway", "reason", "response_code_class"
                )
                + " > 0",
                "short",
            ),
            size=(24, 8),
        ),
    )


def left_out():
    return row(
        "Route table",
        table(
            "Rejected objects",
            "Objects that the active route table leaves out, by kind and reason; `wingmirror routes check` names them.",
            {"instance": "Instance", "kind": "Kind", "reason": "Reason"},
            column("Objects", f"{series('route_table_rejected_objects')} > 0", "none", steps=((1, BAD),)),
            size=(12, 8),
        ),
        table(
            "Tables",
            "The route table of each agent.",
            {"instance": "Instance"},
            column("Routes", total(series("route_table_routes"), "instance", operation="max"), "none"),
            column(
                "Built in", total(series("route_table_build_duration_seconds"), "instance", operation="max"), "s"
            ),
            column(
                "Rejected",
                f"{total(series('route_table_rejected_objects'), 'instance')} "
                f"or 0 * {total(series('route_table_routes'), 'instance', operation='max')}",
                "none",
                steps=((0, PLAIN), (1, BAD)),
            ),
            size=(12, 8),
        ),
    )
