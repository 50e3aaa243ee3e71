// Wingmirror · Apache-2.0

public import TCPReassembly

/// Content that is passed over by arithmetic, so that a stage before need not make it readable.
extension HTTPReconstructor where Sink: ~Copyable {
    /// How many of the next octets of a stream are content that nobody looks at.
    ///
    /// - Parameters:
    ///   - direction: The stream.
    ///   - slot: The connection.
    /// - Returns: Octets; 0 where the next may be anything else.
    public func octetsNotLookedAt(_ direction: StreamDirection, slot: Int) -> Int {
        switch shared.connections[slot].reader {
        case .http1(let reader): http1[reader].contentNotLookedAt(direction, shared)
        case .http2(let reader): http2[reader].contentNotLookedAt(direction, shared)
        case .probing, .webSocket, .opaque: 0
        }
    }
}

extension HTTP1Connection {
    fileprivate func contentNotLookedAt(_ direction: StreamDirection, _ shared: borrowing SharedReconstruction) -> Int {
        guard isConfirmed, !awaitsContent else { return 0 }
        let kind = MessageKind(direction, client: clientDirection)
        let exchange = kind == .request ? sending : answering
        guard exchange >= 0 else { return 0 }
        let isWanted =
            kind == .request
            ? shared.exchanges[exchange].retainedRequest?.wantsContent
            : shared.exchanges[exchange].retainedResponse?.wantsContent
        guard isWanted != true else { return 0 }
        return Int(clamping: kind == .request ? requests.contentAhead : responses.contentAhead)
    }
}

extension HTTP2Connection {
    fileprivate func contentNotLookedAt(_ direction: StreamDirection, _ shared: borrowing SharedReconstruction) -> Int {
        let kind = MessageKind(direction, client: clientDirection)
        let (stream, octets) = kind == .request ? requests.frames.contentAhead : responses.frames.contentAhead
        guard octets > 0, let place = streams.find(stream) else { return 0 }
        let exchange = streams[place].exchange
        // Messages of gRPC and frames of WebSockets are counted in the content.
        guard shared.exchanges[exchange].successor == .http, !shared.exchanges[exchange].contentKind.isGRPC else {
            return 0
        }
        let isWanted =
            kind == .request
            ? shared.exchanges[exchange].retainedRequest?.wantsContent
            : shared.exchanges[exchange].retainedResponse?.wantsContent
        return isWanted == true ? 0 : octets
    }
}
