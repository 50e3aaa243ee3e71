# Wingmirror · Apache-2.0
"""Recording rules: rates, error ratios and latency of every route over the windows of the alerts.

A route's level is `route`: `without` takes away what tells requests of one route apart, and what tells the agents of one job
apart. A route that is spread thinly over gateways is one route, and two agents that see the same one raise one alert; which
agent saw what is for panels.
"""

from .queries import ARRIVING as AT_A_LISTENER
from .queries import FAILED, JUDGED, LEFT, UNMATCHED_BY_MISTAKE
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
SECONDS = {"5m": 300, "10m": 600, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21600, "1d": 86400, "3d": 259200}
# What is compared with the day before: now, and what was usual.
AT_ONCE, NOW, USUAL = "5m", "30m", "1d"
# What is expected of routes where objectives.yml is not loaded, or has no default that makes sense: availability, and which share of
# answers is there within a bound.
DEFAULT_AVAILABILITY = "0.999"
DEFAULT_LATENCY = ("1.0", "0.99")

# Bounds that a latency objective may have; they are in the default buckets, and near ones of the native histogram.
LATENCY_BOUNDS = ("0.1", "0.25", "0.5", "1.0", "2.5", "5.0")


def spellings(bound):
    """A pattern for the ways to write a bound: 1 and 1.00 are 1.0, and .25 is 0.25."""
    whole, _, part = bound.partition(".")
    digits = part.rstrip("0")
    return ("0*" if whole == "0" else f"0*{whole}") + (f"[.]{digits}0*" if digits else "([.]0*)?")


# What `le` of a latency objective is when some bound is meant.
KNOWN_BOUNDS = "|".join(map(spellings, LATENCY_BOUNDS))

ROUTE_LABELS = "virtualservice_namespace, virtualservice, route"
DESTINATION = "gateway, destination_service, destination_subset"
# What the scrape adds that tells agents apart; `namespace` and what else it adds is of all agents of a job. Where something else tells
# them apart, a route is judged for each of its values, so rules join by all labels and never by a list of them.
OF_AGENTS = "instance, node, pod, container, endpoint, zone, controller_revision_hash, pod_template_generation"
# What tells jobs and clusters apart where alerts are of neither routes nor single agents, and what is one agent. Their absence is
# news, so only labels that are known to stay can tell them apart: with one that changes when an agent is replaced, such as a version,
# the old agent would be one that is gone. If your clusters have another label than `cluster`, name it here.
OF_JOB = "job, cluster"
OF_AGENT = f"{OF_JOB}, instance"
# What a request's series has beyond its route.
OF_REQUESTS = f"{OF_AGENTS}, {DESTINATION}, request_method, request_protocol, response_code, error_type"
# What a request's series has beyond its gateway and route, and beyond its gateway.
IN_ROUTE = "destination_service, destination_subset, request_method, request_protocol, response_code, error_type"
OF_REQUESTS_AT_A_GATEWAY = f"{OF_AGENTS}, {ROUTE_LABELS}, {IN_ROUTE}"
OF_DURATIONS = f"{OF_AGENTS}, {DESTINATION}, response_code_class"

# What objectives.yml records, for all routes and, with `route:` before it, for one.
AVAILABILITY, LATENCY = "wingmirror_availability_objective:ratio", "wingmirror_latency_objective:ratio"
CANARY_OF = "route:wingmirror_canary_of:info"
MOST_STABLE = 2  # rules that a canary can be compared with

LEVEL = "route:wingmirror_"
ERROR_BUDGET = LEVEL + "http_error_budget:ratio"
SLOW_BUDGET = LEVEL + "http_slow_budget:ratio"
BUDGET_LEFT = LEVEL + "http_error_budget_left:ratio30d"

# The two sides of a pair of rules that objectives.yml names, with the labels of the canary and the label `stable`.
CANARY_REQUESTS = LEVEL + "canary_requests:increase1h"
STABLE_REQUESTS = LEVEL + "canary_stable_requests:increase1h"
CANARY_ERRORS = LEVEL + "canary_errors_per_request:ratio_smoothed1h"
STABLE_ERRORS = LEVEL + "canary_stable_errors_per_request:ratio_smoothed1h"

# What of that a route took, and what none took by mistake, of all agents.
MATCHED, UNMATCHED = "gateway:wingmirror_http_requests:rate30m", "gateway:wingmirror_http_requests_unmatched:rate30m"


def arriving(window):
    """What arrives at a gateway, matched or not, by agent: whether traffic has vanished is asked of agents that are still there."""
    return f"gateway:wingmirror_http_requests_arriving:rate{window}"


def requests(window):
    return f"{LEVEL}http_requests:rate{window}"


def error_ratio(window):
    return f"{LEVEL}http_errors_per_request:ratio_rate{window}"


def left_ratio(window):
    return f"{LEVEL}http_left_by_clients_per_request:ratio_rate{window}"


def refused_ratio(window):
    return f"{LEVEL}http_client_errors_per_request:ratio_rate{window}"


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
  rate(wingmirror_http_requests_total{{{JUDGED}}}[{window}])
)
""",
    }


def share_rule(record, matcher, window):
    """The share of a route's requests that a matcher selects; 0 where there are requests and none of these."""
    return {
        "record": record,
        "expr": f"""
(
  sum without ({OF_REQUESTS}) (
    rate(wingmirror_http_requests_total{{{matcher}}}[{window}])
  )
  or
  0 * {requests(window)}
)
/
({requests(window)} > 0)
""",
    }


def error_rule(window):
    """Errors are 5xx, and answers that the server's side broke off or never gave; what a client broke off is none."""
    return share_rule(error_ratio(window), FAILED, window)


def comparison_rules(window):
    """What shows as a jump against the day before: clients that leave, and answers of 4xx."""
    return [
        share_rule(left_ratio(window), LEFT, window),
        share_rule(refused_ratio(window), 'response_code=~"4.."', window),
    ]


def slow_rule(window, bound):
    """Answers slower than a bound, of those that were no server error, and requests that waited longer for none; from native
    buckets where there are some."""
    answered = 'response_code_class=~"2xx|3xx|4xx|none"'
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
and on ({OF_JOB}, {ROUTE_LABELS}) {SLOW_BUDGET}{{le="{bound}"}}
""",
    }


def budget_rules():
    """The objective of each route as what may fail: the route's own where objectives.yml has one, else the default.

    A route may have several objectives of latency, with a bound each; of several of one bound the strictest holds. One whose bound
    is none of ours, or whose share is not above 0 and at most 1, holds nothing, so it does not take the default's place either;
    ObjectivesMissing names it."""
    routes = f"group without ({OF_REQUESTS}) (wingmirror_http_requests_total)"
    own = f"on ({ROUTE_LABELS}) group_left () max by ({ROUTE_LABELS})"
    availability, latency = AVAILABILITY, LATENCY

    def valid(selector):
        return f"{selector} > 0 <= 1"

    def default_latency(bound):
        def strictest(pattern):
            return "max(" + valid(f'{latency}{{le=~"{pattern}"}}') + ")"

        if bound != DEFAULT_LATENCY[0]:
            return strictest(spellings(bound))
        return f"({strictest(spellings(bound))} or vector({DEFAULT_LATENCY[1]}) unless on () {strictest(KNOWN_BOUNDS)})"

    def slow_budget(bound):
        return {
            "record": SLOW_BUDGET,
            "labels": {"le": bound},
            "expr": f"""
1 - (
  {routes}
  * {own} ({valid(f'route:{latency}{{le=~"{spellings(bound)}"}}')})
  or on ({OF_JOB}, {ROUTE_LABELS})
  (
    {routes}
    unless on ({ROUTE_LABELS}) {valid(f'route:{latency}{{le=~"{KNOWN_BOUNDS}"}}')}
  )
  * on () group_left () {default_latency(bound)}
)
""",
        }

    return [
        {
            "record": ERROR_BUDGET,
            "expr": f"""
1 - (
  {routes}
  * {own} ({valid(f"route:{availability}")})
  or on ({OF_JOB}, {ROUTE_LABELS})
  {routes}
  * on () group_left () (max({valid(availability)}) or vector({DEFAULT_AVAILABILITY}))
)
""",
        },
        *(slow_budget(bound) for bound in LATENCY_BOUNDS),
    ]


def gateway_rules():
    by = f"by ({OF_AGENT}, gateway)"

    def matched(window):
        return f"rate(wingmirror_http_requests_total[{window}])"

    def unmatched(matcher, window):
        return f"rate(wingmirror_http_requests_unmatched_total{{{matcher}}}[{window}])"

    return [
        *(
            {
                "record": arriving(window),
                "expr": f"""
sum {by} ({matched(window)})
+ (
  sum {by} ({unmatched(AT_A_LISTENER, window)})
  or
  0 * sum {by} ({matched(window)})
)
""",
            }
            for window in (AT_ONCE, NOW)
        ),
        {"record": MATCHED, "expr": f"sum without ({OF_REQUESTS_AT_A_GATEWAY}) ({matched(NOW)})"},
        {
            "record": UNMATCHED,
            "expr": f"sum without ({OF_AGENTS}, reason, response_code_class) ({unmatched(UNMATCHED_BY_MISTAKE, NOW)})",
        },
    ]


def remaining_rules():
    """How much of the error budget of the last 30 days is left: 1 all of it, 0 none, below that overdrawn."""
    month = "[30d:1h]"
    return [
        {
            "record": BUDGET_LEFT,
            "expr": f"""
1
- sum_over_time(({error_ratio("1h")} * {requests("1h")}){month})
  / (sum_over_time({requests("1h")}{month}) > 0)
  / {ERROR_BUDGET}
""",
        }
    ]


def canary_rules():
    """Both sides of each pair of rules. One error in two requests is added to each side (Agresti and Caffo), so that the
    interval of their difference holds for few requests and few errors.

    A join takes one pair of a canary. Of two, the second is what `topk` has left: which of them that is does not matter."""
    first = f"topk by ({ROUTE_LABELS}) (1, {CANARY_OF})"
    second = f"topk by ({ROUTE_LABELS}) (1, {CANARY_OF} unless {first})"
    other = "ignoring (route) group_left ()"

    def paired(pairs):
        return f"3600 * {requests('1h')} * on ({ROUTE_LABELS}) group_left (stable) {pairs}"

    def as_stable(name):
        return f'label_replace({name}, "stable", "$1", "route", "(.+)")'

    return [
        {"record": CANARY_REQUESTS, "expr": f"\n{paired(first)}\nor\n{paired(second)}\n"},
        {
            "record": STABLE_REQUESTS,
            "expr": f"0 * {CANARY_REQUESTS} + {other} (3600 * {as_stable(requests('1h'))})",
        },
        {
            "record": CANARY_ERRORS,
            "expr": f"""
({CANARY_REQUESTS} * ignoring (stable) group_left () {error_ratio('1h')} + 1)
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

    def rules(windows, compared):
        return (
            [rule(window) for window in windows for rule in (request_rule, error_rule)]
            + [rule for window in compared for rule in comparison_rules(window)]
            + [slow_rule(window, bound) for window in windows if window in slow_windows for bound in LATENCY_BOUNDS]
        )

    groups = [
        ({"name": "wingmirror-budgets"}, budget_rules()),
        ({"name": "wingmirror-routes"}, rules(short, (AT_ONCE, NOW)) + gateway_rules()),
        ({"name": "wingmirror-routes-long", "interval": "2m"}, rules(LONG_WINDOWS, (USUAL,))),
        ({"name": "wingmirror-canaries"}, canary_rules()),
        ({"name": "wingmirror-budgets-left", "interval": "10m"}, remaining_rules()),
    ]
    return rule_file(
        "Rates, error ratios and shares of slow answers of every route, for the alerts of alerts.yml. The objectives are in "
        "objectives.yml.",
        groups,
    )
