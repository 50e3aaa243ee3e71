# Wingmirror · Apache-2.0
"""Everything about one route."""

from .grafana import curves, column, dashboard, heatmap, query, row, table, text, tile, variable
from .queries import (
    AN_ERROR,
    DURATION,
    LEFT,
    SERVER_WAIT,
    REQUESTS,
    UNMATCHED,
    error_share,
    failed,
    namespace_variable,
    quantile,
    rate,
    series,
    share,
    target_variables,
    total,
    total_rate,
    volume,
    yesterday,
)
from .recording import BUDGET_LEFT, ERROR_BUDGET, SLOW_BUDGET, error_ratio, slow_ratio

NAME = "route-detail"
OBJECT = ('virtualservice_namespace="$namespace"', 'virtualservice="$virtualservice"')
THIS = OBJECT + ('route="$route"',)
AT_GATEWAY = 'gateway=~"$gateway"'
SEEN = (AT_GATEWAY,) + THIS


def build():
    return dashboard(
        NAME,
        "Wingmirror / Route detail",
        "One VirtualService route: its traffic, its latency, and what it is configured to be.",
        target_variables() + route_variables(),
        [now(), objectives(), red(), latency(), breakdown(), calls(), websockets(), configured(), seen()],
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
            f"Share of requests {AN_ERROR}.",
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


def objectives():
    def recorded(name, *matchers):
        return name + "{" + ", ".join(('job=~"$job"',) + THIS + matchers) + "}"

    return row(
        "Objectives",
        tile(
            "Objective",
            "The share of this route's requests that must not fail, from objectives.yml.",
            "percentunit",
            f"1 - {recorded(ERROR_BUDGET)}",
            decimals=3,
            instant=True,
            none="no rules",
        ),
        tile(
            "Budget left",
            "How much of the error budget of the last 30 days is left; below 0 it is overdrawn.",
            "percentunit",
            recorded(BUDGET_LEFT),
            instant=True,
            none="no rules",
        ),
        curves(
            "Burn",
            "How many times faster than its objective allows the route uses its error budget up: over an hour and over six. A page "
            "comes at 14.4 and 6.",
            "none",
            *(
                query(f"{recorded(error_ratio(window))} / {recorded(ERROR_BUDGET)}", f"over {window}")
                for window in ("1h", "6h")
            ),
        ),
        curves(
            "Slow requests",
            "Share of requests slower than each bound that the route's objectives name, over an hour, and what is allowed.",
            "percentunit",
            query(recorded(slow_ratio("1h")), "over {{le}} s"),
            query(recorded(SLOW_BUDGET), "allowed over {{le}} s"),
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
            *(query(total_rate(REQUESTS, f'response_code=~"{digit}.."', *SEEN), f"{digit}xx") for digit in "12345"),
            query(total_rate(REQUESTS, 'response_code="0"', *SEEN), "no response"),
            query(total_rate(REQUESTS, 'response_code="unknown"', *SEEN), "not seen"),
            stacked=True,
        ),
        curves(
            "Errors",
            "Share of requests that count as errors, and of requests that the client left, which do not; and a day before.",
            "percentunit",
            query(error_share(*SEEN), "errors"),
            query(yesterday(error_share(*SEEN)), "errors, a day before"),
            query(share(total_rate(REQUESTS, LEFT, *SEEN), total_rate(REQUESTS, *SEEN)), "left by the client"),
        ),
        curves(
            "Duration",
            "From the first byte of a request to the last byte of its response, or to where one side gave it up. Dots are "
            "exemplars: single requests whose trace is known.",
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
            "Exchanges per second that did not end well: whose failure it was, as far as the wire shows it. client_closed and "
            "unprocessed are no errors.",
            "reqps",
            query(total_rate(REQUESTS, 'error_type!=""', *SEEN, by=("error_type",)), "{{error_type}}"),
        ),
        *(
            curves(
                f"Size of {kind} content",
                "Bytes of content as transferred, before content decoding. From native buckets where Prometheus scrapes them; the "
                "classic ones are four.",
                "decbytes",
                *(
                    query(quantile(percent / 100, f"http_{kind}_body_size_bytes", *SEEN), f"p{percent}")
                    for percent in (50, 95, 99)
                ),
            )
            for kind in ("request", "response")
        ),
        curves(
            "By gateway",
            "Requests per second by the Gateway that they came through.",
            "reqps",
            query(total_rate(REQUESTS, *SEEN, by=("gateway",)), "{{gateway}}"),
        ),
        curves(
            "By agent",
            "Requests per second by the agent that saw them. Two agents that see the same gateway count each request twice.",
            "reqps",
            query(total_rate(REQUESTS, *SEEN, by=("instance",)), "{{instance}}"),
        ),
        curves(
            "Errors by agent",
            "Share of errors by the agent that saw them: where one node fails, the others tell.",
            "percentunit",
            query(error_share(*SEEN, by=("instance",)), "{{instance}}"),
        ),
        curves(
            "Content",
            "Bytes of content per second as transferred.",
            "Bps",
            query(volume("http_request_body_size_bytes", *SEEN), "requests"),
            query(volume("http_response_body_size_bytes", *SEEN), "responses"),
        ),
    )


def calls():
    return row(
        "gRPC",
        curves(
            "Calls by status",
            "gRPC calls per second by final status: 0 is OK, 4 DEADLINE_EXCEEDED, 13 INTERNAL, 14 UNAVAILABLE. Calls that were broken "
            "off have no status; see How exchanges ended.",
            "reqps",
            query(total_rate("grpc_responses_total", *SEEN, by=("grpc_response_status",)), "{{grpc_response_status}}"),
            stacked=True,
        ),
        curves(
            "Messages",
            "Messages per second of calls that ended, by who sent them: request is the client.",
            "ops",
            query(total_rate("grpc_messages_total", *SEEN, by=("direction",)), "{{direction}}"),
        ),
        curves(
            "Streaming calls",
            "Calls with more than one message in a direction: from the first byte of the call to its first and to its last response "
            "message, and how long such calls lasted. They are not among the durations above.",
            "s",
            *(
                query(quantile(part, f"grpc_stream_{name}_seconds", *SEEN), f"{text}, p{round(part * 100)}")
                for name, text in (
                    ("first_message", "first message"), ("last_message", "last message"), ("duration", "lifetime")
                )
                for part in (0.5, 0.95)
            ),
        ),
    )


def websockets():
    return row(
        "WebSocket",
        curves(
            "Opened and closed",
            "WebSockets per second that were accepted, and that ended, by the code of the first close frame: 1000 is a normal closure, "
            "1001 going away, 1006 an end without a close frame.",
            "ops",
            query(total_rate("websocket_upgrades_total", *SEEN), "opened"),
            query(total_rate("websocket_closes_total", *SEEN, by=("close_code",)), "closed, {{close_code}}"),
        ),
        curves(
            "Messages",
            "Messages, pings and pongs per second, counted when their WebSocket ends.",
            "ops",
            query(total_rate("websocket_messages_total", *SEEN, by=("direction", "kind")), "{{direction}} {{kind}}"),
        ),
        curves(
            "Payload",
            "Bytes per second as on the wire, counted when their WebSocket ends.",
            "Bps",
            query(total_rate("websocket_bytes_total", *SEEN, by=("direction",)), "{{direction}}"),
        ),
        curves(
            "Lifetime and round trip",
            "How long WebSockets lasted, and the time from a ping to its pong.",
            "s",
            *(
                query(quantile(part, f"websocket_{name}_seconds", *SEEN), f"{text}, p{round(part * 100)}")
                for name, text in (("duration", "lifetime"), ("ping", "ping"))
                for part in (0.5, 0.95)
            ),
        ),
    )


def configured():
    return row(
        "As configured",
        table(
            "Match",
            "What the route matches. More than one line: agents differ, or a name "
            "stands for several entries.",
            {"route": "Route", "match": "Match", "hosts": "Hosts"},
            column(
                "Agents", total(series("route_info", *THIS), "route", "match", "hosts", operation="count"), "none"
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
            "Answer not seen",
            "Share of this route's requests whose answer the agent missed. They are no part of an error share.",
            "percentunit",
            share(total_rate(REQUESTS, 'response_code="unknown"', *SEEN), total_rate(REQUESTS, *SEEN)),
            steps=((0.001, "orange"), (0.01, "red")),
            size=(8, 4),
            none="no requests",
        ),
        tile(
            "Seen in part, at its gateways",
            "Share of all requests at the chosen gateways of which the agent missed a part: packets lost or cut, messages that "
            "it could not read, connections that it forgot. Where the answer's beginning was seen its status counts.",
            "percentunit",
            share(
                total_rate("http_requests_partly_seen_total", AT_GATEWAY),
                f"({total_rate(REQUESTS, AT_GATEWAY)} + ({total_rate(UNMATCHED, AT_GATEWAY)} or vector(0)))",
            ),
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
