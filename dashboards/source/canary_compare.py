# Wingmirror · Apache-2.0
"""A canary's rule beside the stable one's."""

from .grafana import BAD, FAIR, GOOD, column, curves, dashboard, query, row, table, text, tile, variable
from .queries import (
    AN_ERROR,
    DURATION,
    JUDGED,
    REQUESTS,
    ROUTE_HEADINGS,
    error_share,
    failed,
    judged,
    namespace_variable,
    quantile,
    series,
    share,
    target_variables,
    total,
    total_rate,
)

NAME = "canary-compare"
OBJECT = ('virtualservice_namespace="$namespace"', 'virtualservice="$virtualservice"')
CANARY = OBJECT + ('route=~"$canary"',)
STABLE = OBJECT + ('route=~"$stable"',)
BOTH = (("canary", CANARY), ("stable", STABLE))

FEWEST = 100  # requests on each side below which no comparison is made
MARGIN = 0.01  # by how much error shares have to differ to matter; the alert CanaryWorse uses the same


def build():
    return dashboard(
        NAME,
        "Wingmirror / Canary compare",
        "Two rules of one VirtualService side by side, such as a canary chosen by a header and the rule for everybody else.",
        target_variables() + variables(),
        [choice(), verdict(), side_by_side(), weighted()],
    )


def variables():
    routes = series(REQUESTS, *OBJECT)
    return [
        namespace_variable(multi=False),
        variable("virtualservice", "VirtualService", series(REQUESTS, OBJECT[0]), "virtualservice", multi=False),
        variable("canary", "Canary rules", routes, "route", description="One rule, or several that lead to the canary."),
        variable("stable", "Stable rules", routes, "route", description="The rules to compare with."),
    ]


# -- arithmetic ---------------------------------------------------------------------------------------------------


def requests(side):
    """Requests of a side in the time range."""
    return f"({judged(*side, window='$__range')} * $__range_s)"


def smoothed(side):
    """A side's error share with one error in two requests added, after Agresti and Caffo: the interval of a difference of
    such shares holds for few requests and for none that fail."""
    errors = f"({failed(*side, window='$__range')} or vector(0)) * $__range_s"
    return f"(({errors} + 1) / ({requests(side)} + 2))"


def difference():
    return f"({smoothed(CANARY)} - {smoothed(STABLE)})"


def half_width():
    """Half the width of the 95 % interval of the difference."""
    variance = " + ".join(f"{smoothed(side)} * (1 - {smoothed(side)}) / ({requests(side)} + 2)" for _, side in BOTH)
    return f"1.96 * sqrt({variance})"


def enough():
    return f"{requests(CANARY)} >= {FEWEST} and on () {requests(STABLE)} >= {FEWEST}"


# -- rows ---------------------------------------------------------------------------------------------------------


def choice():
    return row(
        "Choice",
        text(
            "Which rules are compared",
            "A canary by header or cookie is a rule of its own, so the rule of a request shows which side it was on. Choose its rules "
            "under *Canary rules* and the rule for everybody else under *Stable rules*; with *All* on both sides the figures "
            "are the same and say nothing. Who sends the header is seldom a random sample: compare what does not depend on "
            "the sort of user.",
            size=(24, 3),
        ),
    )


def verdict():
    worse = f"({difference()} - {half_width()} > bool {MARGIN})"
    better = f"({difference()} + {half_width()} < bool -{MARGIN})"
    return row(
        "Verdict over the time range",
        tile(
            "Errors",
            f"Whether the 95 % interval of the difference of error shares lies wholly beyond {MARGIN:.0%}. Nothing is said "
            f"below {FEWEST} requests on either side. Looking again and again finds a difference sooner or later; the "
            "verdicts of shadow testing allow for that, this one does not.",
            "none",
            f"({worse} - {better}) and on () ({enough()})",
            texts={-1: ("canary better", GOOD), 0: ("no difference shown", "blue"), 1: ("canary worse", BAD)},
            size=(6, 4),
            none="too few requests",
            instant=True,
        ),
        tile(
            "Difference of error shares",
            "The canary's share less the stable one's, with one error in two requests added to each.",
            "percentunit",
            difference(),
            steps=((MARGIN, FAIR), (5 * MARGIN, BAD)),
            decimals=2,
            instant=True,
        ),
        tile("Interval from", "Lower end of its 95 % interval.", "percentunit", f"{difference()} - {half_width()}", decimals=2, instant=True),
        tile("Interval to", "Upper end of its 95 % interval.", "percentunit", f"{difference()} + {half_width()}", decimals=2, instant=True),
        *(
            tile(f"Requests, {name}", "Sample size: requests in the time range.", "short", requests(side), size=(3, 4), instant=True)
            for name, side in BOTH
        ),
    )


def side_by_side():
    p95 = {name: quantile(0.95, DURATION, *side) for name, side in BOTH}
    return row(
        "Side by side",
        curves(
            "Requests",
            "Requests per second of each side.",
            "reqps",
            *(query(total_rate(REQUESTS, *side), name) for name, side in BOTH),
        ),
        curves(
            "Error share",
            f"Share of requests {AN_ERROR}.",
            "percentunit",
            *(query(error_share(*side), name) for name, side in BOTH),
        ),
        curves(
            "Duration, p95",
            "The 95th percentile. Below a few hundred requests it says little.",
            "s",
            *(query(p95[name], name) for name, _ in BOTH),
        ),
        curves(
            "Share of requests at the canary",
            "The canary's part of the requests of both sides.",
            "percentunit",
            query(
                f"{total_rate(REQUESTS, *CANARY)} / ({total_rate(REQUESTS, *CANARY)} + {total_rate(REQUESTS, *STABLE)})",
                "canary",
            ),
            most=1,
        ),
        curves(
            "Difference of error shares",
            "The canary's less the stable one's; above zero the canary is worse.",
            "percentunit",
            query(f"{error_share(*CANARY)} - ({error_share(*STABLE)})", "difference"),
            least=None,
        ),
        curves(
            "Difference of p95",
            "The canary's less the stable one's; above zero the canary is slower.",
            "s",
            query(f"({p95['canary']}) - ({p95['stable']})", "difference"),
            least=None,
        ),
        curves(
            "Statuses, canary",
            "Share of each status among the canary's requests; 0 is no answer. Requests whose answer the capture lost are no part of it.",
            "percentunit",
            query(statuses(CANARY), "{{response_code}}"),
            stacked=True,
            size=(12, 8),
        ),
        curves(
            "Statuses, stable",
            "Share of each status among the stable rule's requests; 0 is no answer. Requests whose answer the capture lost are no part of it.",
            "percentunit",
            query(statuses(STABLE), "{{response_code}}"),
            stacked=True,
            size=(12, 8),
        ),
    )


def statuses(side):
    """The share of each status."""
    each = total_rate(REQUESTS, JUDGED, *side, by=("response_code",))
    return f"{each} / on () group_left () ({judged(*side)} > 0)"


def weighted():
    return row(
        "Weighted rules",
        text(
            "Observed shares are not visible on this leg",
            "With several destinations in one rule the gateway draws one for each request, and nothing on the wire between "
            "client and gateway shows which. The table shows what is *configured*. Whether the gateway keeps to it, and how "
            "each subset answers, shows only on the connections from the gateway to the services, which these metrics do not "
            "cover.",
            size=(12, 7),
        ),
        table(
            "Configured shares",
            "Share of each destination in the rules of the chosen VirtualService.",
            {"route": ROUTE_HEADINGS["route"], "destination_service": "Service", "destination_subset": "Subset"},
            column(
                "Share",
                total(
                    series("route_destination_weight_ratio", *OBJECT),
                    "route",
                    "destination_service",
                    "destination_subset",
                    operation="max",
                ),
                "percentunit",
            ),
            size=(12, 7),
        ),
    )
