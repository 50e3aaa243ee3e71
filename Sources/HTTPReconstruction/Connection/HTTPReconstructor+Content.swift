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

    /// Whether content that nobody looks at may go on behind the line of a chunk or the header of a frame of HTTP/2.
    public func contentMayGoOn(_ direction: StreamDirection, slot: Int) -> Bool {
        switch shared.connections[slot].reader {
        case .http1(let reader): http1[reader].contentMayGoOn(direction, shared)
        case .http2(let reader): http2[reader].contentMayGoOn(direction, shared)
        case .probing, .webSocket, .opaque: false
        }
    }

    /// How many octets are passed over where such a line or header stands behind those that nobody looks at.
    ///
    /// - Parameters:
    ///   - header: The octets that follow. They may be forged: what is believed of them is that the content at hand goes on, for
    ///     as long as it may.
    ///   - count: How many of the stream's next octets stand in front of them.
    ///   - direction: The stream.
    ///   - slot: The connection.
    /// - Returns: The octets of the chunk or frame; 0 where it may be anything else, or is not there as a whole.
    public func octetsNotLookedAt(
        behind header: Span<UInt8>,
        after count: Int,
        _ direction: StreamDirection,
        slot: Int
    ) -> Int {
        switch shared.connections[slot].reader {
        case .http1(let reader): http1[reader].contentNotLookedAt(behind: header, after: count, direction, shared)
        case .http2(let reader): http2[reader].contentNotLookedAt(behind: header, after: count, direction, shared)
        case .probing, .webSocket, .opaque: 0
        }
    }
}

extension HTTP1Connection {
    fileprivate func contentNotLookedAt(_ direction: StreamDirection, _ shared: borrowing SharedReconstruction) -> Int {
        let kind = MessageKind(direction, client: clientDirection)
        guard isContentPassedOver(kind, shared) else { return 0 }
        return Int(clamping: kind == .request ? requests.contentAhead : responses.contentAhead)
    }

    fileprivate func contentMayGoOn(_ direction: StreamDirection, _ shared: borrowing SharedReconstruction) -> Bool {
        let kind = MessageKind(direction, client: clientDirection)
        return isContentPassedOver(kind, shared)
            && (kind == .request ? requests.chunkMayFollow : responses.chunkMayFollow)
    }

    fileprivate func contentNotLookedAt(
        behind octets: Span<UInt8>,
        after count: Int,
        _ direction: StreamDirection,
        _ shared: borrowing SharedReconstruction
    ) -> Int {
        guard contentMayGoOn(direction, shared) else { return 0 }
        return ChunkSizeLine.octetsOfChunk(octets, isBehindData: count > 0)
    }

    /// Whether nobody looks at the content of the message at hand.
    private func isContentPassedOver(_ kind: MessageKind, _ shared: borrowing SharedReconstruction) -> Bool {
        guard isConfirmed, !awaitsContent else { return false }
        let exchange = kind == .request ? sending : answering
        guard exchange >= 0 else { return false }
        guard kind == .request else { return shared.exchanges[exchange].retainedResponse?.wantsContent != true }
        // Of a client that was refused the next request may come in place of the content.
        if requests.contentOctets == 0, shared.exchanges[exchange].expectsContinue,
            shared.exchanges[exchange].hasResponse
        {
            return false
        }
        return shared.exchanges[exchange].retainedRequest?.wantsContent != true
    }
}

extension HTTP2Connection {
    fileprivate func contentNotLookedAt(_ direction: StreamDirection, _ shared: borrowing SharedReconstruction) -> Int {
        let kind = MessageKind(direction, client: clientDirection)
        let (stream, octets) = kind == .request ? requests.frames.contentAhead : responses.frames.contentAhead
        return octets > 0 && placeOfContentNotLookedAt(stream, kind, shared) != nil ? octets : 0
    }

    fileprivate func contentMayGoOn(_ direction: StreamDirection, _ shared: borrowing SharedReconstruction) -> Bool {
        let kind = MessageKind(direction, client: clientDirection)
        let stream = kind == .request ? requests.frames.streamToGoOn : responses.frames.streamToGoOn
        return stream != 0 && placeOfContentNotLookedAt(stream, kind, shared) != nil
    }

    /// What a DATA frame takes, where its header is one that needs no proof: of the stream at hand, neither its last nor padded,
    /// and no longer than frames and the content may be.
    fileprivate func contentNotLookedAt(
        behind octets: Span<UInt8>,
        after count: Int,
        _ direction: StreamDirection,
        _ shared: borrowing SharedReconstruction
    ) -> Int {
        let kind = MessageKind(direction, client: clientDirection)
        let stream = kind == .request ? requests.frames.streamToGoOn : responses.frames.streamToGoOn
        guard FrameHeader.isOfMoreContent(octets, on: stream),
            let place = placeOfContentNotLookedAt(stream, kind, shared)
        else { return 0 }
        let length = FrameHeader(octets, at: 0).length
        guard length <= (kind == .request ? requests.announcedLimit : responses.announcedLimit) else { return 0 }
        let announced = kind == .request ? streams[place].announcedRequest : streams[place].announcedResponse
        let exchange = streams[place].exchange
        let counted =
            kind == .request
            ? shared.exchanges[exchange].request.contentOctets : shared.exchanges[exchange].response.contentOctets
        // Some of what stands in front of it may be headers: then the last frames of a message are looked at without need.
        guard announced < 0 || counted + Int64(count + length) <= announced else { return 0 }
        return FrameHeader.octetCount + length
    }

    /// Where a stream is whose content in one direction nobody looks at.
    private func placeOfContentNotLookedAt(
        _ stream: UInt32,
        _ kind: MessageKind,
        _ shared: borrowing SharedReconstruction
    ) -> Int? {
        guard let place = streams.find(stream) else { return nil }
        let exchange = streams[place].exchange
        // Messages of gRPC and frames of WebSockets are counted in the content.
        guard shared.exchanges[exchange].successor == .http, !shared.exchanges[exchange].contentKind.isGRPC else {
            return nil
        }
        let isWanted =
            kind == .request
            ? shared.exchanges[exchange].retainedRequest?.wantsContent
            : shared.exchanges[exchange].retainedResponse?.wantsContent
        return isWanted == true ? nil : place
    }
}
