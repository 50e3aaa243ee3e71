// Wingmirror · Apache-2.0
// Fields of responses: RFC 9110.

import OctetText

/// What is known of response fields, whatever the route.
enum FieldRules {
    /// Fields of the connection and of how content is carried, which say nothing of the answer.
    private static let representation: Set<String> = [
        "connection", "content-encoding", "content-length", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// Fields that proxies and servers add on the way, or that name the software of a server.
    private static let infrastructure: Set<String> = [
        "age", "alt-svc", "cf-cache-status", "cf-ray", "date", "nel", "report-to", "server", "server-timing", "via",
        "x-aspnet-version", "x-aspnetmvc-version", "x-cache", "x-cache-hits", "x-powered-by", "x-response-time",
        "x-runtime", "x-served-by", "x-timer",
    ]
    private static let infrastructurePrefixes = ["x-amz-cf-", "x-envoy-", "x-kong-", "x-upstream-"]

    /// Fields whose values are new each time.
    private static let volatile: Set<String> = [
        "b3", "expires", "ratelimit", "request-id", "retry-after", "set-cookie", "traceparent", "traceresponse",
        "tracestate",
        "x-amz-request-id", "x-amzn-requestid", "x-amzn-trace-id", "x-cloud-trace-context", "x-correlation-id",
        "x-csrf-token", "x-request-id", "x-trace-id",
    ]
    private static let volatilePrefixes = ["ratelimit-", "x-b3-", "x-rate-limit-", "x-ratelimit-"]

    /// Fields whose values are never shown.
    static let secret: Set<String> = [
        "authentication-info", "authorization", "cookie", "proxy-authenticate", "proxy-authorization", "set-cookie",
        "www-authenticate", "x-api-key", "x-auth-token", "x-csrf-token",
    ]

    /// Fields by which an answer is known again (RFC 9110 §8.8).
    static let validators: Set<String> = ["etag", "last-modified"]

    /// Whether the values of a field say where an answer was made, or how many requests a place takes, so that two places need not
    /// agree.
    static func isOfEnvironment(_ name: String) -> Bool {
        validators.contains(name) || ["ratelimit", "retry-after"].contains(name) || limitPrefix(of: name) != nil
    }

    /// Whether a field says how many requests are allowed, which stays the same, and not how many are left.
    private static func isAllowance(_ name: String) -> Bool {
        limitPrefix(of: name).map { name.dropFirst($0.count).hasPrefix("limit") } ?? false
    }

    /// How the name of a field that tells of a limit of requests begins; `nil` for others.
    private static func limitPrefix(of name: String) -> String? {
        volatilePrefixes.first { $0.contains("limit") && name.hasPrefix($0) }
    }

    /// Fields whose values are links.
    static let links: Set<String> = ["content-location", "link", "location", "refresh"]

    /// Fields that list words whose order says nothing, whatever their case.
    private static let words: Set<String> = [
        "accept-ranges", "access-control-allow-headers", "access-control-expose-headers", "cache-control", "pragma",
    ]

    /// Fields that list methods, whose case counts (RFC 9110 §9.1).
    private static let methods: Set<String> = ["access-control-allow-methods", "allow"]

    /// Fields of directives between semicolons, whatever their order and case (RFC 6797 §6.1).
    private static let directives: Set<String> = ["strict-transport-security"]

    /// Whether a field is compared at all.
    static func isCompared(_ name: String) -> Bool { !representation.contains(name) }

    /// What is known of the values of a field; `value` is one of them.
    static func expectation(_ name: String, value: [UInt8]) -> AnswerDifference.Expectation {
        if infrastructure.contains(name) || infrastructurePrefixes.contains(where: name.hasPrefix) {
            return .infrastructure
        }
        if isAllowance(name) { return .stable }
        if volatile.contains(name) || volatilePrefixes.contains(where: name.hasPrefix) { return .volatile }
        return FormatClass(value).isTransient ? .presumedVolatile : .stable
    }

    /// A value without what makes no difference to its meaning.
    static func normalised(_ name: String, _ value: [UInt8], hosts: LinkHosts) -> [UInt8] {
        switch name {
        case _ where links.contains(name): hosts.relative(value)
        case "content-type": value.filter { $0 != 0x20 && $0 != 0x09 && $0 != UInt8(ascii: "\"") }.map(ASCII.lowered)
        case _ where words.contains(name): sorted(value.map(ASCII.lowered), by: UInt8(ascii: ","))
        case _ where methods.contains(name): sorted(value, by: UInt8(ascii: ","))
        case _ where directives.contains(name): sorted(value.map(ASCII.lowered), by: UInt8(ascii: ";"))
        case "etag": value.starts(with: "W/".utf8) ? Array(value.dropFirst(2)) : value
        case "vary": vary(value)
        default: value
        }
    }

    /// What stands between separators, in order, without the spaces around it (RFC 9110 §5.6.1).
    private static func sorted(_ value: [UInt8], by separator: UInt8) -> [UInt8] {
        let isSpace = { (octet: UInt8) in octet == 0x20 || octet == 0x09 }
        let parts = value.split(separator: separator).map { part in
            Array(part.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
        }
        let inOrder = parts.filter { !$0.isEmpty }.sorted { $0.lexicographicallyPrecedes($1) }
        return Array(inOrder.joined(separator: [separator]))
    }

    /// The names in Vary in order, without the one that content coding brings along.
    private static func vary(_ value: [UInt8]) -> [UInt8] {
        let names = value.map(ASCII.lowered).split(separator: UInt8(ascii: ","))
            .map { String(decoding: $0.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self) }
            .filter { $0 != "accept-encoding" }
        return Array(names.sorted().joined(separator: ",").utf8)
    }
}
