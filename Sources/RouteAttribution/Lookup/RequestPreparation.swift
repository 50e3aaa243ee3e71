// Wingmirror · Apache-2.0

internal import TrafficModel

/// A request as the proxy sees it when it looks for a route.
struct PreparedRequest {
    /// Whether the target had to be rewritten and now lies in the scratch buffer.
    var isRewritten = false
    /// The path and the query, without authority and fragment.
    var target: Range<Int>
    /// How much of the target is the path.
    var pathCount: Int
    /// The authority as sent, within the request's octets.
    var authority: Range<Int>
    /// Whether the authority is what all Host lines are together, which `RequestView.joinHosts` writes.
    var isAuthorityJoined = false
    /// What `x-forwarded-proto` is when the proxy is done.
    var forwardedProto: ForwardedProto
    var isTLS: Bool
    /// Whether Connection takes fields out, which ``RequestView/hides(_:)`` tells.
    var hidesFields = false

    /// Whether the scheme that conditions see is https, unless the request names another (HTTP/2).
    var isHTTPS: Bool {
        switch forwardedProto {
        case .http: false
        case .https: true
        case .other, .empty: isTLS
        }
    }
}

/// A value of `x-forwarded-proto`.
enum ForwardedProto {
    case http
    case https
    /// Something else, from a trusted proxy.
    case other
    /// Nothing, from a trusted proxy: no virtual host finds a route, and none redirects
    /// (Envoy config_impl.cc getRouteFromEntries).
    case empty
}

/// What became of a request before routing.
enum Preparation {
    case ready(PreparedRequest)
    /// The proxy answers by itself.
    case rejected(RefusalReason)
    /// A request that no ordinary route takes.
    case unroutable
}

/// Brings requests into the form in which the proxy matches them.
struct RequestPreparation: Sendable {
    let normalizer: PathNormalizer
    let trustedProxies: Int
    let takesHTTP10: Bool
    private let methods = KnownMethods()
    private let forwardedProtoName = Array("x-forwarded-proto".utf8)
    /// How many field lines a request may have, Host among them, and how many octets its head: Envoy's `max_headers_count`
    /// and `max_request_headers_kb`, which Istio does not set.
    private static let fieldLimit = 100
    private static let octetLimit = 60 << 10

    init(normalizer: PathNormalizer, trustedProxies: Int, takesHTTP10: Bool) {
        self.normalizer = normalizer
        self.trustedProxies = trustedProxies
        self.takesHTTP10 = takesHTTP10
    }

    func prepare(_ request: RequestView, isTLS: Bool, scratch: inout RouteScratch) -> Preparation {
        if request.version == .http10, !takesHTTP10 { return .rejected(.http10) }
        if _slowPath(request.traits.contains(.isRefusedForFraming)) {
            return .rejected(request.version == .http2 ? .malformed : .framing)
        }
        var hidesFields = false
        if request.version != .http2 {
            // Where a head is too large, Envoy answers 431. It counts repeated lines of fields that it joins as one, which
            // is not done here: a client would have to send a hundred other fields too.
            guard _fastPath(request.fields.count <= Self.fieldLimit && request.octets.count <= Self.octetLimit) else {
                return .rejected(.headSize)
            }
            if _slowPath(request.traits.contains(.hasConnectionOptions)) {
                switch request.connectionEffect() {
                case .refused: return .rejected(.connection)
                case .hidesFields: hidesFields = true
                case .none: break
                }
            }
        }
        let method = request.octets.extracting(request.method)
        if _slowPath(!KnownMethods.isGetOrPost(method)) {
            if methods.isQuery(method) {
                guard hasContentType(request, hidesFields) else { return .rejected(.contentType) }
            } else if request.version != .http2, !methods.contains(method) {
                return .rejected(.method)
            }
            if methods.isConnect(method), !request.traits.contains(.isExtendedConnect) {
                let isUsable = request.version == .http2 || AbsoluteTarget.isHostAndPort(request.octets, request.target)
                return isUsable ? .unroutable : .rejected(.target)
            }
        }
        guard let place = locate(request, isTLS: isTLS, hidesFields) else {
            guard hasPath(request) else { return .rejected(.target) }
            return .rejected(hidesFields && request.names("host") ? .connection : .noHost)
        }
        guard Self.isAuthority(request.octets, place.authority),
            request.version != .http2 || Self.isAuthorityOfHTTP2(request, place.authority)
        else { return .rejected(place.authority.isEmpty ? .noHost : .host) }
        let isJoined = _slowPath(request.traits.contains(.hasSeveralHosts)) && place.authority == request.authority
        if isJoined, !request.hostsAreAll(where: { Self.isAuthority(request.octets, $0) }) { return .rejected(.host) }
        var prepared = PreparedRequest(
            target: place.rest,
            pathCount: 0,
            authority: place.authority,
            forwardedProto: forwardedProto(request, isTLS: isTLS),
            isTLS: isTLS
        )
        prepared.isAuthorityJoined = isJoined
        prepared.hidesFields = hidesFields
        return prepareTarget(request, &prepared, scratch: &scratch) ? .ready(prepared) : .rejected(.target)
    }

    /// Prepares a request whose target is not known, for conditions on other things; `nil` where the proxy refuses it.
    func prepareWithoutTarget(_ request: RequestView, isTLS: Bool) -> PreparedRequest? {
        guard let authority = request.authority, Self.isAuthority(request.octets, authority) else { return nil }
        return PreparedRequest(
            target: 0..<0,
            pathCount: 0,
            authority: authority,
            forwardedProto: forwardedProto(request, isTLS: isTLS),
            isTLS: isTLS
        )
    }

    // MARK: - Target

    /// Whether the target is a path, so that the host is named elsewhere.
    private func hasPath(_ request: RequestView) -> Bool {
        request.target.first.map { request.octets[$0] == UInt8(ascii: "/") } ?? false
    }

    /// The authority and the rest of the target; `nil` for requests that the proxy refuses.
    private func locate(_ request: RequestView, isTLS: Bool, _ hidesFields: Bool) -> AbsoluteTarget? {
        guard let first = request.target.first else { return nil }
        if _fastPath(request.octets[first] == UInt8(ascii: "/")) {
            if _slowPath(hidesFields), request.names("host") { return nil }
            // One that was not captured is not asked for.
            let unknown = request.traits.contains(.authorityUnknown) ? first..<first : nil
            return (request.authority ?? unknown).map {
                AbsoluteTarget(authority: $0, rest: request.target, isHTTPS: isTLS)
            }
        }
        guard request.version != .http2, let target = AbsoluteTarget(request.octets, request.target) else { return nil }
        // A connection without TLS takes no https URLs.
        return target.isHTTPS && !isTLS ? nil : target
    }

    /// Whether the proxy takes the octets for an authority; it only asks for characters that one may have.
    private static func isAuthority(_ octets: Span<UInt8>, _ authority: Range<Int>) -> Bool {
        if _fastPath(octets.isPlainAuthority(authority)) { return true }
        for index in authority {
            let octet = octets[index]
            let isAllowed = PathNormalizer.isPlain(octet) && octet != UInt8(ascii: "/") || octet == UInt8(ascii: "%")
            guard isAllowed else { return false }
        }
        return true
    }

    /// Whether the proxy takes an authority in HTTP/2, where it must be there and have no user information.
    private static func isAuthorityOfHTTP2(_ request: RequestView, _ authority: Range<Int>) -> Bool {
        if request.traits.contains(.authorityUnknown) { return true }
        return !authority.isEmpty && !authority.contains { request.octets[$0] == UInt8(ascii: "@") }
    }

    /// Finds path and query, and rewrites the path unless it is in normal form already.
    private func prepareTarget(
        _ request: RequestView,
        _ prepared: inout PreparedRequest,
        scratch: inout RouteScratch
    ) -> Bool {
        let octets = request.octets
        if let start = prepared.target.first, octets[start] == UInt8(ascii: "/"),
            let pathEnd = octets.plainPathEnd(of: prepared.target)
        {
            prepared.pathCount = pathEnd - start
            return true
        }
        let allowsOthers = request.version == .http2
        var pathEnd = -1
        var end = -1
        var previous: UInt8 = 0
        var isNormal = !prepared.target.isEmpty && octets[prepared.target.lowerBound] == UInt8(ascii: "/")
        for index in prepared.target {
            let octet = octets[index]
            // White space, controls and octets beyond ASCII are no part of an HTTP/1 request target.
            if octet <= 0x20 || octet == 0x7F || (octet >= 0x80 && !allowsOthers) { return false }
            if end >= 0 { continue }
            if octet == UInt8(ascii: "#") {
                end = index
            } else if pathEnd >= 0 {
                continue
            } else if octet == UInt8(ascii: "?") {
                pathEnd = index
            } else if !PathNormalizer.isPlain(octet) {
                isNormal = false
            } else if previous == UInt8(ascii: "/"),
                octet == UInt8(ascii: ".") || (octet == UInt8(ascii: "/") && normalizer.mergesSlashes)
            {
                isNormal = false
            }
            previous = octet
        }
        if end < 0 { end = prepared.target.upperBound }
        if pathEnd < 0 { pathEnd = end }
        prepared.target = prepared.target.lowerBound..<end
        if isNormal || (normalizer.mode == .none && pathEnd > prepared.target.lowerBound) {
            prepared.pathCount = pathEnd - prepared.target.lowerBound
            return true
        }
        return rewriteTarget(octets, pathEnd: pathEnd, &prepared, scratch: &scratch)
    }

    private func rewriteTarget(
        _ octets: Span<UInt8>,
        pathEnd: Int,
        _ prepared: inout PreparedRequest,
        scratch: inout RouteScratch
    ) -> Bool {
        scratch.target.removeAll(keepingCapacity: true)
        let path = prepared.target.lowerBound..<pathEnd
        if path.isEmpty {
            // An absolute target that ends with the authority means the root.
            scratch.target.append(UInt8(ascii: "/"))
        } else if !normalizer.normalize(octets.extracting(path), into: &scratch.target, buffer: &scratch.joined) {
            return false
        }
        prepared.pathCount = scratch.target.count
        for index in pathEnd..<prepared.target.upperBound { scratch.target.append(octets[index]) }
        prepared.target = 0..<scratch.target.count
        prepared.isRewritten = true
        return true
    }

    // MARK: - Fields

    private func forwardedProto(_ request: RequestView, isTLS: Bool) -> ForwardedProto {
        guard _slowPath(trustedProxies > 0) else { return isTLS ? .https : .http }
        var found: Range<Int>?
        for index in request.fields.indices {
            let line = request.fields[index]
            guard isForwardedProto(request.octets.extracting(line.name)) else { continue }
            // Several lines are joined with commas, which is neither scheme; an empty one adds nothing.
            if let found, !found.isEmpty {
                if !line.value.isEmpty { return .other }
            } else {
                found = line.value
            }
        }
        guard let found else { return isTLS ? .https : .http }
        // Where fields are unknown, there may be another line.
        if found.isEmpty { return request.traits.contains(.fieldsUnknown) ? .other : .empty }
        let value = request.octets.extracting(found)
        guard value.count == 4 || value.count == 5 else { return .other }
        guard value[0] == UInt8(ascii: "h"), value[1] == UInt8(ascii: "t"), value[2] == UInt8(ascii: "t"),
            value[3] == UInt8(ascii: "p")
        else { return .other }
        return value.count == 4 ? .http : value[4] == UInt8(ascii: "s") ? .https : .other
    }

    /// Whether the request says what its content is, as far as is known.
    private func hasContentType(_ request: RequestView, _ hidesFields: Bool) -> Bool {
        if hidesFields, request.names("content-type") { return false }
        for index in request.fields.indices where !request.fields[index].value.isEmpty {
            if request.octets.extracting(request.fields[index].name).isWord("content-type") { return true }
        }
        return request.traits.contains(.fieldsUnknown)
    }

    private func isForwardedProto(_ name: Span<UInt8>) -> Bool {
        guard name.count == forwardedProtoName.count else { return false }
        for index in name.indices where OctetHash.folded(name[index]) != forwardedProtoName[index] {
            return false
        }
        return true
    }
}

/// The methods that Envoy's HTTP/1 parser knows; it refuses all others.
struct KnownMethods: Sendable {
    /// Each method as one number, the commonest first.
    private let words: [UInt128]
    private let connect: UInt128
    private let query: UInt128

    init() {
        let names = [
            "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "ACL", "BIND", "CHECKOUT",
            "COPY", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "NOTIFY",
            "PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "UNBIND", "UNLINK",
            "UNLOCK", "UNSUBSCRIBE",
        ]
        words = names.map { Self.word(Array($0.utf8).span) }
        connect = Self.word(Array("CONNECT".utf8).span)
        query = Self.word(Array("QUERY".utf8).span)
    }

    /// Whether it is one of the two that most requests have.
    @inline(__always)
    static func isGetOrPost(_ method: Span<UInt8>) -> Bool {
        switch method.count {
        case 3: method[0] == 0x47 && method[1] == 0x45 && method[2] == 0x54
        case 4: method[0] == 0x50 && method[1] == 0x4F && method[2] == 0x53 && method[3] == 0x54
        default: false
        }
    }

    func contains(_ method: Span<UInt8>) -> Bool {
        let word = Self.word(method)
        return word != 0 && words.contains(word)
    }

    func isConnect(_ method: Span<UInt8>) -> Bool { Self.word(method) == connect }

    /// Whether it is the method that the proxy takes only with a content type.
    func isQuery(_ method: Span<UInt8>) -> Bool { Self.word(method) == query }

    /// The octets of a method in one number; 0 for one that is too long.
    private static func word(_ octets: Span<UInt8>) -> UInt128 {
        guard octets.count <= 15 else { return 0 }
        var word: UInt128 = 0
        for index in octets.indices { word = word << 8 | UInt128(octets[index]) }
        return word
    }
}
