# Wingmirror · Apache-2.0
"""What arrives at the gateways and how it is answered: where one looks first."""

from .grafana import BAD, FAIR, curves, dashboard, query, row, tile, trends
from .queries import (
    AN_ERROR,
    ARRIVING,
    DURATION,
    FAILED,
    IN_OBJECTS,
    REQUESTS,
    ROUTE,
    ROUTE_HEADINGS,
    UNMATCHED,
    by_gateway,
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
    unmatched_share,
    yesterday,
)
from .recording import BUDGET_LEFT, ERROR_BUDGET, error_ratio

NAME = "ingress-overview"
AT_GATEWAY = 'gateway=~"$gateway"'

REQUEST_RATE = total_rate(REQUESTS, *IN_OBJECTS)
ARRIVING_RATE = f"({total_rate(REQUESTS, AT_GATEWAY)} or vector(0)) + ({total_rate(UNMATCHED, AT_GATEWAY, ARRIVING)} or vector(0))"
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
        tile(
            "Arriving",
            "Requests that arrive at the gateways, per second: those of all routes, and those that no route accounts for. What a "
            "gateway sends on is no_listener, a line of Unmatched requests by reason.",
            "reqps",
            ARRIVING_RATE,
            size=(3, 4),
        ),
        tile("Requests", "Requests attributed to a route, per second.", "reqps", REQUEST_RATE, size=(3, 4)),
        tile(
            "Error share",
            f"Share of requests {AN_ERROR}. Requests whose answer the capture lost are no part of it.",
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
                size=(2, 4),
                none="no requests",
            )
            for percent in (50, 95, 99)
        ),
        tile(
            "Unmatched share",
            "Share of the gateways' requests that no route accounts for; redirects to https that a Gateway asks for, and what a "
            "gateway sends on, are not among them.",
            "percentunit",
            unmatched_share(AT_GATEWAY),
            steps=((0.01, FAIR), (0.05, BAD)),
            size=(3, 4),
            none="no requests",
        ),
        tile(
            "Visible connections",
            "Share of new TCP connections whose content could be read. The rest is TLS or unknown, and is in no other panel of this "
            "dashboard. HTTP/3 has no TCP connections: it is in neither number.",
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
            "Requests per second by class of the response's status; “no response” where there was none, “not seen” where the "
            "agent missed it.",
            "reqps",
            *(
                query(total_rate(REQUESTS, f'response_code=~"{digit}.."', *IN_OBJECTS), f"{digit}xx")
                for digit in "12345"
            ),
            query(total_rate(REQUESTS, 'response_code="0"', *IN_OBJECTS), "no response"),
            query(total_rate(REQUESTS, 'response_code="unknown"', *IN_OBJECTS), "not seen"),
            stacked=True,
        ),
        curves(
            "Error share by VirtualService",
            f"Share of requests {AN_ERROR}.",
            "percentunit",
            query(error_share(*IN_OBJECTS, by=ROUTE[:2]), "{{virtualservice_namespace}}/{{virtualservice}}"),
        ),
        curves(
            "Against yesterday",
            "Requests per second, now and at the same time of the day before.",
            "reqps",
            query(REQUEST_RATE, "requests"),
            query(yesterday(REQUEST_RATE), "requests, a day before"),
        ),
        curves(
            "Error share against yesterday",
            "The share of errors now and at the same time of the day before.",
            "percentunit",
            query(error_share(*IN_OBJECTS), "errors"),
            query(yesterday(error_share(*IN_OBJECTS)), "errors, a day before"),
        ),
        curves(
            "Duration",
            "From the first byte of a request to the last byte of its response, or to where one side gave it up. Event "
            "streams and the like have no duration.",
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
            "Requests by service",
            "Requests per second by where they are sent; without a name where a rule has several destinations.",
            "reqps",
            query(total_rate(REQUESTS, *IN_OBJECTS, by=("destination_service",)), "{{destination_service}}"),
            stacked=True,
        ),
        curves(
            "Errors by service",
            f"Share of requests {AN_ERROR}, by where they are sent.",
            "percentunit",
            query(error_share(*IN_OBJECTS, by=("destination_service",)), "{{destination_service}}"),
        ),
        curves(
            "Errors by kind",
            "Errors per second: whose failure it was, as far as the wire shows it, and the status; 0 without a response.",
            "reqps",
            query(
                total_rate(REQUESTS, FAILED, *IN_OBJECTS, by=("error_type", "response_code")),
                "{{error_type}} {{response_code}}",
            ),
            stacked=True,
        ),
        curves(
            "Unmatched requests by reason",
            "Requests per second that no route accounts for; no_listener is what a gateway sends on or what passes by, and does not "
            "arrive. The dashboard Route coverage has more on them.",
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
            query(by_gateway(total(series("http_requests_in_flight", AT_GATEWAY), "gateway")), "{{gateway}}"),
        ),
        curves(
            "Streams",
            "Streaming gRPC calls, event streams, and WebSockets and tunnels on HTTP/2, that ended, per second. They have no duration.",
            "ops",
            query(total_rate("http_streams_total", AT_GATEWAY, by=("kind",)), "{{kind}}"),
        ),
        curves(
            "Open WebSockets",
            "WebSockets that are open now; what they carry is counted when they end.",
            "none",
            query(by_gateway(total(series("websockets_open", AT_GATEWAY), "gateway")), "{{gateway}}"),
        ),
        curves(
            "gRPC calls by status",
            "Calls per second by final status, from all routes of the chosen objects; 0 is OK.",
            "reqps",
            query(total_rate("grpc_responses_total", *IN_OBJECTS, by=("grpc_response_status",)), "{{grpc_response_status}}"),
            stacked=True,
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
            "Least budget left",
            "The ten routes with the least of their error budget of 30 days left; below 0 it is overdrawn. Of all agents of a job, "
            "from the recording rules.",
            ROUTE_HEADINGS,
            "Budget left",
            f'bottomk(10, {BUDGET_LEFT}{{job=~"$job", virtualservice_namespace=~"$namespace"}})',
            "percentunit",
            link=to_route(),
        ),
        trends(
            "Fastest burn",
            "The ten routes that use their error budget up fastest: how many times too fast over the last hour. 14.4 pages.",
            ROUTE_HEADINGS,
            "Burn",
            f'topk(10, {error_ratio("1h")}{{job=~"$job", virtualservice_namespace=~"$namespace"}} / {ERROR_BUDGET})',
            "none",
            link=to_route(),
        ),
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
