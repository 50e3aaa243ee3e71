// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

/// What octets of a connection of which nothing is certain are to be read as.
enum ProbedReading {
    /// HTTP/1.x, tentatively: the reader confirms it with the first whole head.
    case http1
    /// HTTP/2; `isWhole` says whether from its first octets.
    case http2(isWhole: Bool)
    /// Something that nobody reads.
    case opaque(OpaqueReason)
    /// The octets say nothing; they are counted as undetermined.
    case notYet
}

extension HTTPReconstructor where Sink: ~Copyable {
    /// Looks at octets of a connection of which nothing is certain.
    mutating func determine(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) -> ProbedReading {
        shared.connections[slot].isJoinedMidstream
            ? determineMidstream(octets, at: position, slot)
            : determineFromStart(octets, at: position, slot)
    }

    /// The handshake was seen, so the originator is the client and the first octets are the first.
    private mutating func determineFromStart(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ slot: Int
    ) -> ProbedReading {
        let kind = MessageKind(position.direction, client: shared.connections[slot].clientDirection)
        let reader = existingReader(of: slot)
        if reader >= 0 {
            let (holdsPartialHead, isLost) = http1[reader].progress(kind)
            // The rest of a first head, or whatever follows a hole, is for the stream to judge.
            if holdsPartialHead {
                let continuesPreface =
                    kind == .request && octets.continuesHTTP2Preface(after: http1[reader].requests.buffer.octets.span)
                return continuesPreface ? .http2(isWhole: true) : .http1
            }
            if isLost {
                let limit = shared.limits.headOctets
                if position.startsSegment, HTTP2Join.message(in: octets, limit: limit, &shared.http2) != nil {
                    return .http2(isWhole: true)
                }
                shared.connections[slot].undeterminedOctets += octets.count
                return .http1
            }
        }
        switch ProtocolProbe(octets, expecting: kind).finding {
        case .request where kind == .request, .response where kind == .response: return .http1
        case .tls: return .opaque(.tls)
        case .http2 where kind == .request: return .http2(isWhole: true)
        case .request, .response, .http2, .other:
            // A server may send its SETTINGS before it has seen a preface.
            guard kind == .request else {
                return octets.beginsWithSettings ? .http2(isWhole: true) : .opaque(.unknown)
            }
            http1[tentativeReader(of: slot)].beganUnreadable()
            shared.connections[slot].undeterminedOctets += octets.count
            return .notYet
        }
    }

    /// Nothing is known but the octets: a whole head at the start of a segment tells who is who.
    private mutating func determineMidstream(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ slot: Int
    ) -> ProbedReading {
        let reader = existingReader(of: slot)
        if reader >= 0 {
            let kind = MessageKind(position.direction, client: shared.connections[slot].clientDirection)
            if http1[reader].holdsCandidate(kind) { return .http1 }
        }
        if position.startsSegment {
            switch ProtocolProbe(octets, expecting: .response).finding {
            case .tls where shared.connections[slot].undeterminedOctets == 0:
                return .opaque(.tls)
            case .request:
                if octets.findHead(
                    .request,
                    from: 0,
                    startsSegment: true,
                    startsStream: position.offset == 0,
                    parser: &shared.parser
                )?.index == 0 {
                    assumeClient(position.direction, slot)
                    return .http1
                }
            case .response:
                if octets.findHead(.response, from: 0, startsSegment: true, parser: &shared.parser)?.index == 0 {
                    assumeClient(position.direction.reversed, slot)
                    return .http1
                }
            case .http2 where shared.connections[slot].undeterminedOctets == 0:
                assumeClient(position.direction, slot)
                return .http2(isWhole: true)
            case .other:
                let limit = shared.limits.headOctets
                if let message = HTTP2Join.message(in: octets, limit: limit, &shared.http2) {
                    assumeClient(message == .request ? position.direction : position.direction.reversed, slot)
                    return .http2(isWhole: false)
                }
            case .tls, .http2: break
            }
        }
        shared.connections[slot].undeterminedOctets += octets.count
        let octetsSoFar = shared.connections[slot].undeterminedOctets
        return octetsSoFar <= shared.limits.midstreamSearchOctets ? .http1 : .notYet
    }

    private mutating func assumeClient(_ direction: StreamDirection, _ slot: Int) {
        let tracked = shared.connections[slot]
        guard tracked.clientEvidence != .content || tracked.clientDirection != direction else { return }
        shared.statistics.guessedRoles += 1
        shared.connections[slot].clientFound(in: direction)
        let reader = existingReader(of: slot)
        guard reader >= 0, http1[reader].clientDirection != direction else { return }
        // What it took for requests were responses, and what it knows of either side is the other's: another begins.
        endHTTP1(reader, nil)
        shared.connections[slot].reader = .probing(-1)
    }
}
