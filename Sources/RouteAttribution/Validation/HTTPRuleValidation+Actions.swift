// Wingmirror · Apache-2.0

extension HTTPRuleValidation {
    mutating func check(_ redirect: HTTPRedirect, matches: [HTTPMatch]) {
        let place = path.member("redirect")
        if !redirect.prefixRewrite.isEmpty {
            problems.require(redirect.uri.isEmpty, place.member("uri"), "must be absent beside prefixRewrite")
            for match in matches {
                if case .prefix = match.uri { continue }
                problems.add(place.member("prefixRewrite"), "needs a prefix in every match entry")
                break
            }
        }
        if redirect.uri.isEmpty, redirect.prefixRewrite.isEmpty, redirect.authority.isEmpty, redirect.scheme.isEmpty,
            redirect.port == nil, redirect.derivePort == nil
        {
            problems.add(place, "must change something")
        }
        if let code = redirect.redirectCode {
            problems.require((300...399).contains(code), place.member("redirectCode"), "must lie in 300...399")
        }
        if !redirect.scheme.isEmpty, redirect.scheme != "http", redirect.scheme != "https" {
            problems.add(place.member("scheme"), "must be http or https")
        }
        problems.require(
            redirect.port == nil || redirect.derivePort == nil,
            place.member("derivePort"),
            "must be absent beside port"
        )
        if let derived = redirect.derivePort, !["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"].contains(derived) {
            problems.add(
                place.member("derivePort"),
                "must be FROM_PROTOCOL_DEFAULT or FROM_REQUEST_PORT, not \(derived)"
            )
        }
        // A port of 0 is as good as none, and still something that the redirect changes.
        if let port = redirect.port, port != 0 { SharedChecks.port(port, at: place.member("port"), &problems) }
    }

    mutating func check(_ response: HTTPDirectResponse) {
        let place = path.member("directResponse")
        problems.require((200...600).contains(response.status), place.member("status"), "must lie in 200...600")
        problems.require((response.bodyCount ?? 0) <= 1 << 20, place.member("body"), "must not exceed 1 MiB")
    }

    mutating func check(_ rewrite: HTTPRewrite) {
        let place = path.member("rewrite")
        guard rewrite.hasURIRegexRewrite else {
            problems.require(!rewrite.uri.isEmpty || !rewrite.authority.isEmpty, place, "must change something")
            return
        }
        problems.require(rewrite.uri.isEmpty, place.member("uri"), "must be absent beside uriRegexRewrite")
        let regex = place.member("uriRegexRewrite")
        problems.require(!(rewrite.uriRegexRewrite ?? "").isEmpty, regex.member("rewrite"), "is missing")
        if let reason = patterns.reason(rewrite.uriRegexMatch ?? "") { problems.add(regex.member("match"), reason) }
    }

    mutating func check(_ retries: HTTPRetry) {
        let place = path.member("retries")
        problems.require(retries.attempts >= 0, place.member("attempts"), "must not be negative")
        if retries.attempts == 0 {
            problems.require(!retries.hasOtherSettings, place, "must have no other settings when attempts is 0")
        }
        SharedChecks.duration(retries.perTryTimeout, at: place.member("perTryTimeout"), &problems)
        SharedChecks.duration(retries.backoff, at: place.member("backoff"), &problems)
        guard !retries.retryOn.isEmpty else { return }
        for policy in retries.retryOn.split(separator: ",", omittingEmptySubsequences: false) {
            let isKnown = Self.retryPolicies.contains(String(policy)) || Int(policy).map(Self.isStatus) == true
            problems.require(isKnown, place.member("retryOn"), "holds the unknown policy \(policy)")
        }
    }

    private static let retryPolicies: Set<String> = [
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream",
        "retriable-status-codes", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure", "cancelled",
        "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    ]

    /// Whether a status code has a name in Go's `net/http`, which is what Istio asks.
    private static func isStatus(_ code: Int) -> Bool {
        switch code {
        case 100...103, 200...208, 226, 300...305, 307, 308, 400...418, 421...426, 428, 429, 431, 451, 500...508, 510,
            511:
            true
        default: false
        }
    }

    mutating func check(_ fault: HTTPFault) {
        let place = path.member("fault")
        if fault.abort == nil, fault.delay == nil { problems.add(place, "must have abort or delay") }
        if let abort = fault.abort {
            let abortPath = place.member("abort")
            checkPercentage(abort.percentage, at: abortPath.member("percentage"))
            if let status = abort.httpStatus {
                problems.require((200...600).contains(status), abortPath.member("httpStatus"), "must lie in 200...600")
            }
            if let status = abort.grpcStatus {
                problems.require(
                    Self.grpcStatuses.contains(status),
                    abortPath.member("grpcStatus"),
                    "must name a gRPC status"
                )
            }
            problems.require(
                abort.httpStatus == nil || abort.grpcStatus == nil,
                abortPath.member("grpcStatus"),
                "must be absent beside httpStatus"
            )
            problems.require(abort.http2Error == nil, abortPath.member("http2Error"), "is not supported by Istio")
        }
        if let delay = fault.delay {
            let delayPath = place.member("delay")
            checkPercentage(delay.percentage, at: delayPath.member("percentage"))
            SharedChecks.duration(delay.fixedDelay, at: delayPath.member("fixedDelay"), &problems)
            problems.require(
                delay.exponentialDelay == nil,
                delayPath.member("exponentialDelay"),
                "is not supported by Istio"
            )
        }
    }

    /// A percentage of faults, of which Istio takes none between 0 and a millionth.
    private mutating func checkPercentage(_ value: Double?, at place: FieldPath) {
        SharedChecks.percentage(value, at: place, &problems)
        if let value, value > 0, value < 0.0001 { problems.add(place, "must be 0 or at least 0.0001, not \(value)") }
    }

    private static let grpcStatuses: Set<String> = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]

    mutating func check(_ cors: CORSPolicy) {
        let place = path.member("corsPolicy")
        for (index, origin) in cors.allowOrigins.enumerated() {
            let entry = place.member("allowOrigins").element(index)
            if case .regex(let text) = origin {
                if let reason = patterns.reason(text) { problems.add(entry.member("regex"), reason) }
            } else if (origin.text ?? "").isEmpty {
                problems.add(entry, "must not be empty")
            }
        }
        let methods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "CONNECT", "TRACE", "*"]
        for (index, method) in cors.allowMethods.enumerated() {
            let entry = place.member("allowMethods").element(index)
            problems.require(methods.contains(method), entry, "must be a known method, not \(method)")
        }
        for (key, names) in [("allowHeaders", cors.allowHeaders), ("exposeHeaders", cors.exposeHeaders)] {
            for (index, name) in names.enumerated() {
                let entry = place.member(key).element(index)
                problems.require(name == "*" || NameChecks.isToken(name), entry, "must be a field name, not \(name)")
            }
        }
        if let maxAge = cors.maxAge {
            let nanoseconds = GoDuration.nanoseconds(maxAge)
            problems.require(nanoseconds != nil, place.member("maxAge"), "must be a duration")
            if let nanoseconds, nanoseconds < 1_000_000_000 || nanoseconds % 1_000_000_000 != 0 {
                problems.add(place.member("maxAge"), "must be a second or more, in whole seconds")
            }
        }
        if let setting = cors.unmatchedPreflights, !["UNSPECIFIED", "FORWARD", "IGNORE"].contains(setting) {
            problems.add(place.member("unmatchedPreflights"), "must be FORWARD or IGNORE")
        }
    }
}
