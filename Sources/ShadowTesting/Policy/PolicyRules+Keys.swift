// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// The hash of what requests that belong together have in common.
extension PolicyRules {
    /// The hash of the first key of a list that a request has.
    ///
    /// A request with none of them, such as one without the cookie, is told by itself: when it was captured, from where, and
    /// what it asks for. A few clients, or a proxy in front of all of them, would be all in or all out.
    ///
    /// - Parameters:
    ///   - list: the number of the list.
    ///   - request: the head.
    ///   - client: the peer's address.
    ///   - time: when the request was captured, in nanoseconds since the Unix epoch.
    ///   - trace: the one `traceparent` field, if it is known already where that is.
    ///   - empty: the hash of nothing.
    /// - Returns: the hash.
    func keyHash(
        list: Int,
        _ request: borrowing RequestView,
        client: (high: UInt64, low: UInt64),
        time: Int64,
        trace: Range<Int>?,
        hash empty: KeyedHash
    ) -> UInt64 {
        key(list: list, request, client: client, time: time, trace: trace, hash: empty).hash
    }

    /// The hash, and the place in the list of the key it is of; `nil` for the exchange itself, in place of all.
    func key(
        list: Int,
        _ request: borrowing RequestView,
        client: (high: UInt64, low: UInt64),
        time: Int64,
        trace: Range<Int>?,
        hash empty: KeyedHash
    ) -> (place: Int?, hash: UInt64) {
        for number in keyLists[list] {
            var hash = empty
            // Keys of different kinds never meet: each begins with its kind and name.
            hash.combine(keys[number].source.rawValue)
            if combine(keys[number], request, client: client, time: time, trace: trace, into: &hash) {
                return (number - keyLists[list].lowerBound, hash.value)
            }
        }
        var hash = empty
        hash.combine(KeyRule.Source.exchange.rawValue)
        combineExchange(request, client: client, time: time, into: &hash)
        return (nil, hash.value)
    }

    private func combine(
        _ key: KeyRule,
        _ request: borrowing RequestView,
        client: (high: UInt64, low: UInt64),
        time: Int64,
        trace: Range<Int>?,
        into hash: inout KeyedHash
    ) -> Bool {
        switch key.source {
        case .clientAddress:
            if let forwarded = Self.forwardedClient(request) {
                hash.combine(request.octets.extracting(forwarded))
            } else {
                hash.combine(word: client.high)
                hash.combine(word: client.low)
            }
            return true
        case .exchange:
            combineExchange(request, client: client, time: time, into: &hash)
            return true
        case .traceContext:
            guard let context = Self.traceContext(of: request, trace) else { return false }
            hash.combine(word: context.traceHigh)
            hash.combine(word: context.traceLow)
            return true
        case .field:
            guard let value = fieldValue(key.name.range, request) else { return false }
            combine(key.name.range, value, request, into: &hash)
            return true
        case .cookie:
            guard let value = cookieValue(key.name.range, request) else { return false }
            combine(key.name.range, value, request, into: &hash)
            return true
        }
    }

    private func combineExchange(
        _ request: borrowing RequestView,
        client: (high: UInt64, low: UInt64),
        time: Int64,
        into hash: inout KeyedHash
    ) {
        hash.combine(word: client.high)
        hash.combine(word: client.low)
        hash.combine(word: UInt64(bitPattern: time))
        hash.combine(request.octets.extracting(request.target))
    }

    /// The first address that X-Forwarded-For names: the client before all proxies, as they say.
    private static func forwardedClient(_ request: borrowing RequestView) -> Range<Int>? {
        for index in request.fields.indices {
            let line = request.fields[index]
            guard request.octets.matches(line.name, "x-forwarded-for") else { continue }
            let end = request.octets.find(UInt8(ascii: ","), in: line.value)
            let first = request.octets.trimmed(line.value.lowerBound..<end)
            if !first.isEmpty { return first }
        }
        return nil
    }

    /// The context of a request, which is that of its one `traceparent` field if that holds one.
    private static func traceContext(of request: borrowing RequestView, _ traceparent: Range<Int>?) -> TraceContext? {
        if let traceparent, let context = TraceContext(traceparent: request.octets.extracting(traceparent)) {
            return context
        }
        return TraceContext(of: request, allowsB3: true)
    }

    private func combine(
        _ name: Range<Int>,
        _ value: Range<Int>,
        _ request: borrowing RequestView,
        into hash: inout KeyedHash
    ) {
        hash.combine(arena.span.extracting(name))
        hash.combine(0)
        hash.combine(request.octets.extracting(value))
    }

    /// The value of the first line with a name that is not empty.
    private func fieldValue(_ name: Range<Int>, _ request: borrowing RequestView) -> Range<Int>? {
        for index in request.fields.indices {
            let line = request.fields[index]
            guard request.octets.equals(line.name, arena.span, name, ignoringCase: true),
                !line.value.isEmpty
            else { continue }
            return line.value
        }
        return nil
    }

    /// The value of the first cookie with a name that is not empty (RFC 6265 §4.2.1).
    private func cookieValue(_ name: Range<Int>, _ request: borrowing RequestView) -> Range<Int>? {
        let octets = request.octets
        for index in request.fields.indices {
            let line = request.fields[index]
            guard octets.matches(line.name, "cookie") else { continue }
            var rest = line.value
            while !rest.isEmpty {
                let end = octets.find(UInt8(ascii: ";"), in: rest)
                let pair = octets.trimmed(rest.lowerBound..<end)
                let nameEnd = octets.find(UInt8(ascii: "="), in: pair)
                if nameEnd + 1 < pair.upperBound,
                    octets.equals(pair.lowerBound..<nameEnd, arena.span, name, ignoringCase: false)
                {
                    return nameEnd + 1..<pair.upperBound
                }
                rest = min(end + 1, rest.upperBound)..<rest.upperBound
            }
        }
        return nil
    }
}
