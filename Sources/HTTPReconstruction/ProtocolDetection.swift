// Wingmirror · Apache-2.0
// First octets: RFC 9112 §2.1, RFC 9113 §3.4, RFC 8446 §5.1.

internal import HTTPMessages
internal import PacketDecoding
internal import TCPReassembly

/// What the first octets of a direction look like.
enum FirstOctets {
    case request
    case response
    case tls
    case http2
    case other

    /// Looks at the octets; where they are too few to tell, they are what is expected of that side.
    init(_ octets: Span<UInt8>, expecting kind: MessageKind) {
        var start = 0
        while start < octets.count, octets[start] == 0x0D || octets[start] == 0x0A { start += 1 }
        let rest = octets.extracting(start...)
        if rest.isTLSRecord {
            self = .tls
        } else if rest.beginsHTTP2Preface {
            self = .http2
        } else if HeadParser.mayBeStartLine(rest, as: kind) {
            self = kind == .request ? .request : .response
        } else if HeadParser.mayBeStartLine(rest, as: kind == .request ? .response : .request) {
            self = kind == .request ? .response : .request
        } else {
            self = .other
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets, and those of the same stream that are held already, begin the connection preface of HTTP/2.
    ///
    /// Twelve octets tell: nothing of HTTP/1.x has a version with a 2 (RFC 9113 §3.4).
    fileprivate func continuesHTTP2Preface(after held: Span<UInt8>) -> Bool {
        held.agreesWithHTTP2Preface(from: 0) && agreesWithHTTP2Preface(from: held.count) && held.count + count >= 12
    }

    private func agreesWithHTTP2Preface(from start: Int) -> Bool {
        let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        let compared = Swift.min(count, preface.utf8CodeUnitCount - start)
        guard compared > 0 else { return false }
        for index in 0..<compared where self[index] != preface.octet(at: start + index) { return false }
        return true
    }

    /// Whether the octets begin the connection preface of HTTP/2, and are enough of it to tell.
    fileprivate var beginsHTTP2Preface: Bool {
        count >= 12 && agreesWithHTTP2Preface(from: 0)
    }

    /// Whether the octets begin a TLS record: content type 20…23 and a version 3.x.
    fileprivate var isTLSRecord: Bool {
        guard count > 0, self[0] &- 20 < 4 else { return false }
        return count == 1 || self[1] == 3 && (count == 2 || self[2] < 5)
    }
}

extension HTTPConnection {
    /// Looks at octets of a connection of which nothing is known, and answers whether they are to be read as HTTP/1.x.
    mutating func determine<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Bool {
        isJoinedMidstream
            ? determineMidstream(octets, at: position, &shared, &sink)
            : determineFromStart(octets, at: position, &sink)
    }

    /// The handshake was seen, so the originator is the client and the first octets are the first.
    private mutating func determineFromStart<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ sink: inout Sink
    ) -> Bool {
        let isClient = position.direction == clientDirection
        let stream = isClient ? requests : responses
        // The rest of a first head, or whatever follows a hole, is for the stream to judge.
        if stream.holdsPartialHead {
            guard isClient, octets.continuesHTTP2Preface(after: requests.buffer.octets.span) else { return true }
            undeterminedOctets += requests.buffer.octets.count
            becomeOpaque(.http2, &sink)
            sink.opaqueOctetsArrived(octets.count, .http2, on: identity)
            return false
        }
        if stream.state == .lost {
            undeterminedOctets += octets.count
            return true
        }
        switch FirstOctets(octets, expecting: isClient ? .request : .response) {
        case .request where isClient, .response where !isClient:
            return true
        case .tls:
            becomeOpaque(.tls, &sink)
        case .http2 where isClient:
            becomeOpaque(.http2, &sink)
        case .request, .response, .http2, .other:
            if isClient {
                // A server may still answer with 400 to what is no request.
                requests.lose()
                undeterminedOctets += octets.count
                repair = repair ?? PairingRepair()
                repair?.failedRequest = .malformed
                return false
            }
            becomeOpaque(.unknown, &sink)
        }
        if case .opaque(let reason) = phase { sink.opaqueOctetsArrived(octets.count, reason, on: identity) }
        return false
    }

    /// Nothing is known but the octets: a whole head at the start of a segment tells who is who.
    private mutating func determineMidstream<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Bool {
        let stream = position.direction == clientDirection ? requests : responses
        if stream.state == .candidate { return true }
        if position.startsSegment {
            switch FirstOctets(octets, expecting: .response) {
            case .tls where undeterminedOctets == 0:
                becomeOpaque(.tls, &sink)
                sink.opaqueOctetsArrived(octets.count, .tls, on: identity)
                return false
            case .request:
                if octets.findHead(
                    .request,
                    from: 0,
                    startsSegment: true,
                    startsStream: position.offset == 0,
                    parser: &shared.parser
                )?.index == 0 {
                    assumeClient(position.direction, &shared)
                    return true
                }
            case .response:
                if octets.findHead(.response, from: 0, startsSegment: true, parser: &shared.parser)?.index == 0 {
                    assumeClient(position.direction.reversed, &shared)
                    return true
                }
            case .tls, .http2, .other: break
            }
        }
        undeterminedOctets += octets.count
        return undeterminedOctets <= shared.limits.midstreamSearchOctets
    }

    private mutating func assumeClient(_ direction: StreamDirection, _ shared: inout SharedReconstruction) {
        shared.statistics.guessedRoles += 1
        clientDirection = direction
    }

    /// A whole head was read, so the connection is HTTP/1.x.
    mutating func confirmHTTP<Sink: ExchangeSink & ~Copyable>(_ sink: inout Sink) {
        guard phase == .undetermined else { return }
        phase = .http1
        undeterminedOctets = 0
        sink.protocolRecognized(.http1, on: identity)
    }
}
