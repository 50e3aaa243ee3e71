# Wingmirror · Apache-2.0
"""The alerts. Those on routes are symptoms that users feel; those on the agent say when not to believe the others.

Left out, since nothing on the clients' side of the gateway shows it: RouteWeightDrift (observed against configured share of
a weighted destination) and CanaryWorse by subset. CanaryWorse below compares rules, which requests are told apart by.
"""

import textwrap

from .grafana import uid
from .recording import (
    AT_ONCE,
    AVAILABILITY,
    BURN_RATES,
    CANARY_ERRORS,
    CANARY_OF,
    CANARY_REQUESTS,
    ERROR_BUDGET,
    IN_ROUTE,
    KNOWN_BOUNDS,
    LATENCY,
    LATENCY_BOUNDS,
    LATENCY_BURN_RATES,
    MATCHED,
    MOST_STABLE,
    NOW,
    OF_AGENT,
    OF_AGENTS,
    OF_JOB,
    OF_REQUESTS_AT_A_GATEWAY,
    ROUTE_LABELS,
    SECONDS,
    SLOW_BUDGET,
    STABLE_ERRORS,
    STABLE_REQUESTS,
    UNMATCHED,
    USUAL,
    arriving,
    error_ratio,
    left_ratio,
    refused_ratio,
    requests,
    slow_ratio,
)
from .rulefile import rule_file

# What every `runbook_url` begins with; `generate.py --runbooks` takes another address. This one needs no server besides
# Prometheus, which serves the folder of its `--web.user-assets` under `/user`.
RUNBOOKS = "{{ $externalURL }}/user/Runbooks"

# Where a panel shows what an alert is about: a path on your Grafana, whose address Alertmanager's templates put before it.
DASHBOARDS = "/d/{uid}"
OF_ROUTE = (
    "var-namespace={{ $labels.virtualservice_namespace | urlquery }}"
    "&var-virtualservice={{ $labels.virtualservice | urlquery }}&var-route={{ $labels.route | urlquery }}"
)

# How many requests must have matched no route: of fewer in so short a time a scanner makes a large share. Where a gateway has few
# requests at all, they are counted over a longer time.
STORM_UNMATCHED = {"5m": 300}
LEAST_UNMATCHED = {"10m": 60, "6h": 400}
# How many requests must have failed, whatever their share: a guard by rate would hide small routes, one by count does not.
LEAST_FAILURES = {"critical": 10, "warning": 5}
LEAST_COMPARED = 20  # requests of the sort that jumps, in the window judged: of fewer, chance makes large shares
BEYOND_CHANCE = "2.5"  # by how much the roots of two counts differ once in millions by chance: five standard errors, of 1/2 each
MOST_OF_ALL = "0.9"  # a share that is too large whatever an objective allows
MOST = "0.5"  # above this share refusals, and clients that leave, are news of a route that has no day before
MANY_COMPARED = 100  # where 5 minutes alone are judged: a storm has that many at once, a small route at night never
LEAST_ARRIVING = 300  # requests that usually arrive at a gateway in half an hour, for their absence to be news
LEAST_BEFORE_SILENCE = 1000  # the same where there is no yesterday to compare with, and where a few minutes page
SETTLED = 3600  # seconds after which an agent has seen connections begin: those of before its start may be closed to it
LEAST_RESTARTS = 3  # of an agent in an hour: a roll-out, and a second one that takes it back, are two
LEAST_WAITING = 10  # by how many requests more wait than nearly ever the day before, where a route hangs
MANY_WAITING = 20  # requests that wait at a gateway that answers none
LEAST_REQUESTS = 50  # on each side of a canary
CERTAINTY = "3"  # standard errors: by chance alone once in hundreds of comparisons that do not overlap
THIS_HOUR = "[2h] offset 23h"  # of yesterday: an hour before and an hour after
KEPT = "15m"  # how long an alert outlives its expression, so that missing scrapes do not make two of one
MARGIN = "0.01"  # by how much a canary's error share may exceed the stable one's

ROUTE = "{{ $labels.virtualservice_namespace }}/{{ $labels.virtualservice }} {{ $labels.route }}"
AGENT = "{{ $labels.instance }}"
JOB = "{{ $labels.job }}{{ with $labels.cluster }} in {{ . }}{{ end }}"
LANE = "policy {{ $labels.policy }} to {{ $labels.target }}"
SHARE = "{{ $value | humanizePercentage }}"
TWICE = "more than twice the share of the day before"
TWICE_OR_MOST = f"{TWICE}, or most of what a route had on its first day"


def alert(name, severity, expression, summary, description, *, wait=None, keep=None, board="agent-health", **labels):
    """One alert; `labels` are added to those of its expression. `board` is the dashboard that shows what it is about."""
    rule = {"alert": name, "expr": textwrap.dedent(expression).strip("\n") + "\n"}
    if wait:
        rule["for"] = wait
    if keep:
        rule["keep_firing_for"] = keep
    rule["labels"] = {"severity": severity, **labels}
    rule["annotations"] = {
        "summary": summary,
        "description": " ".join(description.split()),
        "runbook_url": f"{{runbooks}}/{name}.md",
        "dashboard_url": DASHBOARDS.format(uid=uid(board)) + ("?" + OF_ROUTE if board == "route-detail" else ""),
    }
    return rule


def failures(ratio, window):
    """How many requests a share of a window is; a share of slow ones has its bound besides the labels of the route."""
    return f"{ratio} * ignoring (le) group_left () ({requests(window)} * {SECONDS[window]})"


def above(factor, budget):
    """The share at which a budget burns `factor` times too fast, and that a share can exceed: where a fifth may fail, all do not make
    14.4 times that."""
    return f"clamp_max({factor} * {budget}, {MOST_OF_ALL})"


# -- routes -------------------------------------------------------------------------------------------------------


def error_budget():
    return [
        alert(
            "RouteErrorBudgetBurn",
            severity,
            f"""
            {error_ratio(long)} > {above(factor, ERROR_BUDGET)}
            and
            {error_ratio(short)} > {above(factor, ERROR_BUDGET)}
            and
            {failures(error_ratio(long), long)} >= {LEAST_FAILURES[severity]}
            """,
            f"{ROUTE} fails too often",
            f"{SHARE} of the requests of {ROUTE} failed in the last {long}: more than {factor} × what its objective allows.",
            wait=wait,
            keep=KEPT,
            board="route-detail",
            long=long,
            short=short,
        )
        for severity, factor, long, short, wait in BURN_RATES
    ]


def latency_budget():
    """Half of a route's answers being slow, where that is not usual, is an outage. Which bound a route can hold is known for those that have
    an objective of their own, and the default may be too narrow for a report or an upload: so slow answers as such are a ticket, and
    only what has jumped pages."""
    _, factor, long, short, wait = LATENCY_BURN_RATES[0]
    least = above(factor, SLOW_BUDGET)
    half = alert(
        "RouteLatencyBudgetBurn",
        "critical",
        f"""
            {slow_ratio(long)} > {least}
            and
            {slow_ratio(short)} > clamp_min({least}, {MOST})
            and
            {failures(slow_ratio(long), long)} >= {LEAST_FAILURES["critical"]}
            and
            {slow_ratio(short)} > 2 * avg_over_time({slow_ratio(long)}[{USUAL}:1h] offset 1h)
            unless
            {slow_ratio(short)} <= 2 * max_over_time({slow_ratio(NOW)}{THIS_HOUR})
            """,
        f"{ROUTE} is too slow for most requests",
        f"{SHARE} of the requests of {ROUTE} took or waited longer than {{{{ $labels.le }}}} s in the last {long}, and most of those of "
        f"the last {short}: more than {factor} × what its objective allows, and {TWICE}.",
        wait=wait,
        keep=KEPT,
        board="route-detail",
        long=long,
        short=short,
    )
    return [half] + [
        alert(
            "RouteLatencyBudgetBurn",
            "warning",
            f"""
            {slow_ratio(long)} > {above(factor, SLOW_BUDGET)}
            and
            {slow_ratio(short)} > {above(factor, SLOW_BUDGET)}
            and
            {failures(slow_ratio(long), long)} >= {LEAST_FAILURES["critical"]}
            """,
            f"{ROUTE} is too slow",
            f"{SHARE} of the requests of {ROUTE} took or waited longer than {{{{ $labels.le }}}} s in the last {long}: more than "
            f"{factor} × what its objective allows.",
            wait=wait,
            keep=KEPT,
            board="route-detail",
            long=long,
            short=short,
        )
        for _, factor, long, short, wait in LATENCY_BURN_RATES
    ]


def jump(ratio, least, window=NOW, compared=LEAST_COMPARED):
    """A share that is above `least`, more than twice what it was the day before and more than chance makes of that, on enough
    requests; nothing of a route that is not an hour old, for which there is `always`.

    Counts of few requests scatter by their root, whose own scatter is 1/2 whatever the count is (Anscombe): a third that
    becomes two thirds of 30 requests at night happens by chance, of 300 it does not. What was usual scatters too, by as much more
    as it was of fewer requests: in the first hours there is no whole day yet.

    A client that always leaves, or is always refused, is most of what a route gets when others sleep. So a share that was as large at
    this hour of yesterday is none, if there are no more such requests than by day either: a service that fails each night has more."""
    counted = f"{requests(window)} * {SECONDS[window]}"
    return f"""
            {ratio(window)} > {least}
            and
            {ratio(window)} > 2 * {ratio(USUAL)} offset 1h
            and
            {ratio(window)} * {counted} >= {compared}
            and
            sqrt({ratio(window)} * {counted})
            - sqrt({ratio(USUAL)} offset 1h * {counted})
            > {BEYOND_CHANCE} * sqrt(1 + {counted} / ({requests(USUAL)} offset 1h * {SECONDS[USUAL]}))
            unless
            (
              {ratio(window)} <= 2 * max_over_time({ratio(NOW)}{THIS_HOUR})
              and
              {ratio(window)} * {requests(window)} <= 2 * {ratio(USUAL)} offset 1h * {requests(USUAL)} offset 1h
            )
            """


def always(ratio, window=NOW, compared=LEAST_COMPARED):
    """A share that is above a half by more than chance, of a route that has no day before: Prometheus did not know it a day ago, or
    it had hardly any requests then or since.

    Nothing tells whether the route is meant to be so: a ticket, and for its first day only, after which it is what is usual. The
    hour in which it is looked for lets Prometheus have been away just then. A route that is used once a week and refuses is known by
    its last time."""
    counted = f"{requests(window)} * {SECONDS[window]}"
    return f"""
            {ratio(window)} > {MOST}
            and
            {ratio(window)} * {counted} >= {compared}
            and
            ({ratio(window)} - {MOST}) * {counted} > {BEYOND_CHANCE} * sqrt({counted})
            unless
            (
              last_over_time({requests(USUAL)}[1h] offset 1d) * {SECONDS[USUAL]} >= {LEAST_COMPARED}
              and
              {requests(USUAL)} offset 1h * {SECONDS[USUAL]} >= {LEAST_COMPARED}
            )
            unless
            max_over_time({ratio(USUAL)}[7d:6h] offset 1d) > {MOST}
            """


def either(*expressions):
    """What any of the expressions finds; `or` binds least."""
    return "\n            or".join("\n            " + expression.strip() for expression in expressions) + "\n"


def abandoned():
    """A service that hangs gives no answer and no error: its clients leave. Half of them at once page, and half of them over half
    an hour where five minutes have too few requests to tell. Those of a route that is new are a ticket: it may be one that clients
    leave on purpose."""

    def found(severity, expression, windows, than):
        return alert(
            "RouteAbandoned",
            severity,
            expression,
            f"Clients leave {ROUTE}",
            f"Clients gave up {SHARE} of the requests of {ROUTE} before the answer was whole, in the last {windows}: {than}. "
            "Services that hang look like this.",
            wait="5m",
            keep=KEPT,
            board="route-detail",
        )

    windows = f"{AT_ONCE} or {NOW}"
    half = either(jump(left_ratio, "0.5", AT_ONCE), jump(left_ratio, "0.5"))
    part = either(jump(left_ratio, "0.05"), always(left_ratio, AT_ONCE, MANY_COMPARED), always(left_ratio))
    return [found("critical", half, windows, TWICE), found("warning", part, windows, TWICE_OR_MOST)]


def refused():
    return [
        alert(
            "RouteClientErrorsJump",
            "warning",
            either(
                jump(refused_ratio, "0.3", AT_ONCE, MANY_COMPARED),
                jump(refused_ratio, "0.1"),
                always(refused_ratio, AT_ONCE, MANY_COMPARED),
                always(refused_ratio),
            ),
            f"{ROUTE} refuses many requests",
            f"{SHARE} of the requests of {ROUTE} were answered with 4xx in the last {AT_ONCE} or {NOW}: {TWICE_OR_MOST}.",
            wait="3m",
            keep=KEPT,
            board="route-detail",
        )
    ]


def canary_worse():
    """For the pairs of rules that objectives.yml names: fires when the whole interval of three standard errors around the
    difference of the error shares lies above the margin."""
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
            - {CERTAINTY} * sqrt({variance})
            > {MARGIN}
            and {CANARY_REQUESTS} >= {least}
            and {STABLE_REQUESTS} >= {least}
            """,
            f"{ROUTE} fails more often than {{{{ $labels.stable }}}}",
            f"The error share of {ROUTE} exceeds that of {{{{ $labels.stable }}}} by at least {SHARE} over the last hour, more "
            "than chance explains.",
            wait="10m",
            keep=KEPT,
            board="canary-compare",
        )
    ]


def unmatched_share():
    """A fifth of a busy gateway's requests is a change gone wrong, and not to be waited for; less may be a scanner.

    A gateway of few requests is looked at for six hours, and whether it goes on. That pages never: at night the checks of a load
    balancer, or a scanner, are most of what such a gateway gets.

    A scanner that never sleeps is most of what a gateway gets at night: as many as always, and few of the whole day. Of a change gone
    wrong, as many as on average are seen only after most of a day, and then they are at least two thirds of that share of the day."""
    by = f"without ({OF_AGENTS}, reason, response_code_class)"

    def unmatched(window):
        return f'sum {by} (increase(wingmirror_http_requests_unmatched_total{{reason!~"https_redirect|no_listener"}}[{window}]))'

    def share(window):
        matched = f"sum without ({OF_REQUESTS_AT_A_GATEWAY}) (increase(wingmirror_http_requests_total[{window}]))"
        return f"""
            {unmatched(window)}
            / (
              {unmatched(window)}
              + (
                {matched}
                or
                0 * {unmatched(window)}
              )
            )
            """.strip()

    def found(severity, expression, wait):
        return alert(
            "UnmatchedShareHigh",
            severity,
            expression,
            "Many requests match no route",
            f"{SHARE} of the requests at gateway “{{{{ $labels.gateway }}}}” match no route.",
            wait=wait,
            keep=KEPT,
            board="route-coverage",
        )

    def many(least, window, counts, now=None):
        day = f"avg_over_time({UNMATCHED}[{USUAL}])"
        return f"""
            {share(window)} > {least}
            and
            {unmatched(window)} > {counts[window]}
            unless
            (
              {unmatched(now or window)} <= 1.5 * {SECONDS[now or window]} * avg_over_time({UNMATCHED}[{USUAL}] offset 1h)
              and
              {day} / ({day} + avg_over_time({MATCHED}[{USUAL}])) <= 0.6 * {least}
            )
            """

    slowly = f"{many('0.2', '6h', LEAST_UNMATCHED, NOW).strip()}\n            and\n            {share(NOW)} > 0.2"
    return [
        found("critical", many("0.2", "5m", STORM_UNMATCHED), "2m"),
        found("warning", either(many("0.05", "10m", LEAST_UNMATCHED), slowly), "5m"),
    ]


def waiting():
    """A service hangs and its clients wait: nothing fails, nothing is slow, and none has left yet. Requests in flight are known by
    gateway only, so they say that some route hangs; which one is known by what it no longer answers.

    Event streams and other streams are in flight for as long as they last (WebSockets are not). So what is in flight is compared
    with nearly the most of the day before, and a route is left out that had as few requests at this hour of yesterday. Where a
    gateway answers nothing at all there may be no day before: then its streams are known by those that ended."""
    in_flight = "wingmirror_http_requests_in_flight"

    def total(expression):
        return f"sum by ({OF_JOB}, gateway) ({expression})"

    waits = total(f"min_over_time({in_flight}[10m])")
    answered = total("increase(wingmirror_http_requests_total[10m])")
    unmatched = total("increase(wingmirror_http_requests_unmatched_total[10m])")
    usual = total(f"quantile_over_time(0.5, {in_flight}[{USUAL}] offset 1h)")
    expected = f"{requests(USUAL)} offset 1h * {SECONDS[AT_ONCE]}"

    def found(level, expression, summary, description, wait, board):
        return alert(
            "RequestsWaiting", "warning", expression, summary, description, wait=wait, keep=KEPT, board=board, level=level
        )

    return [
        found(
            "route",
            f"""
            (
              {requests(AT_ONCE)} < 0.1 * {requests(USUAL)} offset 1h
              and
              {expected} >= {LEAST_COMPARED}
              unless
              {requests(NOW)} offset 1d * {SECONDS[AT_ONCE]} < {LEAST_COMPARED}
            )
            and on ({OF_JOB}, {ROUTE_LABELS})
            (
              wingmirror_http_requests_total
              and on ({OF_JOB}, gateway)
              {total(f"min_over_time({in_flight}[{AT_ONCE}])")}
              - {total(f"quantile_over_time(0.99, {in_flight}[{USUAL}] offset 1h)")}
              >= {LEAST_WAITING}
            )
            """,
            f"{ROUTE} hardly answers any more",
            f"{ROUTE} answers less than a tenth of the requests that it usually does, while more requests wait at its gateway than "
            "nearly ever in the day before. Services that hang look like this until their clients leave.",
            "10m",
            "route-detail",
        ),
        found(
            "gateway",
            f"""
            {waits} >= {MANY_WAITING}
            and
            (
              ({answered} or 0 * {waits})
              + ({unmatched} or 0 * {waits})
            ) < 0.1 * {waits}
            and
            {waits}
            > 2 * ({usual} or 0 * {waits})
            unless
            {total(f"increase(wingmirror_http_streams_total[{USUAL}])")}
            > 0.1 * {total(f"increase(wingmirror_http_requests_total[{USUAL}])")}
            """,
            "Requests at gateway “{{ $labels.gateway }}” wait and are not answered",
            "{{ $value | humanize }} requests have been waiting at gateway “{{ $labels.gateway }}” for ten minutes, and hardly any was "
            "answered. Services that hang look like this until their clients leave.",
            "5m",
            "ingress-overview",
        ),
    ]


def never_hit():
    """A route counts as hit when one of its latest request's times lies in the window: a counter that appears with its
    first request has not increased."""
    by = f"by ({OF_JOB}, {ROUTE_LABELS})"
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
            f"{ROUTE} has been in the route table for a week, and no agent of {JOB} has seen a request for it.",
            wait="1h",
            board="route-coverage",
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


def handshakes_fail():
    """What clients do not accept never becomes a request, so no route shows it. Of TLS 1.3 the wire shows only what fails before the
    certificate; what fails after it shows as requests that do not come. Scanners fail all day, so what is usual is none."""

    def increase(name, window, offset=""):
        return f"sum by ({OF_JOB}) (increase(wingmirror_tls_{name}_total[{window}]{offset}))"

    failed, tried = increase("handshake_alerts", "15m"), increase("connections", "15m")
    failed_usually, tried_usually = (increase(name, USUAL, " offset 1h") for name in ("handshake_alerts", "connections"))
    return [
        alert(
            "HandshakesFail",
            "warning",
            f"""
            {failed} / {tried} > 0.2
            and
            {failed} >= {LEAST_COMPARED}
            unless
            {failed} / {tried} <= 2 * {failed_usually} / {tried_usually}
            """,
            f"TLS connections to the gateways of {JOB} fail",
            f"{SHARE} of the TLS connections that agents of {JOB} saw begin in 15 minutes ended with an alert before any request. "
            "wingmirror_tls_handshake_alerts_total says with which.",
            wait="5m",
            keep=KEPT,
            board="ingress-overview",
        )
    ]


def capture_lossy():
    lost = 'sum without (reason) (rate(wingmirror_capture_packets_dropped_total{reason="kernel_buffer"}[5m]))'
    received = "rate(wingmirror_capture_packets_received_total[5m])"
    return [
        alert(
            "CaptureLossy",
            "warning",
            f"""
            {lost} / ({received} + {lost}) > 0.01
            """,
            f"{AGENT} loses packets on {{{{ $labels.interface }}}}",
            f"{SHARE} of the packets on {{{{ $labels.interface }}}} are lost between the kernel and {AGENT}. It counts too few requests; shares of errors hold, "
            "because what it missed is in none of them.",
            wait="10m",
        )
    ]


def half_seen():
    """Requests without their answers, or answers without their requests: one direction of the traffic is not seen. By agent,
    since the path of the packets differs from node to node."""
    window = "15m"

    def received(matchers=""):
        return f"sum without ({ROUTE_LABELS}, {IN_ROUTE}) (increase(wingmirror_http_requests_total{matchers}[{window}]))"

    def of_agent(name):
        return f"sum by ({OF_AGENT}) (increase(wingmirror_http_{name}[{window}]))"

    def found(unseen, expression, description):
        return alert(
            "HalfSeen", "warning", expression, f"{AGENT} sees half of the traffic", description, wait="10m", keep=KEPT, unseen=unseen
        )

    unanswered = received('{response_code="unknown"}')
    alone = of_agent('unpaired_messages_total{kind="response"}')
    return [
        found(
            "answers",
            f"""
            {unanswered}
            / {received()}
            > 0.05
            and
            {unanswered} >= {LEAST_COMPARED}
            """,
            f"{AGENT} has not seen how {SHARE} of the requests at gateway “{{{{ $labels.gateway }}}}” were answered in the last {window}. They "
            "are in no share of errors, and have no duration.",
        ),
        found(
            "requests",
            f"""
            {alone}
            / (
              {alone}
              + ({of_agent("requests_total")} or 0 * {alone})
              + ({of_agent("requests_unmatched_total")} or 0 * {alone})
            ) > 0.05
            and
            {alone} >= {LEAST_COMPARED}
            """,
            f"Of {SHARE} of the exchanges of the last {window} {AGENT} has seen the answer alone. They are in no figure of a route.",
        ),
    ]


def interface_down():
    """Each interface that is wanted must be up: one whose pod was replaced, and one that a reload took out, is wanted no more and not in
    the list. A node without a gateway's pod has nothing to capture. What is read from files has no such state."""
    return [
        alert(
            "InterfaceDown",
            "warning",
            f"""
            wingmirror_capture_interface_up == 0
            unless on ({OF_AGENT})
            sum by ({OF_AGENT}) (wingmirror_gateway_pods) == 0
            """,
            f"{AGENT} does not capture on {{{{ $labels.interface }}}}",
            f"{AGENT} captures nothing on {{{{ $labels.interface }}}}: the interface is gone or down, or cannot be opened.",
            wait="5m",
            keep=KEPT,
        )
    ]


def no_packets():
    """Silence is news where the same hour of yesterday was not silent, or where the last hours were busy; not where yesterday, within
    an hour of now, was as silent. An agent that has seen no packet since its start has no time of the latest, so packets are counted. Where
    the gateway's pod has moved to another node, silence is what remains."""
    received = "wingmirror_capture_packets_received_total"
    silent = f"increase({received}[{NOW}])"
    return [
        alert(
            "NoPackets",
            "warning",
            f"""
            {silent} == 0
            and
            {received} offset {NOW}
            and
            wingmirror_capture_interface_up == 1
            and
            (
              increase({received}[1h] offset 1d) > 1000
              or
              increase({received}[3h]) > 100000
            )
            unless
            min_over_time({silent}[2h:10m] offset 23h) == 0
            unless on ({OF_AGENT})
            sum by ({OF_AGENT}) (wingmirror_gateway_pods) == 0
            """,
            f"{AGENT} sees no packets on {{{{ $labels.interface }}}}",
            f"{AGENT} has captured no packet on {{{{ $labels.interface }}}} for half an hour, while the capture runs: since its start, or at a "
            "time at which there was traffic yesterday, or until shortly before.",
            wait="5m",
        )
    ]


def traffic_gone():
    """Nothing fails where nothing arrives. A gateway that no agent finds any more, and a gateway whose requests have all but ceased.

    Agents that are not scraped have alerts of their own. What a gateway usually gets is asked of those that are: that an agent is gone, with
    all that it saw, makes no silence of the others.

    Where no week is known yet, a weekend looks like an outage, but for how it begins: in the night before, not in hours that were as busy
    as the day. So until a week is known only what has ceased within six hours counts."""
    pods = f"sum by ({OF_JOB}) (wingmirror_gateway_pods)"
    present = f"and on ({OF_AGENT}) wingmirror_build_info"
    settled = f"{present} and on ({OF_AGENT}) (time() - process_start_time_seconds > {SETTLED})"

    def at_gateways(window):
        return f'{arriving(window)}{{gateway!~"|__overflow__"}}'

    def now(window):
        return f"sum by ({OF_JOB}, gateway) ({at_gateways(window)})"

    def usual(each, by=present):
        return f"sum by ({OF_JOB}, gateway) ({each} {by})"

    def few(window, expected, least):
        """What is less than a tenth of what is expected, where that is enough for its absence to be news."""
        return f"{now(window)} < 0.1 * ({expected} * {SECONDS[NOW]} >= {least}) / {SECONDS[NOW]}"

    day, week = at_gateways(NOW), usual(f"min_over_time({at_gateways(NOW)}[2h] offset 167h)")
    average = f"avg_over_time({day}[{USUAL}] offset 1h)"
    return [
        alert(
            "GatewayGone",
            "warning",
            f"""
            {pods} == 0
            and
            max_over_time({pods}[1d:30m]) > 0
            unless
            min_over_time({pods}[2h:10m] offset 23h) == 0
            unless on ({OF_JOB})
            (
              max_over_time(wingmirror_gateway_pods[1d]) > 0
              and on ({OF_AGENT})
              up == 0
            )
            """,
            f"No agent of {JOB} finds a gateway's pod any more",
            f"Within the last day agents of {JOB} found pods of a gateway on their nodes, and for a quarter of an hour none does: nothing "
            "is captured, and no alert on routes can fire.",
            wait="15m",
            keep=KEPT,
        ),
        alert(
            "TrafficGone",
            "critical",
            f"""
            (
              {few(AT_ONCE, usual(f"min_over_time({at_gateways(AT_ONCE)}{THIS_HOUR})", settled), LEAST_BEFORE_SILENCE)}
              and
              {few(AT_ONCE, usual(average, settled), LEAST_BEFORE_SILENCE)}
              and
              {usual(f"max_over_time({day}[1h])", settled)} >= {usual(average, settled)}
              unless
              {now(AT_ONCE)} >= 0.1 * {week}
            ) * {SECONDS[AT_ONCE]}
            """,
            "Hardly any requests arrive at gateway “{{ $labels.gateway }}” any more",
            "{{ $value | humanize }} requests have arrived at gateway “{{ $labels.gateway }}” in five minutes, which was busy within the last hour: less "
            "than a tenth of what came at this hour of yesterday and does on average. Nothing fails where nothing arrives.",
            wait="5m",
            keep=KEPT,
            board="ingress-overview",
        ),
        alert(
            "TrafficGone",
            "warning",
            f"""
            (
              {few(NOW, usual(f"min_over_time({day}{THIS_HOUR})"), LEAST_ARRIVING)}
              and
              {few(NOW, usual(average), LEAST_ARRIVING)}
              and
              (
                {now(NOW)} < 0.1 * {week}
                or
                {usual(f"max_over_time({day}[6h])")} >= {usual(average)}
                unless
                {week}
              )
              or
              {now(NOW)} == 0
              and
              {usual(f"max_over_time({day}[3h])")} * {SECONDS[NOW]} >= {LEAST_BEFORE_SILENCE}
              unless
              {usual(f"{day} offset 1d")}
            ) * {SECONDS[NOW]}
            """,
            "Hardly any requests arrive at gateway “{{ $labels.gateway }}”",
            "{{ $value | humanize }} requests have arrived at gateway “{{ $labels.gateway }}” in half an hour: less than a tenth of what came at "
            "this hour of yesterday and does on average, or none after busy hours. Nothing fails where nothing arrives.",
            wait="15m",
            keep=KEPT,
            board="ingress-overview",
        ),
    ]


def agent_down():
    """`up` is Prometheus's own; which of its targets are agents is known by what they last said, or by the others of a job in which
    all that answer are agents: one that never came up has said nothing. A target that discovery dropped has no `up`: agents are then
    fewer than they were, unless they were as few at this hour of yesterday, as where nodes go at night, or all that are gone had no
    gateway's pod on their node any more, as where a node is drained. One that ends again and again is up in between."""
    agents = f"count by ({OF_JOB}) (wingmirror_build_info)"
    pods = f"sum by ({OF_AGENT}) (wingmirror_gateway_pods)"
    return [
        alert(
            "AgentDown",
            "warning",
            f"""
            (
              up == 0
              and on ({OF_AGENT})
              last_over_time(wingmirror_build_info[1d])
            )
            or
            (
              up == 0
              and on ({OF_JOB})
              (wingmirror_build_info or max_over_time(wingmirror_build_info[7d:6h]))
              unless on ({OF_JOB})
              (up == 1 unless on ({OF_AGENT}) wingmirror_build_info)
            )
            """,
            f"{AGENT} is not scraped",
            f"{AGENT} does not answer scrapes. What it watches shows in no figure and raises no other alert.",
            wait="5m",
        ),
        alert(
            "AgentRestarting",
            "warning",
            f"""
            changes(process_start_time_seconds[1h]) >= {LEAST_RESTARTS}
            and on ({OF_AGENT})
            last_over_time(wingmirror_build_info[1h])
            """,
            f"{AGENT} starts again and again",
            f"{AGENT} has started {{{{ $value | humanize }}}} times within an hour. What passes by until it is up again shows in no figure, and "
            "connections that were open may stay unreadable.",
            keep=KEPT,
        ),
        alert(
            "AgentsFewer",
            "warning",
            f"""
            quantile_over_time(0.5, {agents}[6h:5m])
            - ({agents} or 0 * quantile_over_time(0.5, {agents}[6h:5m]))
            >= 1
            unless
            ({agents} or 0 * quantile_over_time(0.5, {agents}[6h:5m]))
            >= min_over_time({agents}[2h:10m] offset 23h)
            unless on ({OF_JOB})
            max by ({OF_JOB}) (
              last_over_time({pods}[6h:1m])
              unless on ({OF_AGENT}) wingmirror_build_info
            ) == 0
            """,
            f"Fewer agents of {JOB} than in the last hours",
            f"{{{{ $value | humanize }}}} of the agents of {JOB} are scraped no more: evicted, or out of what Prometheus discovers. What "
            "they watched shows in no figure and raises no other alert.",
            wait="15m",
        ),
    ]


def configuration():
    """Agents on nodes with pods of different gateways have different tables, as they should: tables are compared by gateway. What the
    table of an agent without routes would be compared with is not known: it has none yet, or no gateway's pod."""
    of_gateway = f"{OF_JOB}, workload_namespace, workload"
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
            f"count by ({OF_JOB}) (count by ({OF_JOB}, sha256) (wingmirror_config_info)) > 1",
            f"Agents of {JOB} have different configurations",
            f"{{{{ $value }}}} different configurations are in force among the agents of {JOB}.",
            wait="30m",
        ),
        alert(
            "RouteDrift",
            "warning",
            f"""
            count by ({of_gateway}) (
              count by ({of_gateway}, hash) (
                wingmirror_route_table_info
                unless on ({OF_AGENT}) wingmirror_route_table_routes == 0
              )
            ) > 1
            """,
            f"Agents of {JOB} have different routes",
            f"{{{{ $value }}}} different route tables are in force among the agents of {JOB} for the gateway {{{{ $labels.workload }}}} in "
            "{{ $labels.workload_namespace }}: the same request is counted for one route here and for another there.",
            wait="15m",
        ),
        alert(
            "RoutesStale",
            "warning",
            "wingmirror_route_table_stale == 1",
            f"The routes of {AGENT} may be out of date",
            f"{AGENT} does not hear of changes from the API server, or of some kinds only; requests are counted for the routes that it knows.",
            wait="15m",
        ),
        alert(
            "GatewayUnknown",
            "warning",
            f"""
            (
              sum by ({OF_AGENT}) (wingmirror_gateway_pods) == 0
              and on ({OF_AGENT}) wingmirror_kube_requests_total{{resource="pods"}} > 0
            )
            unless on ({OF_AGENT}) time() - wingmirror_kube_last_sync_timestamp_seconds{{resource="pods"}} < 900
            """,
            f"{AGENT} does not know whether a gateway runs on its node",
            f"{AGENT} captures nothing: it knows of no gateway pod, and the API server has not said for a quarter of an hour which pods "
            "its node has.",
            wait="5m",
        ),
    ]


def rules_themselves():
    """Rules that fail are silent, and so are alerts without objectives, or with one that nothing is held to: for a bound that nothing is
    recorded for, with a share that is none, for a rule that does not exist, or with more rules to compare than are compared."""
    latency = LATENCY
    own = f'{{__name__=~"route:({AVAILABILITY}|{LATENCY})"}}'
    known = "group by (virtualservice_namespace, virtualservice, route) (wingmirror_route_info)"

    def missing(objective, expression, summary, description):
        return alert("ObjectivesMissing", "warning", expression, summary, description, wait="15m", objective=objective)

    return [
        alert(
            "RuleEvaluationFailing",
            "warning",
            'sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total{rule_group=~".*;wingmirror-.*"}[15m])) > 0',
            "Rules of Wingmirror fail",
            "Prometheus failed {{ $value | humanize }} times in 15 minutes to evaluate {{ $labels.rule_group }}. Alerts that need it "
            "are silent.",
            wait="5m",
        ),
        alert(
            "ObjectivesMissing",
            "warning",
            """
            (absent(wingmirror_availability_objective:ratio) or absent(wingmirror_latency_objective:ratio))
            and on ()
            count(wingmirror_build_info) > 0
            """,
            "No objectives are loaded",
            "Prometheus has not loaded dashboards/rules/objectives.yml. Routes are held to 99.9 % without errors and 99 % within a second.",
            wait="15m",
        ),
        alert(
            "ObjectivesMissing",
            "warning",
            f'{{__name__=~"(route:)?{latency}", le!~"{KNOWN_BOUNDS}"}}',
            "An objective of latency is not watched",
            f"The le “{{{{ $labels.le }}}}” of an objective of latency in objectives.yml is not one of {', '.join(LATENCY_BOUNDS)}: nothing is held "
            "to it{{ with $labels.route }}, and the route {{ . }} keeps the default{{ end }}.",
            wait="15m",
            objective="latency",
        ),
        missing(
            "share",
            f"""
            {{__name__=~"(route:)?({AVAILABILITY}|{LATENCY})"}} > 1
            or
            {{__name__=~"(route:)?({AVAILABILITY}|{LATENCY})"}} <= 0
            """,
            "An objective is no share",
            "{{ $value }} in objectives.yml{{ with $labels.route }}, for the route {{ . }},{{ end }} is not above 0 and at most 1 (99.9 % is 0.999): "
            "nothing is held to it, and the default holds.",
        ),
        missing(
            "route",
            f"""
            {own}
            unless on ({ROUTE_LABELS}) {known}
            and on (virtualservice_namespace, virtualservice) {known}
            """,
            "An objective is of a rule that does not exist",
            "{{ $labels.virtualservice_namespace }}/{{ $labels.virtualservice }} has no rule “{{ $labels.route }}”, which objectives.yml has an "
            "objective for: nothing is held to it.",
        ),
        missing(
            "canary",
            f"""
            (
              {CANARY_OF}
              unless on ({ROUTE_LABELS}) {known}
              or
              {CANARY_OF}
              unless on (virtualservice_namespace, virtualservice, stable)
              label_replace({known}, "stable", "$1", "route", "(.+)")
            )
            and on (virtualservice_namespace, virtualservice) {known}
            or
            count by ({ROUTE_LABELS}) ({CANARY_OF}) > {MOST_STABLE}
            """,
            "A canary is not compared",
            "objectives.yml compares {{ $labels.virtualservice_namespace }}/{{ $labels.virtualservice }} {{ $labels.route }} with "
            "{{ with $labels.stable }}{{ . }}, and one of the two does not exist{{ else }}"
            f"more than {MOST_STABLE} rules, which is the most{{{{ end }}}}: CanaryWorse cannot fire for all of that.",
        ),
    ]


def limits():
    return [
        alert(
            "SeriesOverflow",
            "warning",
            'sum without (family, lost) (increase(wingmirror_metric_series_overflow_total{lost="route"}[15m])) > 0',
            f"{AGENT} has more routes than series",
            f"About {{{{ $value | humanize }}}} observations on {AGENT} in 15 minutes were counted under __overflow__ instead of "
            "their route.",
        ),
        alert(
            "AgentShedding",
            "warning",
            "max without (work) (wingmirror_load_shedding) == 1",
            f"{AGENT} sheds work",
            f"{AGENT} has left out work for ten minutes to stay within its memory limit; wingmirror_load_shedding says which.",
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
            board="shadow-testing",
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
            f"{SHARE} of the sampled requests of {LANE} were not sent by {AGENT}. For the reasons rate, back_off and target_refused the "
            "sample is only smaller; for breaker, queue_full and expired it is no fair one any more. mirror_dropped_total has the reasons.",
            wait="10m",
            board="shadow-testing",
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
            unless on ({OF_AGENT})
            wingmirror_mirror_paused == 1
            """,
            f"Nothing is mirrored: {LANE}",
            f"In 15 minutes {AGENT} should have sent about {{{{ $value | humanize }}}} copies of {LANE}, and sent none.",
            wait="15m",
            board="shadow-testing",
        ),
        alert(
            "MirrorPaused",
            "warning",
            'wingmirror_mirror_paused{reason!="request"} == 1',
            f"{AGENT} has paused mirroring: {{{{ $labels.reason }}}}",
            f"{AGENT} has paused mirroring by itself for five minutes, because of {{{{ $labels.reason }}}}.",
            wait="5m",
            board="shadow-testing",
        ),
        alert(
            "ShadowVerdictFailed",
            "warning",
            'wingmirror_mirror_verdict{verdict="fail"} == 1',
            f"{{{{ $labels.target }}}} answers {ROUTE} worse than production",
            f"The verdict of {LANE} on {ROUTE} is fail, by the pairs that {AGENT} compared.",
            board="shadow-testing",
        ),
    ]


def text(runbooks):
    """The rule file, with `runbooks` before the name of each runbook."""
    groups = [
        (
            {"name": "wingmirror-route-alerts"},
            error_budget() + latency_budget() + abandoned() + refused() + waiting() + canary_worse() + unmatched_share(),
        ),
        ({"name": "wingmirror-coverage-alerts", "interval": "5m"}, never_hit()),
        (
            {"name": "wingmirror-agent-alerts"},
            capture_lossy()
            + half_seen()
            + interface_down()
            + no_packets()
            + traffic_gone()
            + agent_down()
            + visibility()
            + handshakes_fail()
            + configuration()
            + rules_themselves()
            + limits(),
        ),
        ({"name": "wingmirror-mirror-alerts"}, mirroring()),
    ]
    for _, rules in groups:
        for rule in rules:
            notes = rule["annotations"]
            notes["runbook_url"] = notes["runbook_url"].format(runbooks=runbooks.rstrip("/"))
    return rule_file(
        "Alerts. Objectives are in objectives.yml, the rates in recording.yml; samples/alertmanager.yml groups them. An alert outlives "
        "its expression by `keep_firing_for`, which Prometheus has from 2.42 on.",
        groups,
    )
