# Wingmirror · Apache-2.0
"""The alerts. Those on routes are symptoms that users feel; those on the agent say when not to believe the others.

Left out, since nothing on the clients' side of the gateway shows it: RouteWeightDrift (observed against configured share of
a weighted destination) and CanaryWorse by subset. CanaryWorse below compares rules, which requests are told apart by.
RouteTableStale waits for the reading of routes from Kubernetes.
"""

import textwrap

from .recording import (
    BURN_RATES,
    CANARY_ERRORS,
    CANARY_REQUESTS,
    ERROR_BUDGET,
    LATENCY_BURN_RATES,
    ROUTE_LABELS,
    SLOW_BUDGET,
    STABLE_ERRORS,
    STABLE_REQUESTS,
    error_ratio,
    requests,
    slow_ratio,
)
from .rulefile import rule_file

# What every `runbook_url` begins with; `generate.py --runbooks` takes another address. This one needs no server besides
# Prometheus, which serves the folder of its `--web.user-assets` under `/user`.
RUNBOOKS = "{{ $externalURL }}/user/Runbooks"

# What a request's series has beyond its gateway and route.
IN_ROUTE = "destination_service, destination_subset, request_method, request_protocol, response_code, error_type"

LEAST_RATE = "0.1"  # requests per second below which one failure would be a large share
LEAST_REQUESTS = 200  # on each side of a comparison
MARGIN = "0.01"  # by how much a canary's error share may exceed the stable one's

ROUTE = "{{ $labels.virtualservice_namespace }}/{{ $labels.virtualservice }} {{ $labels.route }}"
AGENT = "{{ $labels.instance }}"
LANE = "policy {{ $labels.policy }} to {{ $labels.target }}"
SHARE = "{{ $value | humanizePercentage }}"


def alert(name, severity, expression, summary, description, *, wait=None, **labels):
    """One alert; `labels` are added to those of its expression."""
    rule = {"alert": name, "expr": textwrap.dedent(expression).strip("\n") + "\n"}
    if wait:
        rule["for"] = wait
    rule["labels"] = {"severity": severity, **labels}
    rule["annotations"] = {
        "summary": summary,
        "description": " ".join(description.split()),
        "runbook_url": f"{{runbooks}}/{name}.md",
    }
    return rule


# -- routes -------------------------------------------------------------------------------------------------------


def error_budget():
    return [
        alert(
            "RouteErrorBudgetBurn",
            severity,
            f"""
            {error_ratio(long)} > {factor} * {ERROR_BUDGET}
            and
            {error_ratio(short)} > {factor} * {ERROR_BUDGET}
            and
            {requests(long)} > {LEAST_RATE}
            """,
            f"{ROUTE} fails too often",
            f"{SHARE} of the requests of {ROUTE} failed in the last {long}, as {AGENT} sees it: more than {factor} × "
            "what its objective allows.",
            wait=wait,
            long=long,
            short=short,
        )
        for severity, factor, long, short, wait in BURN_RATES
    ]


def latency_budget():
    return [
        alert(
            "RouteLatencyBudgetBurn",
            "warning",
            f"""
            {slow_ratio(long)} > {factor} * {SLOW_BUDGET}
            and
            {slow_ratio(short)} > {factor} * {SLOW_BUDGET}
            and ignoring (le)
            {requests(long)} > {LEAST_RATE}
            """,
            f"{ROUTE} is too slow",
            f"{SHARE} of the answers of {ROUTE} took longer than {{{{ $labels.le }}}} s in the last {long}, as {AGENT} sees it: "
            f"more than {factor} × what its objective allows.",
            wait=wait,
            long=long,
            short=short,
        )
        for _, factor, long, short, wait in LATENCY_BURN_RATES
    ]


def canary_worse():
    """For the pairs of rules that objectives.yml names: fires when the whole 95 % interval of the difference of the error
    shares lies above the margin."""
    canary, stable, least = CANARY_ERRORS, STABLE_ERRORS, LEAST_REQUESTS
    variance = "  +".join(
        f"\n              {errors} * (1 - {errors}) / ({count} + 2)\n            "
        for errors, count in ((canary, CANARY_REQUESTS), (stable, STABLE_REQUESTS))
    )
    return [
        alert(
            "CanaryWorse",
            "warning",
            f"""
            {canary} - {stable}
            - 1.96 * sqrt({variance})
            > {MARGIN}
            and {CANARY_REQUESTS} >= {least}
            and {STABLE_REQUESTS} >= {least}
            """,
            f"{ROUTE} fails more often than {{{{ $labels.stable }}}}",
            f"The error share of {ROUTE} exceeds that of {{{{ $labels.stable }}}} by at least {SHARE} (95 % confidence) over the "
            f"last hour, as {AGENT} sees it.",
            wait="10m",
        )
    ]


def unmatched_share():
    by = "without (reason, response_code_class)"
    unmatched = (
        f'sum {by} (rate(wingmirror_http_requests_unmatched_total{{reason!~"https_redirect|no_listener"}}[15m]))'
    )
    matched = f"sum without (virtualservice_namespace, virtualservice, route, {IN_ROUTE}) " + (
        "(rate(wingmirror_http_requests_total[15m]))"
    )
    return [
        alert(
            "UnmatchedShareHigh",
            "warning",
            f"""
            {unmatched}
            / (
              {unmatched}
              + (
                {matched}
                or
                0 * {unmatched}
              )
            ) > 0.05
            and
            {unmatched} > {LEAST_RATE}
            """,
            "Many requests match no route",
            f"{SHARE} of the requests at gateway “{{{{ $labels.gateway }}}}” match no route, as {AGENT} sees it.",
            wait="15m",
        )
    ]


def never_hit():
    """A route counts as hit when one of its latest request's times lies in the window: a counter that appears with its
    first request has not increased."""
    by = f"by (job, {ROUTE_LABELS})"
    return [
        alert(
            "RouteNeverHit",
            "info",
            f"""
            group {by} (wingmirror_route_info)
            and
            group {by} (wingmirror_route_info offset 7d)
            unless
            max {by} (max_over_time(wingmirror_route_last_request_timestamp_seconds[7d])) > time() - 7 * 86400
            """,
            f"{ROUTE} is never used",
            f"{ROUTE} has been in the route table for a week, and no agent of {{{{ $labels.job }}}} has seen a request for it.",
            wait="1h",
        )
    ]


# -- agents -------------------------------------------------------------------------------------------------------


def visibility():
    opaque = (
        'sum without (reason) (increase(wingmirror_opaque_connections_total{reason!~"upgraded|tunnel"}[30m]))'
    )
    opened = "sum without (protocol) (increase(wingmirror_connections_opened_total[30m]))"
    return [
        alert(
            "VisibilityLow",
            "info",
            f"""
            {opaque} / {opened} > 0.2
            and
            {opened} > 50
            """,
            "Part of the traffic cannot be read",
            f"{SHARE} of the connections at gateway “{{{{ $labels.gateway }}}}” are opaque to {AGENT}; what they carry is in no "
            "figure of a route.",
            wait="30m",
        )
    ]


def capture_lossy():
    lost = 'sum without (interface, reason) (rate(wingmirror_capture_packets_dropped_total{reason="kernel_buffer"}[5m]))'
    received = "sum without (interface) (rate(wingmirror_capture_packets_received_total[5m]))"
    return [
        alert(
            "CaptureLossy",
            "warning",
            f"""
            {lost} / ({received} + {lost}) > 0.001
            """,
            f"{AGENT} loses packets",
            f"{SHARE} of the packets are lost between the kernel and {AGENT}. Its figures of routes are too low, and its alerts "
            "on routes are held back.",
            wait="10m",
        )
    ]


def no_packets():
    return [
        alert(
            "NoPackets",
            "warning",
            """
            time() - wingmirror_capture_last_packet_timestamp_seconds > 300
            and
            wingmirror_capture_interface_up == 1
            and
            increase(wingmirror_capture_packets_received_total[1d]) > 0
            """,
            f"{AGENT} sees no packets on {{{{ $labels.interface }}}}",
            f"The latest packet on {{{{ $labels.interface }}}} of {AGENT} was captured {{{{ $value | humanizeDuration }}}} ago; the "
            "capture runs, and there was traffic within the last day.",
            wait="5m",
        )
    ]


def agent_down():
    """`up` is Prometheus's own; which of its targets are agents is known by what they last said."""
    return [
        alert(
            "AgentDown",
            "warning",
            """
            up == 0
            and on (job, instance)
            last_over_time(wingmirror_build_info[1d])
            """,
            f"{AGENT} is not scraped",
            f"{AGENT} does not answer scrapes. What it watches shows in no figure and raises no other alert.",
            wait="5m",
        )
    ]


def configuration():
    return [
        alert(
            "ConfigReloadFailed",
            "warning",
            "wingmirror_config_last_reload_successful == 0 or wingmirror_route_table_last_reload_successful == 0",
            f"{AGENT} refused a configuration or routes",
            f"The latest reload on {AGENT} was refused; it goes on with what was in force before.",
            wait="5m",
        ),
        alert(
            "ConfigDrift",
            "warning",
            "count by (job) (count by (job, sha256) (wingmirror_config_info)) > 1",
            "Agents of {{ $labels.job }} have different configurations",
            "{{ $value }} different configurations are in force among the agents of {{ $labels.job }}.",
            wait="30m",
        ),
    ]


def limits():
    return [
        alert(
            "SeriesOverflow",
            "warning",
            "sum without (family) (increase(wingmirror_metric_series_overflow_total[15m])) > 0",
            f"{AGENT} has more routes than series",
            f"About {{{{ $value | humanize }}}} observations on {AGENT} in 15 minutes were counted under __overflow__ instead of "
            "their route.",
        ),
        alert(
            "AgentShedding",
            "warning",
            "wingmirror_load_shedding_level > 0",
            f"{AGENT} sheds work",
            f"{AGENT} has been at level {{{{ $value }}}} of 2 for ten minutes to stay within its memory limit.",
            wait="10m",
        ),
    ]


# -- mirroring ----------------------------------------------------------------------------------------------------


def mirroring():
    dropped = (
        'sum without (reason) (rate(wingmirror_mirror_dropped_total{reason!~"paused|ramp|reload|shutdown"}[10m]))'
    )
    sent = "rate(wingmirror_mirror_sent_total[10m])"
    considered, filtered = (
        f"increase(wingmirror_mirror_{name}_total[15m])" for name in ("considered", "filtered")
    )
    return [
        alert(
            "MirrorBreakerOpen",
            "info",
            "wingmirror_mirror_breaker_open == 1",
            "The circuit breaker of {{ $labels.target }} is open",
            f"{AGENT} has sent nothing to {{{{ $labels.target }}}} for five minutes but probes, since too many copies failed.",
            wait="5m",
        ),
        alert(
            "MirrorDropping",
            "warning",
            f"""
            {dropped} / ({dropped} + ({sent} or 0 * {dropped})) > 0.05
            and
            {dropped} > 0.01
            """,
            f"Copies are dropped: {LANE}",
            f"{SHARE} of the sampled requests of {LANE} were not sent by {AGENT}. What is compared is no fair sample of them.",
            wait="10m",
        ),
        alert(
            "MirrorSilent",
            "warning",
            f"""
            wingmirror_mirror_configured_ratio
            * ({considered} - (sum without (reason) ({filtered}) or 0 * {considered}))
            > 20
            unless
            increase(wingmirror_mirror_sent_total[15m]) > 0
            unless on (job, instance)
            wingmirror_mirror_paused == 1
            """,
            f"Nothing is mirrored: {LANE}",
            f"In 15 minutes {AGENT} should have sent about {{{{ $value | humanize }}}} copies of {LANE}, and sent none.",
            wait="15m",
        ),
        alert(
            "MirrorPaused",
            "warning",
            'wingmirror_mirror_paused{reason!="request"} == 1',
            f"{AGENT} has paused mirroring: {{{{ $labels.reason }}}}",
            f"{AGENT} has paused mirroring by itself for five minutes, because of {{{{ $labels.reason }}}}.",
            wait="5m",
        ),
        alert(
            "ShadowVerdictFailed",
            "warning",
            "wingmirror_mirror_verdict == 2",
            f"{{{{ $labels.target }}}} answers {ROUTE} worse than production",
            f"The verdict of {LANE} on {ROUTE} is fail, by the pairs that {AGENT} compared.",
        ),
    ]


def text(runbooks):
    """The rule file, with `runbooks` before the name of each runbook."""
    groups = [
        (
            {"name": "wingmirror-route-alerts"},
            error_budget() + latency_budget() + canary_worse() + unmatched_share(),
        ),
        ({"name": "wingmirror-coverage-alerts", "interval": "5m"}, never_hit()),
        (
            {"name": "wingmirror-agent-alerts"},
            capture_lossy() + no_packets() + agent_down() + visibility() + configuration() + limits(),
        ),
        ({"name": "wingmirror-mirror-alerts"}, mirroring()),
    ]
    for _, rules in groups:
        for rule in rules:
            notes = rule["annotations"]
            notes["runbook_url"] = notes["runbook_url"].format(runbooks=runbooks.rstrip("/"))
    return rule_file(
        "Alerts. Objectives are in objectives.yml, the rates in recording.yml; samples/alertmanager.yml holds route alerts back "
        "while the agent that raises them loses packets.",
        groups,
    )
