# Wingmirror · Apache-2.0
"""What is mirrored to staging, what is not and why, and what the answers say."""

from .grafana import BAD, FAIR, GOOD, column, curves, dashboard, query, row, table, tile, variable
from .queries import (
    DURATION,
    ROUTE,
    ROUTE_HEADINGS,
    by_gateway,
    mean,
    quantile,
    rate,
    series,
    share,
    target_variables,
    to_route,
    total,
    total_rate,
    volume,
)

NAME = "shadow-testing"
LANE = ('policy=~"$policy"', 'target=~"$target"')
TARGET = ('target=~"$target"',)
IN_OBJECTS = ('virtualservice_namespace=~"$namespace"', 'virtualservice=~"$virtualservice"', 'route=~"$route"')
JUDGED = LANE + IN_OBJECTS

LANE_LABELS = ("policy", "target")
LANE_LEGEND = "{{policy}} → {{target}}"
ROUTE_LEGEND = "{{virtualservice}} {{route}} → {{target}}"
VERDICTS = {"inconclusive": "text", "pass": GOOD, "fail": BAD, "different": FAIR}

# Reasons of drops that somebody asked for; the others mean that the sample is not the one that was wished for.
ASKED_FOR = 'reason!~"paused|ramp|back_off|reload|shutdown"'


def build():
    return dashboard(
        NAME,
        "Wingmirror / Shadow testing",
        "Copies of requests sent to staging: where each request went, and how staging's answers compare with production's.",
        target_variables() + variables(),
        [now(), verdicts(), answers(), conservation(), sending(), safety()],
    )


def variables():
    considered = series("mirror_considered_total")
    routes = series("mirror_comparisons_total", *TARGET)
    return [
        variable("policy", "Policy", considered, "policy"),
        variable("target", "Target", considered, "target"),
        variable("namespace", "Namespace", routes, "virtualservice_namespace"),
        variable("virtualservice", "VirtualService", routes, "virtualservice"),
        variable("route", "Route", routes, "route"),
    ]


def now():
    dropped = total_rate("mirror_dropped_total", *LANE, ASKED_FOR)
    sent = total_rate("mirror_sent_total", *LANE)
    ended = total_rate("mirror_requests_total", *LANE)
    return row(
        "Now",
        tile("Copies sent", "Copies handed to a connection, per second.", "reqps", sent),
        tile(
            "Dropped",
            "Share of sampled requests that were dropped without a pause, ramp or reload: queue full, over the rate, breaker "
            "open, refused, too late.",
            "percentunit",
            share(dropped, f"({dropped} + {sent})"),
            steps=((0.01, FAIR), (0.05, BAD)),
            none="nothing sampled",
        ),
        tile(
            "Without an answer",
            "Share of copies that ended without an answer of the target.",
            "percentunit",
            share(total_rate("mirror_requests_total", 'outcome!="ok"', *LANE), ended),
            steps=((0.01, FAIR), (0.05, BAD)),
            none="nothing sent",
        ),
        tile(
            "Breaker",
            "Whether the circuit breaker of any target is open.",
            "none",
            total(series("mirror_breaker_open", *TARGET), operation="max"),
            texts={0: ("closed", GOOD), 1: ("open", BAD)},
        ),
        tile(
            "Mirroring",
            "Whether mirroring is paused for any reason; the row Safety says which.",
            "none",
            total(series("mirror_paused"), operation="max"),
            texts={0: ("running", GOOD), 1: ("paused", FAIR)},
        ),
        tile(
            "Failing routes",
            "Routes whose verdict is fail on any agent.",
            "none",
            f"""sum({series('mirror_verdict', 'verdict="fail"', *JUDGED)})""",
            steps=((1, BAD),),
            none="no verdicts",
        ),
    )


def verdicts():
    labels = ("instance",) + LANE_LABELS + ROUTE

    def value(name):
        """A family of the verdict with the labels `design` and `verdict`, which only the verdict itself has."""
        holds = total(series("mirror_verdict", *JUDGED) + " == 1", *labels, "design", "verdict", operation="group")
        values = total(series(name, *JUDGED), *labels, operation="max")
        return f"{holds} * on ({', '.join(labels)}) group_left () {values}"

    return row(
        "Verdicts",
        table(
            "Verdict by route",
            "What each agent's pairs of answers say so far, by design: D2 holds the target against one that runs production's version, "
            "D1 against its own second answers, D4 against production's own repeats, D0 against nothing, so it never fails. A line "
            "without a route is requests that no route takes. Excess is the share of pairs by which “only staging differs from "
            "production” exceeds “only the reference does”; its interval holds however often one looks. It fails when the "
            "evidence passes the logarithm of 1 / significance, and passes when the interval lies below the margin with "
            "enough pairs compared.",
            {
                "instance": "Instance",
                "policy": "Policy",
                "target": "Target",
                "design": "Design",
                "verdict": "Verdict",
                **ROUTE_HEADINGS,
            },
            column("Pairs", value("mirror_verdict_pairs"), "short"),
            column("Coverage", value("mirror_verdict_coverage_ratio"), "percentunit"),
            column("Worse", value("mirror_verdict_worse_pairs"), "short"),
            column("Better", value("mirror_verdict_better_pairs"), "short"),
            column("Excess", value("mirror_verdict_excess_ratio"), "percentunit"),
            column("From", value("mirror_verdict_excess_lower_ratio"), "percentunit"),
            column("To", value("mirror_verdict_excess_upper_ratio"), "percentunit"),
            column("Evidence (ln)", value("mirror_verdict_log_evidence"), "none"),
            column("Noise", value("mirror_verdict_noise_floor_ratio"), "percentunit"),
            size=(24, 9),
            sort="Evidence (ln)",
            link=to_route(),
            colours={"Verdict": VERDICTS},
        ),
        curves(
            "Excess and its interval",
            "Share of pairs by which the target is worse, with the ends of the interval. It narrows as pairs come in.",
            "percentunit",
            *(
                query(total(series(name, *JUDGED), *ROUTE, "target", operation="max"), f"{ROUTE_LEGEND}{suffix}")
                for name, suffix in (
                    ("mirror_verdict_excess_ratio", ""),
                    ("mirror_verdict_excess_lower_ratio", ", from"),
                    ("mirror_verdict_excess_upper_ratio", ", to"),
                )
            ),
            least=None,
            size=(12, 9),
        ),
        curves(
            "Evidence against the target",
            "Natural logarithm of the evidence. At a significance of 5 % a target fails from 3.0 on.",
            "none",
            query(
                total(series("mirror_verdict_log_evidence", *JUDGED), *ROUTE, "target", operation="max"),
                ROUTE_LEGEND,
            ),
            least=None,
            size=(12, 9),
        ),
    )


def answers():
    compared = total_rate("mirror_comparisons_total", *TARGET, *IN_OBJECTS, by=("result",))
    by_route = total_rate("mirror_comparisons_total", *TARGET, *IN_OBJECTS, by=ROUTE + ("result",))
    return row(
        "Answers",
        curves(
            "Comparisons by result",
            "Pairs of answers per second by what was found.",
            "reqps",
            query(compared, "{{result}}"),
            stacked=True,
        ),
        curves(
            "Differences by route",
            "Pairs of answers per second that are not the same, by route.",
            "reqps",
            query(
                total_rate("mirror_comparisons_total", *TARGET, *IN_OBJECTS, 'result!="same"', by=ROUTE + ("result",)),
                "{{virtualservice}} {{route}}: {{result}}",
            ),
            stacked=True,
        ),
        table(
            "Results by route",
            "Pairs of answers per second.",
            {**ROUTE_HEADINGS, "result": "Result"},
            column("Pairs", by_route, "reqps"),
            size=(8, 8),
        ),
        curves(
            "Latency of the shadow",
            "From sending a copy to the last byte of its answer, without the time in the queue.",
            "s",
            *(
                query(
                    quantile(part, "mirror_request_duration_seconds", *TARGET, *IN_OBJECTS, by=("target",)),
                    f"{{{{target}}}}, p{part * 100:.0f}",
                )
                for part in (0.5, 0.95, 0.99)
            ),
            size=(12, 8),
        ),
        curves(
            "Shadow against production, p95",
            "Information, no judgement: production is measured on the clients' side of the gateway, the shadow from the agent, "
            "so the two hold different ways.",
            "s",
            query(
                quantile(0.95, "mirror_request_duration_seconds", *TARGET, *IN_OBJECTS, by=ROUTE),
                "shadow, {{virtualservice}} {{route}}",
            ),
            query(quantile(0.95, DURATION, *IN_OBJECTS, by=ROUTE), "production, {{virtualservice}} {{route}}"),
            size=(12, 8),
        ),
    )


def conservation():
    def totals(name):
        return total(series(name, *LANE), *LANE_LABELS)

    spent = ("mirror_filtered_total", "mirror_not_sampled_total", "mirror_dropped_total", "mirror_sent_total")
    missing = " - ".join(
        [totals("mirror_considered_total")]
        + [f"({totals(name)} or 0 * {totals('mirror_considered_total')})" for name in spent]
        + [totals("mirror_queue_length")]
    )
    without_end = " - ".join(
        totals(name) for name in ("mirror_sent_total", "mirror_requests_total", "mirror_in_flight")
    )
    return row(
        "Where requests went",
        curves(
            "Requests considered",
            "Requests per second that the policies looked at, by where they went. Every one is in exactly one of these.",
            "reqps",
            query(total_rate("mirror_filtered_total", *LANE), "filtered"),
            query(total_rate("mirror_not_sampled_total", *LANE), "not sampled"),
            query(total_rate("mirror_dropped_total", *LANE), "dropped"),
            query(total_rate("mirror_sent_total", *LANE), "sent"),
            stacked=True,
        ),
        curves(
            "Filtered by reason",
            "Requests per second that may not be mirrored.",
            "reqps",
            query(total_rate("mirror_filtered_total", *LANE, by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "Dropped by reason",
            "Sampled requests per second that were not sent.",
            "reqps",
            query(total_rate("mirror_dropped_total", *LANE, by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "Unaccounted for",
            "Considered less filtered, not sampled, dropped, queued and sent; and sent less ended and in flight. Both are 0 at "
            "any moment, unless the agent has a mistake.",
            "none",
            query(missing, f"considered, {LANE_LEGEND}"),
            query(without_end, f"sent, {LANE_LEGEND}"),
            least=None,
        ),
        curves(
            "Sampling",
            "The share of eligible requests that is sent now, after ramp and back-off, beside the share asked for, and what the "
            "counters say was sent.",
            "percentunit",
            query(total(series("mirror_sampling_ratio", *LANE), *LANE_LABELS, operation="avg"), f"in force, {LANE_LEGEND}"),
            query(total(series("mirror_configured_ratio", *LANE), *LANE_LABELS, operation="avg"), f"asked for, {LANE_LEGEND}"),
            query(
                f"{total_rate('mirror_sent_total', *LANE, by=LANE_LABELS)} / "
                f"({total_rate('mirror_considered_total', *LANE, by=LANE_LABELS)} - "
                f"{total_rate('mirror_filtered_total', *LANE, by=LANE_LABELS)} > 0)",
                f"observed, {LANE_LEGEND}",
            ),
            most=1,
        ),
        curves(
            "Size of sampled requests",
            "Mean bytes of content by what became of the request. Where the two differ, the sample is biased by size.",
            "decbytes",
            query(mean("mirror_request_body_size_bytes", *TARGET, by=("fate",)), "{{fate}}"),
        ),
    )


def sending():
    return row(
        "Sending",
        curves(
            "Copies by outcome",
            "Copies per second that have ended: ok with an answer, whatever its status.",
            "reqps",
            query(total_rate("mirror_requests_total", *LANE, by=("outcome",)), "{{outcome}}"),
            stacked=True,
        ),
        curves(
            "Queue",
            "Copies waiting, how many may wait, and copies in flight.",
            "none",
            query(total(series("mirror_queue_length", *LANE), "target"), "waiting, {{target}}"),
            query(total(series("mirror_queue_capacity", *TARGET), "target"), "may wait, {{target}}"),
            query(total(series("mirror_in_flight", *LANE), "target"), "in flight, {{target}}"),
        ),
        curves(
            "Bytes in the queue",
            "Memory that waiting copies take.",
            "bytes",
            query(total(series("mirror_queue_bytes", *TARGET), "target"), "{{target}}"),
        ),
        curves(
            "Wait in the queue",
            "From the moment a copy was to be sent to its sending. It is not part of the latency.",
            "s",
            *(
                query(
                    quantile(part, "mirror_queue_wait_seconds", *TARGET, by=("target",)), f"{{{{target}}}}, p{part * 100:.0f}"
                )
                for part in (0.5, 0.99)
            ),
        ),
        curves(
            "Bytes sent",
            "Bytes of request heads and content per second.",
            "Bps",
            query(total_rate("mirror_sent_bytes_total", *TARGET, by=("target",)), "{{target}}"),
        ),
        curves(
            "Second copies",
            "Copies per second that are sent twice to learn how far a target differs from itself, and those sent again "
            "because the target closed a connection.",
            "reqps",
            query(total_rate("mirror_repeats_total", *LANE, by=("outcome",)), "{{outcome}}"),
            query(total_rate("mirror_sent_again_total", *LANE, by=("target",)), "sent again, {{target}}"),
        ),
    )


def safety():
    evidence = series("mirror_verdict_errors_log_evidence", *LANE)
    # Beyond 709 exp() is infinite.
    mean_evidence = total(f"exp(clamp_max({evidence}, 700))", *LANE_LABELS, *ROUTE, operation="avg")
    return row(
        "Safety",
        curves(
            "Errors by direction",
            "Pairs in which only the target failed, and in which only production did.",
            "none",
            query(total(series("mirror_verdict_errors_worse_pairs", *LANE), *LANE_LABELS), "worse, " + LANE_LEGEND),
            query(total(series("mirror_verdict_errors_better_pairs", *LANE), *LANE_LABELS), "better, " + LANE_LEGEND),
        ),
        curves(
            "Evidence of errors",
            "The logarithm of the evidence that the target fails more often: of agents the mean evidence, of routes the most.",
            "none",
            query(
                total(f"ln({mean_evidence})", *LANE_LABELS, operation="max"),
                LANE_LEGEND,
            ),
            least=None,
        ),
        curves(
            "Verdict of the last hours",
            "Routes by what the answers of the last hours alone say.",
            "none",
            query(total(series("mirror_verdict_recent", *LANE), *LANE_LABELS, "verdict"), "{{verdict}}, " + LANE_LEGEND),
        ),
        curves(
            "Age of the verdict",
            "Time since the pairs of the verdict began.",
            "s",
            query(
                f"time() - {total(series('mirror_verdict_since_timestamp_seconds', *LANE), *LANE_LABELS, operation='min')}",
                LANE_LEGEND,
            ),
        ),
        curves(
            "Paused",
            "Agents on which mirroring is paused, by reason. Metrics go on meanwhile.",
            "none",
            query(total(series("mirror_paused"), "reason"), "{{reason}}"),
        ),
        curves(
            "Breaker",
            "Agents whose circuit breaker for a target is open.",
            "none",
            query(total(series("mirror_breaker_open", *TARGET), "target"), "{{target}}"),
        ),
        curves(
            "Copies and markers at the gateways",
            "Copies per second that arrive at production: a loop, as when staging calls the public address; they are in no "
            "traffic panel. And requests of clients that carry the marker without its code, which are traffic like any other.",
            "reqps",
            query(by_gateway(total_rate("mirror_marked_requests_total", by=("gateway",))), "copies, {{gateway}}"),
            query(by_gateway(total_rate("mirror_unverified_markers_total", by=("gateway",))), "markers without a code, {{gateway}}"),
        ),
        curves(
            "Values taken out",
            "Values per second that were removed from copies, or replaced by a keyed hash, before sending.",
            "ops",
            query(total(rate("mirror_redacted_values_total", *LANE), *LANE_LABELS), LANE_LEGEND),
        ),
        curves(
            "Content sent by fate",
            "Bytes of content per second of sampled requests by what became of them.",
            "Bps",
            query(volume("mirror_request_body_size_bytes", *TARGET, by=("fate",)), "{{fate}}"),
        ),
    )
