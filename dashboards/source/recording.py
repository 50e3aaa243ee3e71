# Wingmirror · Apache-2.0
"""Recording rules: rates, error ratios and latency of every route over the windows of the alerts.

A route's level is `instance_route`: `without` takes away what tells requests of one route apart, so the agent (`job`,
`instance` and what else the scrape adds) stays. A route's alert thus names the agent whose loss would put it in doubt.
"""

from .rulefile import rule_file

# (severity, factor, long window, short window, for): how fast the error budget of 30 days may be used up.
BURN_RATES = (
    ("critical", "14.4", "1h", "5m", "2m"),
    ("critical", "6", "6h", "30m", "15m"),
    ("warning", "3", "1d", "2h", "1h"),
    ("warning", "1", "3d", "6h", "3h"),
)
LATENCY_BURN_RATES = BURN_RATES[:2]  # latency is watched for what users feel now
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
LONG_WINDOWS = ("6h", "1d", "3d")  # asked of Prometheus less often

# Bounds that a latency objective may have; they are in the default buckets, and near ones of the native histogram.
LATENCY_BOUNDS = ("0.1", "0.25", "0.5", "1.0", "2.5", "5.0")

ROUTE_LABELS = "virtualservice_namespace, virtualservice, route"
DESTINATION = "gateway, destination_service, destination_subset"
# What a request's series has beyond its route.
OF_REQUESTS = f"{DESTINATION}, request_method, request_protocol, response_code, error_type"
OF_DURATIONS = f"{DESTINATION}, response_code_class"

LEVEL = "instance_route:wingmirror_"
ERROR_BUDGET = LEVEL + "http_error_budget:ratio"
SLOW_BUDGET = LEVEL + "http_slow_budget:ratio"

# The two sides of a pair of rules that objectives.yml names, with the labels of the canary and the label `stable`.
CANARY_REQUESTS = LEVEL + "canary_requests:increase1h"
STABLE_REQUESTS = LEVEL + "canary_stable_requests:increase1h"
CANARY_ERRORS = LEVEL + "canary_errors_per_request:ratio_smoothed1h"
STABLE_ERRORS = LEVEL + "canary_stable_errors_per_request:ratio_smoothed1h"


def requests(window):
    return f"{LEVEL}http_requests:rate{window}"


def error_ratio(window):
    return f"{LEVEL}http_errors_per_request:ratio_rate{window}"


def slow_ratio(window):
    return f"{LEVEL}http_slow_per_request:ratio_rate{window}"


# -- rules --------------------------------------------------------------------------------------------------------


def request_rule(window):
    """Requests whose answer, or its absence, was seen. An answer whose beginning was seen counts with its status, whatever
    our capture lost of its end: leaving those out would favour what is short, and errors are short."""
    return {
        "record": requests(window),
        "expr": f"""
sum without ({OF_REQUESTS}) (
    rate(wingmirror_http_requests_total{{response_code!="0"}}[{window}])
  or
    rate(wingmirror_http_requests_total{{response_code="0", error_type!~"capture_gap|truncated|parse"}}[{window}])
)
""",
    }


def error_rule(window):
    """Errors are 5xx, and answers that the server's side broke off or never gave; what a client broke off is none."""
    return {
        "record": error_ratio(window),
        "expr": f"""
(
  sum without ({OF_REQUESTS}) (
      rate(wingmirror_http_requests_total{{response_code=~"5.."}}[{window}])
    or
      rate(wingmirror_http_requests_total{{response_code!~"5..", error_type=~"no_response|reset_by_server"}}[{window}])
  )
  or
  0 * {requests(window)}
)
/
({requests(window)} > 0)
""",
    }


def slow_rule(window, bound):
    """Answers slower than a bound, of those that were no server error; from native buckets where there are some."""
    answered = 'response_code_class=~"2xx|3xx|4xx"'
    return {
        "record": slow_ratio(window),
        "labels": {"le": bound},
        "expr": f"""
1 - (
  histogram_fraction(0, {bound},
    sum without ({OF_DURATIONS}) (rate(wingmirror_http_request_duration_seconds{{{answered}}}[{window}]))
  )
  or
    sum without (le, {OF_DURATIONS}) (
      rate(wingmirror_http_request_duration_seconds_bucket{{{answered}, le="{bound}"}}[{window}])
    )
    /
    (sum without (le, {OF_DURATIONS}) (
      rate(wingmirror_http_request_duration_seconds_bucket{{{answered}, le="+Inf"}}[{window}])
    ) > 0)
)
and on (job, instance, {ROUTE_LABELS}) {SLOW_BUDGET}{{le="{bound}"}}
""",
    }


def budget_rules():
    """The objective of each route as what may fail: the route's own where objectives.yml has one, else the default."""
    routes = f"group without ({OF_REQUESTS}) (wingmirror_http_requests_total)"

    def budget(record, objective, group_left):
        return {
            "record": record,
            "expr": f"""
1 - (
  {routes}
  * on ({ROUTE_LABELS}) group_left {group_left} route:{objective}
  or on (job, instance, {ROUTE_LABELS})
  {routes}
  * on () group_left {group_left} {objective}
)
""",
        }

    return [
        budget(ERROR_BUDGET, "wingmirror_availability_objective:ratio", "()"),
        budget(SLOW_BUDGET, "wingmirror_latency_objective:ratio", "(le)"),
    ]


def canary_rules():
    """Both sides of each pair of rules. One error in two requests is added to each side (Agresti and Caffo), so that the
    interval of their difference holds for few requests and few errors."""
    pair = f"on ({ROUTE_LABELS}) group_left (stable) route:wingmirror_canary_of:info"
    other = "on (job, instance, virtualservice_namespace, virtualservice, stable) group_left ()"

    def as_stable(name):
        return f'label_replace({name}, "stable", "$1", "route", "(.+)")'

    return [
        {"record": CANARY_REQUESTS, "expr": f"3600 * {requests('1h')} * {pair}"},
        {
            "record": STABLE_REQUESTS,
            "expr": f"0 * {CANARY_REQUESTS} + {other} (3600 * {as_stable(requests('1h'))})",
        },
        {
            "record": CANARY_ERRORS,
            "expr": f"""
({CANARY_REQUESTS} * on (job, instance, {ROUTE_LABELS}) group_left () {error_ratio('1h')} + 1)
/
({CANARY_REQUESTS} + 2)
""",
        },
        {
            "record": STABLE_ERRORS,
            "expr": f"""
({STABLE_REQUESTS} * {other} {as_stable(error_ratio('1h'))} + 1)
/
({STABLE_REQUESTS} + 2)
""",
        },
    ]


def text():
    short = [window for window in WINDOWS if window not in LONG_WINDOWS]
    slow_windows = {window for _, _, *windows, _ in LATENCY_BURN_RATES for window in windows}
    groups = [
        ({"name": "wingmirror-budgets"}, budget_rules()),
        (
            {"name": "wingmirror-routes"},
            [rule(window) for window in short for rule in (request_rule, error_rule)]
            + [slow_rule(window, bound) for window in short if window in slow_windows for bound in LATENCY_BOUNDS],
        ),
        (
            {"name": "wingmirror-routes-long", "interval": "2m"},
            [rule(window) for window in LONG_WINDOWS for rule in (request_rule, error_rule)]
            + [slow_rule(window, bound) for window in LONG_WINDOWS if window in slow_windows for bound in LATENCY_BOUNDS],
        ),
        ({"name": "wingmirror-canaries"}, canary_rules()),
    ]
    return rule_file(
        "Rates, error ratios and shares of slow answers of every route, for the alerts of alerts.yml. The objectives are in "
        "objectives.yml.",
        groups,
    )
