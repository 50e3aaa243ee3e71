# Wingmirror · Apache-2.0
"""Parts of PromQL expressions that several dashboards use.

Every selector has the matchers of `job` and `instance`. Rates are taken over `$__rate_interval`, so that the range always
holds several scrapes however far one zooms in.
"""

from .grafana import data_source, uid, variable

PREFIX = "wingmirror_"

REQUESTS = "http_requests_total"
UNMATCHED = "http_requests_unmatched_total"
DURATION = "http_request_duration_seconds"
SERVER_WAIT = "http_server_wait_seconds"

TARGETS = ('job=~"$job"', 'instance=~"$instance"')

# A route by name. Where a request went is left out: with several destinations the wire does not tell.
ROUTE = ("virtualservice_namespace", "virtualservice", "route")
ROUTE_HEADINGS = {"virtualservice_namespace": "Namespace", "virtualservice": "VirtualService", "route": "Route"}

# What the variables of the dashboards narrow traffic to.
IN_OBJECTS = (
    'gateway=~"$gateway"',
    'virtualservice_namespace=~"$namespace"',
    'virtualservice=~"$virtualservice"',
    'destination_service=~"$service"',
)

# Requests that count as errors: answered with 5xx or a gRPC status of metrics.grpcErrorStatuses, never answered, or not to the
# end, and not because of the client. The one
# matcher for them, in every panel and rule.
FAILED = 'error_type=~"5xx.*|grpc_error|no_response|incomplete_response"'
# The same in the captions of shares.
AN_ERROR = "answered with 5xx or a gRPC status that counts as an error, or not answered whole because of the server"
# Requests whose answer, or its absence, was seen: what errors are a share of. What our own capture lost, cut or could not
# read is no error, and where it took the answer's status the code is `unknown`.
JUDGED = 'response_code!="unknown"'
# Requests that the client gave up before the answer was whole.
LEFT = 'error_type="client_closed"'

# Reasons of unmatched requests that are no problem of the route table: a redirect that a Gateway asks for, and traffic to a port
# on which no Gateway listens, which does not arrive at the gateway either: what it sends on, and what passes by.
UNMATCHED_BY_MISTAKE = 'reason!~"https_redirect|no_listener"'
ARRIVING = 'reason!="no_listener"'


# -- selectors ----------------------------------------------------------------------------------------------------


def series(name, *matchers):
    """The series of a family within the chosen jobs and instances."""
    full = name if name.startswith("process_") else PREFIX + name
    return full + "{" + ", ".join(TARGETS + matchers) + "}"


def rate(name, *matchers, window="$__rate_interval"):
    """The rate of a counter, series by series."""
    return f"rate({series(name, *matchers)}[{window}])"


def total(expression, *labels, operation="sum"):
    """An aggregate over everything but `labels`."""
    return f"{operation} by ({', '.join(labels)}) ({expression})" if labels else f"{operation}({expression})"


def total_rate(name, *matchers, by=()):
    """The summed rate of a counter."""
    return total(rate(name, *matchers), *by)


# -- expressions --------------------------------------------------------------------------------------------------


def failed(*matchers, by=(), window="$__rate_interval"):
    """The rate of requests that count as errors."""
    return total(rate(REQUESTS, FAILED, *matchers, window=window), *by)


def judged(*matchers, by=(), window="$__rate_interval"):
    """The rate of requests whose answer, or its absence, was seen."""
    return total(rate(REQUESTS, JUDGED, *matchers, window=window), *by)


def share(part, whole):
    """`part` of `whole`, 0 where there is no part."""
    return f"({part} or 0 * {whole}) / ({whole} > 0)"


def error_share(*matchers, by=()):
    """The share of requests that count as errors."""
    return share(failed(*matchers, by=by), judged(*matchers, by=by))


def unmatched_share(*matchers):
    """The share of the requests at gateways that no route accounts for, also where there is no route at all."""
    unmatched = total_rate(UNMATCHED, UNMATCHED_BY_MISTAKE, *matchers)
    return share(unmatched, f"({unmatched} + ({total_rate(REQUESTS, *matchers)} or 0 * {unmatched}))")


def quantile(part, name, *matchers, by=()):
    """A quantile of a histogram, from native buckets where there are some, else from classic ones."""
    native = f"histogram_quantile({part}, {total(rate(name, *matchers), *by)})"
    classic = f"histogram_quantile({part}, {total(rate(name + '_bucket', *matchers), *by, 'le')})"
    return f"{native} or {classic}"


def mean(name, *matchers, by=()):
    """The mean of a histogram's observations."""
    native = total(rate(name, *matchers), *by)
    sums, counts = (total(rate(name + suffix, *matchers), *by) for suffix in ("_sum", "_count"))
    return f"histogram_sum({native}) / histogram_count({native}) or {sums} / {counts}"


def volume(name, *matchers, by=()):
    """The rate at which a histogram's sum grows."""
    native = f"histogram_sum({total(rate(name, *matchers), *by)})"
    return f"{native} or {total(rate(name + '_sum', *matchers), *by)}"


def largest(count, expression, ranking, labels):
    """`expression` for those `count` sets of labels whose `ranking`, taken at the end of the time range, is largest."""
    return f"{expression} and on ({', '.join(labels)}) topk({count}, {ranking})"


def by_gateway(expression):
    """`expression`, whose empty gateway has a name in legends."""
    return f'label_replace({expression}, "gateway", "no Gateway", "gateway", "")'


def yesterday(expression):
    """`expression` as it was a day before."""
    return expression.replace("$__rate_interval]", "$__rate_interval] offset 1d")


# -- variables ----------------------------------------------------------------------------------------------------


def target_variables():
    """The variables that every dashboard begins with."""
    return [
        data_source(),
        variable("job", "Job", PREFIX + "build_info", "job", every=".+"),
        variable("instance", "Instance", PREFIX + 'build_info{job=~"$job"}', "instance", every=".+"),
    ]


def object_variables():
    """The variables that narrow traffic to gateways and VirtualServices."""
    return [
        variable("gateway", "Gateway", series(REQUESTS), "gateway"),
        namespace_variable(multi=True),
        variable(
            "virtualservice",
            "VirtualService",
            series(REQUESTS, 'virtualservice_namespace=~"$namespace"'),
            "virtualservice",
        ),
        variable(
            "service",
            "Service",
            series(REQUESTS, 'virtualservice_namespace=~"$namespace"', 'virtualservice=~"$virtualservice"'),
            "destination_service",
            description="Where routes with one destination lead; of several the wire does not tell which it was.",
        ),
    ]


def namespace_variable(*, multi):
    """The variable for the namespace of VirtualServices."""
    return variable("namespace", "Namespace", series(REQUESTS), "virtualservice_namespace", multi=multi)


def to_route():
    """What makes the route of a table's line lead to its detail, with the same targets and times."""
    parts = ["${datasource:queryparam}", "${job:queryparam}", "${instance:queryparam}", "${__url_time_range}"]
    for name, label in (("namespace", ROUTE[0]), ("virtualservice", ROUTE[1]), ("route", ROUTE[2])):
        parts.append(f"var-{name}=${{__data.fields.{ROUTE_HEADINGS[label]}:percentencode}}")
    return "Route detail", f"/d/{uid('route-detail')}?" + "&".join(parts)
