// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP2Connection {
    // MARK: - Responses that came before their requests

    /// Whether the server has received octets of the client that were not read yet: reassembly holds them behind a hole.
    var mayRequestCome: Bool { acknowledged > clientEnd }

    /// The client's stream was read so far, or is known to be missing: what the server had received when it answered is
    /// there now, or will never be.
    mutating func clientStreamRead<Sink: ExchangeSink & ~Copyable>(
        to end: Int64,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        clientEnd = max(clientEnd, end)
        guard awaitedRequests > 0 else { return }
        var place = 0
        while place < streams.count {
            guard streams[place].flags.contains(.requestUnseen), streams[place].needed <= clientEnd else {
                place += 1
                continue
            }
            noteRequestMissed(place)
            if streams[place].flags.contains(.responseEnded) {
                complete(place, &shared, &sink)
            } else {
                place += 1
            }
        }
    }

    /// The request of a stream will not come.
    mutating func noteRequestMissed(_ place: Int) {
        guard streams[place].flags.contains(.requestUnseen) else { return }
        streams[place].flags.remove(.requestUnseen)
        streams[place].flags.insert(.requestEnded)
        awaitedRequests -= 1
    }

    /// The request of a stream came after its response: octets in front of it were held.
    mutating func joinRequest<Sink: ExchangeSink & ~Copyable>(
        _ place: Int,
        _ block: HTTP2Direction.Block,
        _ reading: borrowing SectionReading,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        streams[place].flags.subtract([.requestUnseen, .methodUnknown, .requestUncounted])
        awaitedRequests -= 1
        let exchange = streams[place].exchange
        // What was known when the response came without it.
        shared.exchanges[exchange].integrity.subtract([.requestGap, .joinedMidstream])
        shared.exchanges[exchange].requestMessages = MessageCount()
        let wasCounted = shared.exchanges[exchange].contentKind.isGRPC
        let response = shared.exchanges.tag(of: exchange, as: Sink.Tag.self)
        let shape = requestBegan(place, block, reading, at: time, &shared)
        if !wasCounted, shared.exchanges[exchange].contentKind.isGRPC,
            shared.exchanges[exchange].response.contentOctets > 0
        {
            loseCount(place, .response, &shared)
        }
        show(reading, of: exchange, shape, at: block.time, &shared, &sink)
        var tag = shared.exchanges.tag(of: exchange, as: Sink.Tag.self)
        sink.responsePaired(response, with: &tag, on: shared.connections.facts(of: connection))
        shared.exchanges.setTag(tag, of: exchange)
        noteAcceptedConnect(place, &shared, &sink)
        if block.endsStream { messageEnded(place, .request, at: time, &shared, &sink) }
    }
}
