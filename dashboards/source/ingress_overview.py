# Wingmirror · Apache-2.0
"""What arrives at the gateways and how it is answered: where one looks first."""

from .grafana import BAD, FAIR, curves, dashboard, query, row, tile, trends
from .queries import (
    DURATION,
    FAILED_ON_THE_WIRE,
    IN_OBJECTS,
    REQUESTS,
    ROUTE,
    ROUTE_HEADINGS,
    UNMATCHED,
    UNMATCHED_BY_MISTAKE,
    error_share,
    failed,
    largest,
    object_variables,
    quantile,
    series,
    share,
    target_variables,
    to_route,
    total,
    total_rate,
)

NAME = "ingress-overview"
AT_GATEWAY = 'gateway=~"$gateway"'

REQUEST_RATE = total_rate(REQUESTS, *IN_OBJECTS)
UNMATCHED_RATE = total_rate(UNMATCHED, AT_GATEWAY, UNMATCHED_BY_MISTAKE)
UNREAD_RATE = total_rate("opaque_connections_total", AT_GATEWAY, 'reason!~"upgraded|tunnel"')
OPENED_RATE = total_rate("connections_opened_total", AT_GATEWAY)


def build():
    return dashboard(
        NAME,
        "Wingmirror / Ingress overview",
        "Requests at the ingress gateways by VirtualService route, as seen on the wire.",
        target_variables() + object_variables(),
        [now(), red(), breakdown(), routes()],
    )


def now():
    return row(
        "Now",
        tile("Requests", "Requests attributed to a route, per second.", "reqps", REQUEST_RATE, size=(3, 4)),
        tile(
            "Error share",
            "Share of requests answered with 5xx, or not answered whole because of the server. Requests whose answer "
            "the capture lost are no part of it.",
            "percentunit",
            error_share(*IN_OBJECTS),
            steps=((0.01, FAIR), (0.05, BAD)),
            size=(3, 4),
            none="no requests",
        ),
        *(
            tile(
                f"p{percent}",
                f"Time within which {percent} % of the requests were answered whole, by packet times.",
                "s",
                quantile(percent / 100, DURATION, *IN_OBJECTS),
                size=(3, 4),
                none="no requests",
            )
            for percent in (50, 95, 99)
        ),
        tile(
            "Unmatched share",
            "Share of the gateways' requests that no route accounts for; redirects to https that a Gateway asks for are not "
            "among them.",
            "percentunit",
            share(UNMATCHED_RATE, f"({UNMATCHED_RATE} + {total_rate(REQUESTS, AT_GATEWAY)})"),
            steps=((0.01, FAIR), (0.05, BAD)),
            size=(3, 4),
            none="no requests",
        ),
        tile(
            "Visible connections",
            "Share of new connections whose content could be read. The rest is TLS, HTTP/3 or unknown, and is in no other "
            "panel of this dashboard.",
            "percentunit",
            f"1 - {share(UNREAD_RATE, OPENED_RATE)}",
            size=(3, 4),
            none="no connections",
        ),
        tile(
            "In flight",
            "Requests without a full response yet.",
            "none",
            total(series("http_requests_in_flight", AT_GATEWAY)),
            size=(3, 4),
        ),
    )


def red():
    return row(
        "Rate, errors, duration",
        curves(
            "Requests by status",
            "Requests per second by class of the response's status; “no response” where none was seen.",
            "reqps",
            *(
                query(total_rate(REQUESTS, f'response_code=~"{digit}.."', *IN_OBJECTS), f"{digit}xx")
                for digit in "12345"
            ),
            query(total_rate(REQUESTS, 'response_code="0"', *IN_OBJECTS), "no response"),
            stacked=True,
        ),
        curves(
            "Error share by VirtualService",
            "Share of requests answered with 5xx, or not answered whole because of the server.",
            "percentunit",
            query(error_share(*IN_OBJECTS, by=ROUTE[:2]), "{{virtualservice_namespace}}/{{virtualservice}}"),
        ),
        curves(
            "Duration",
            "From the first byte of a request to the last byte of its response. A streamed response lasts as long as its "
            "stream.",
            "s",
            *(query(quantile(percent / 100, DURATION, *IN_OBJECTS), f"p{percent}") for percent in (50, 95, 99)),
        ),
    )


def breakdown():
    return row(
        "Breakdown",
        curves(
            "Requests by VirtualService",
            "Requests per second.",
            "reqps",
            query(total_rate(REQUESTS, *IN_OBJECTS, by=ROUTE[:2]), "{{virtualservice_namespace}}/{{virtualservice}}"),
            stacked=True,
        ),
        curves(
            "Errors by kind",
            "Errors per second: the status where there was one, else what ended the exchange.",
            "reqps",
            query(
                total_rate(REQUESTS, 'response_code=~"5.."', *IN_OBJECTS, by=("response_code",)),
                "{{response_code}}",
            ),
            query(
                total_rate(REQUESTS, 'response_code!~"5.."', FAILED_ON_THE_WIRE, *IN_OBJECTS, by=("error_type",)),
                "{{error_type}}",
            ),
            stacked=True,
        ),
        curves(
            "Unmatched requests by reason",
            "Requests per second that no route accounts for. The dashboard Route coverage has more on them.",
            "reqps",
            query(total_rate(UNMATCHED, AT_GATEWAY, by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "Requests by method",
            "Requests per second; methods outside the known list are _OTHER.",
            "reqps",
            query(total_rate(REQUESTS, *IN_OBJECTS, by=("request_method",)), "{{request_method}}"),
            stacked=True,
        ),
        curves(
            "Requests in flight by gateway",
            "Requests without a full response yet.",
            "none",
            query(total(series("http_requests_in_flight", AT_GATEWAY), "gateway"), "{{gateway}}"),
        ),
        curves(
            "Connections",
            "TCP connections per second, first seen by protocol and ended by how they ended.",
            "cps",
            query(total_rate("connections_opened_total", AT_GATEWAY, by=("protocol",)), "opened, {{protocol}}"),
            query(total_rate("connections_closed_total", AT_GATEWAY, by=("reason",)), "closed, {{reason}}"),
        ),
    )


def routes():
    over_range = total_rate(REQUESTS, *IN_OBJECTS, by=ROUTE).replace("$__rate_interval]", "$__range] @ end()")
    failed_over_range = failed(*IN_OBJECTS, by=ROUTE).replace("$__rate_interval]", "$__range] @ end()")
    slow = quantile(0.99, DURATION, *IN_OBJECTS, by=ROUTE)
    return row(
        "Routes",
        trends(
            "Busiest routes",
            "The ten routes with the most requests in the time range.",
            ROUTE_HEADINGS,
            "Requests",
            largest(10, total_rate(REQUESTS, *IN_OBJECTS, by=ROUTE), over_range, ROUTE),
            "reqps",
            link=to_route(),
        ),
        trends(
            "Routes with most errors",
            "The ten routes with the most errors in the time range, and which share of their requests they are.",
            ROUTE_HEADINGS,
            "Error share",
            largest(10, f"({error_share(*IN_OBJECTS, by=ROUTE)})", f"{failed_over_range} > 0", ROUTE),
            "percentunit",
            link=to_route(),
        ),
        trends(
            "Slowest routes",
            "The ten routes whose 99th percentile was largest over the time range.",
            ROUTE_HEADINGS,
            "p99",
            largest(
                10, f"({slow})", "(" + slow.replace("$__rate_interval]", "$__range] @ end()") + ")", ROUTE
            ),
            "s",
            link=to_route(),
        ),
    )
