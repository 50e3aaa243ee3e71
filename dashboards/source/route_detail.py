# Wingmirror · Apache-2.0
"""Everything about one route."""

from .grafana import curves, column, dashboard, heatmap, query, row, table, text, tile, variable
from .queries import (
    DURATION,
    SERVER_WAIT,
    REQUESTS,
    error_share,
    failed,
    mean,
    namespace_variable,
    quantile,
    rate,
    series,
    share,
    target_variables,
    total,
    total_rate,
    volume,
)

NAME = "route-detail"
OBJECT = ('virtualservice_namespace="$namespace"', 'virtualservice="$virtualservice"')
THIS = OBJECT + ('route="$route"',)
SEEN = ('gateway=~"$gateway"',) + THIS


def build():
    return dashboard(
        NAME,
        "Wingmirror / Route detail",
        "One VirtualService route: its traffic, its latency, and what it is configured to be.",
        target_variables() + route_variables(),
        [now(), red(), latency(), breakdown(), configured(), seen()],
    )


def route_variables():
    in_namespace = series(REQUESTS, OBJECT[0])
    return [
        variable("gateway", "Gateway", series(REQUESTS), "gateway"),
        namespace_variable(multi=False),
        variable("virtualservice", "VirtualService", in_namespace, "virtualservice", multi=False),
        variable("route", "Route", series(REQUESTS, *OBJECT), "route", multi=False),
    ]


def now():
    return row(
        "Now",
        tile("Requests", "Requests of this route, per second.", "reqps", total_rate(REQUESTS, *SEEN)),
        tile(
            "Error share",
            "Share of requests answered with 5xx, or not answered whole because of the server.",
            "percentunit",
            error_share(*SEEN),
            none="no requests",
        ),
        *(
            tile(
                f"p{percent}",
                f"Time within which {percent} % of the requests were answered whole.",
                "s",
                quantile(percent / 100, DURATION, *SEEN),
                none="no requests",
            )
            for percent in (50, 95, 99)
        ),
        tile(
            "Latest request",
            "When this route last took a request, by the time of its packets, at any gateway.",
            "dateTimeFromNow",
            f"{total(series('route_last_request_timestamp_seconds', *THIS), operation='max')} * 1000 > 0",
            none="never",
        ),
    )


def red():
    return row(
        "Rate, errors, duration",
        curves(
            "Requests by status",
            "Requests per second by class of the response's status; “no response” where none was seen.",
            "reqps",
            *(query(total_rate(REQUESTS, f'response_code=~"{digit}.."', *SEEN), f"{digit}xx") for digit in "12345"),
            query(total_rate(REQUESTS, 'response_code="0"', *SEEN), "no response"),
            stacked=True,
        ),
        curves(
            "Errors",
            "Share of requests that count as errors, and of requests that a client broke off, which do not.",
            "percentunit",
            query(error_share(*SEEN), "errors"),
            query(
                share(total_rate(REQUESTS, 'error_type="reset_by_client"', *SEEN), total_rate(REQUESTS, *SEEN)),
                "broken off by the client",
            ),
        ),
        curves(
            "Duration",
            "From the first byte of a request to the last byte of its response. Dots are exemplars: single requests whose "
            "trace is known.",
            "s",
            *(
                query(quantile(percent / 100, DURATION, *SEEN), f"p{percent}", exemplar=percent == 99)
                for percent in (50, 95, 99)
            ),
        ),
    )


def latency():
    buckets = total(rate(DURATION + "_bucket", *SEEN), "le")
    return row(
        "Latency",
        heatmap(
            "Durations, classic buckets",
            "How many requests took how long, in the fixed buckets that every scrape has.",
            buckets,
        ),
        heatmap(
            "Durations, native buckets",
            "The same from the native histogram, where Prometheus scrapes it: eight buckets for each doubling.",
            total(rate(DURATION, *SEEN)),
        ),
        curves(
            "Server wait against duration",
            "Server wait (last byte of the request to first byte of the response) against the duration of the whole "
            "exchange. The difference is the sending of content.",
            "s",
            query(quantile(0.5, SERVER_WAIT, *SEEN), "server wait, p50"),
            query(quantile(0.95, SERVER_WAIT, *SEEN), "server wait, p95"),
            query(quantile(0.5, DURATION, *SEEN), "duration, p50"),
            query(quantile(0.95, DURATION, *SEEN), "duration, p95"),
            size=(12, 8),
        ),
        curves(
            "Duration by class of status",
            "The 95th percentile for each class: errors are often faster, or much slower, than answers.",
            "s",
            query(quantile(0.95, DURATION, *SEEN, by=("response_code_class",)), "{{response_code_class}}"),
            size=(12, 8),
        ),
    )


def breakdown():
    return row(
        "Breakdown",
        curves(
            "Statuses",
            "Requests per second by status; 0 where no response was seen.",
            "reqps",
            query(total_rate(REQUESTS, *SEEN, by=("response_code",)), "{{response_code}}"),
            stacked=True,
        ),
        curves(
            "Statuses by method",
            "Requests per second.",
            "reqps",
            query(
                total_rate(REQUESTS, *SEEN, by=("request_method", "response_code")), "{{request_method}} {{response_code}}"
            ),
        ),
        curves(
            "How exchanges ended",
            "Exchanges per second that did not end well: on the wire (no_response, reset_by_…), or for our capture "
            "(capture_gap, truncated, parse).",
            "reqps",
            query(total_rate(REQUESTS, 'error_type!=""', *SEEN, by=("error_type",)), "{{error_type}}"),
        ),
        curves(
            "Mean size of content",
            "Bytes of content as transferred, before content decoding.",
            "decbytes",
            query(mean("http_request_body_size_bytes", *SEEN), "requests"),
            query(mean("http_response_body_size_bytes", *SEEN), "responses"),
        ),
        curves(
            "Content",
            "Bytes of content per second as transferred.",
            "Bps",
            query(volume("http_request_body_size_bytes", *SEEN), "requests"),
            query(volume("http_response_body_size_bytes", *SEEN), "responses"),
        ),
        curves(
            "gRPC and WebSocket",
            "gRPC calls per second by final status, and connections that left HTTP through an upgrade.",
            "reqps",
            query(total_rate("grpc_responses_total", *SEEN, by=("grpc_response_status",)), "gRPC {{grpc_response_status}}"),
            query(total_rate("websocket_upgrades_total", *SEEN), "WebSocket upgrades"),
        ),
    )


def configured():
    return row(
        "As configured",
        table(
            "Match",
            "What the route matches, in which generation of the route table. More than one line: agents differ, or a name "
            "stands for several entries.",
            {"route": "Route", "match": "Match", "hosts": "Hosts", "generation": "Generation"},
            column(
                "Agents", total(series("route_info", *THIS), "route", "match", "hosts", "generation", operation="count"), "none"
            ),
            size=(12, 6),
        ),
        table(
            "Destinations",
            "Configured share of each destination. Which of several a request went to is chosen at random by the gateway and "
            "is not visible on this side of it.",
            {"destination_service": "Service", "destination_subset": "Subset"},
            column(
                "Share",
                total(
                    series("route_destination_weight_ratio", *THIS),
                    "destination_service",
                    "destination_subset",
                    operation="max",
                ),
                "percentunit",
            ),
            size=(12, 6),
        ),
        text(
            "Not per path",
            "There is no panel by path, host or client, and there will be none: clients choose these values, so anyone could "
            "fill Prometheus with them. A route that needs its own figures gets them by being a rule of its own. Single "
            "requests are on the agent's own page and in its exchange records.",
            size=(24, 3),
        ),
    )


def seen():
    return row(
        "How much of it was seen",
        tile(
            "Touched by capture loss",
            "Share of this route's requests or answers in which the capture has a hole. Where the answer's beginning was seen its "
            "status counts all the same; where not, the request is no part of an error share.",
            "percentunit",
            share(total_rate(REQUESTS, 'error_type="capture_gap"', *SEEN), total_rate(REQUESTS, *SEEN)),
            steps=((0.001, "orange"), (0.01, "red")),
            size=(8, 4),
            none="no requests",
        ),
        tile(
            "Not read or cut",
            "Share of this route's requests that the agent could not parse to their end, or that the snapshot length cut.",
            "percentunit",
            share(total_rate(REQUESTS, 'error_type=~"parse|truncated"', *SEEN), total_rate(REQUESTS, *SEEN)),
            steps=((0.001, "orange"), (0.01, "red")),
            size=(8, 4),
            none="no requests",
        ),
        tile(
            "Failed requests",
            "Errors per second, the numerator of the error share.",
            "reqps",
            f"{failed(*SEEN)} or 0 * {total_rate(REQUESTS, *SEEN)}",
            size=(8, 4),
        ),
    )
