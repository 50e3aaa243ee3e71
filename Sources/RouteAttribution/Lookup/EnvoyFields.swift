// Wingmirror · Apache-2.0
// What Envoy does to request fields before routing: conn_manager_utility.cc, header_map_impl.cc.

/// The request fields that the proxy changes before conditions look at them.
enum EnvoyFields {
    /// What a condition on that field, named in lower case, really looks at.
    static func subject(of name: String) -> ConditionSubject {
        switch name {
        case ":method": .method
        case ":scheme": .scheme
        case ":authority", "host": .authority
        case ":path": .target
        case "x-forwarded-proto": .forwardedProto
        case "connection", "upgrade": .upgradeField
        case "te": .transferCodings
        case "referer": .referer
        case _ where removed.contains(name): .removedField
        case _ where unseen.contains(name): .unseenField
        case _ where joined.contains(name): .joinedField
        default: .field
        }
    }

    /// Fields whose repeated lines Envoy joins on arrival, so that every version sees one value; `te` and `referer` are others.
    ///
    /// Which they are depends on what Envoy was built with: `pragma` and the conditions are among them where the filter
    /// `envoy.filters.http.cache` is, as in Istio's build (istio/proxy, extensions_build_config.bzl).
    private static let joined: Set<String> = [
        "accept", "accept-encoding", "access-control-request-headers", "access-control-request-method",
        "access-control-request-private-network", "authorization", "cache-control", "content-encoding", "content-type",
        "expect", "grpc-accept-encoding", "grpc-timeout", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "origin", "pragma", "proxy-status", "user-agent", "via", "x-client-trace-id",
        "x-envoy-attempt-count", "x-envoy-is-timeout-retry", "x-forwarded-host", "x-forwarded-port",
    ]

    /// Fields that the proxy takes out of requests from clients.
    private static let removed: Set<String> = [
        "keep-alive", "proxy-connection", "transfer-encoding", "x-envoy-decorator-operation",
        "x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node", "x-envoy-expected-rq-timeout-ms",
        "x-envoy-force-trace", "x-envoy-hedge-on-per-try-timeout", "x-envoy-internal", "x-envoy-ip-tags",
        "x-envoy-max-retries", "x-envoy-original-host", "x-envoy-original-path", "x-envoy-original-url",
        "x-envoy-retriable-header-names", "x-envoy-retriable-status-codes", "x-envoy-retry-grpc-on", "x-envoy-retry-on",
        "x-envoy-upstream-alt-stat-name", "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-upstream-rq-timeout-alt-response", "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-stream-duration-ms", "x-forwarded-client-cert",
    ]

    /// Fields that the proxy sets itself, to values that the request does not show.
    private static let unseen: Set<String> = ["x-envoy-external-address", "x-forwarded-for", "x-request-id"]
}
