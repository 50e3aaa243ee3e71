// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP1Connection {
    /// Reads octets of the client's (`.request`) or the server's (`.response`) stream, message by message.
    ///
    /// - Returns: How many octets at the end were left to whatever the connection carries after HTTP.
    mutating func messageOctetsArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        of kind: MessageKind,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int {
        let limit = shared.limits.headOctets
        var index = 0
        while index < octets.count {
            if (kind == .request ? requests.state : responses.state) == .content {
                index = contentArrived(octets, from: index, kind, at: position.time, &shared, &sink)
                if _slowPath(departure != nil) { return octets.count - index }
                continue
            }
            let head =
                kind == .request
                ? requests.takeWholeHead(octets, from: index, at: position, parser: &shared.parser, headLimit: limit)
                : responses.takeWholeHead(octets, from: index, at: position, parser: &shared.parser, headLimit: limit)
            if let head {
                headArrived(octets.extracting(index...), kind, at: position, &shared, &sink)
                index = head
                if _slowPath(departure != nil) { return octets.count - index }
                continue
            }
            let step =
                kind == .request
                ? requests.next(octets, from: index, at: position, parser: &shared.parser, headLimit: limit)
                : responses.next(octets, from: index, at: position, parser: &shared.parser, headLimit: limit)
            index = follow(step, in: octets, from: index, kind, at: position, &shared, &sink)
            if _slowPath(departure != nil) { return octets.count - index }
        }
        switch kind {
        case .request: if sending >= 0 { shared.exchanges[sending].request.lastOctet = position.time }
        case .response: if answering >= 0 { shared.exchanges[answering].response.lastOctet = position.time }
        }
        return 0
    }

    /// Takes content of a known length from `index` on, which is most content, and answers where what follows begins.
    @inline(__always)
    private mutating func contentArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        from index: Int,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int {
        switch kind {
        case .request:
            let content = requests.takeContent(octets, from: index)
            retain(octets, content, of: kind, &shared)
            if requests.state == .head { messageEnded(kind, trailers: 0, at: time, &shared, &sink) }
            return content.upperBound
        case .response:
            let content = responses.takeContent(octets, from: index)
            retain(octets, content, of: kind, &shared)
            if responses.state == .head { messageEnded(kind, trailers: 0, at: time, &shared, &sink) }
            return content.upperBound
        }
    }

    /// Does what a step of a message asks for, and answers where the next begins.
    @inline(__always)
    private mutating func follow<Sink: ExchangeSink & ~Copyable>(
        _ step: MessageStream.Step,
        in octets: Span<UInt8>,
        from index: Int,
        _ kind: MessageKind,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int {
        switch step {
        case .advanced(let next):
            return next
        case .head(.octets(let base), let next):
            headArrived(octets.extracting(base...), kind, at: position, &shared, &sink)
            return next
        case .head(.buffer, let next):
            let held = kind == .request ? requests.buffer.octets : responses.buffer.octets
            headArrived(held.span, kind, at: position, &shared, &sink)
            return next
        case .content(let range, let messageEnds, let next):
            retain(octets, range, of: kind, &shared)
            if messageEnds { messageEnded(kind, trailers: 0, at: position.time, &shared, &sink) }
            return next
        case .end(let trailers, let place, let next):
            if trailers > 0 { trailersArrived(octets, at: place, kind, &shared, &sink) }
            messageEnded(kind, trailers: trailers, at: position.time, &shared, &sink)
            return next
        case .malformed(let failure, let next):
            switch kind {
            case .request: requestFailed(failure, at: position, &shared, &sink)
            case .response: responseFailed(failure, at: position, &shared, &sink)
            }
            return next
        case .skipped(let count):
            if isConfirmed { shared.statistics.skippedOctets += count }
            return index + count
        }
    }

    /// Shows the sink the trailer section of the message in progress, and lets go of its octets.
    private mutating func trailersArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at place: MessageStream.HeadPlace,
        _ kind: MessageKind,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let exchange = kind == .request ? sending : answering
        guard exchange >= 0 else { return }
        let text = shared.parser.isRewritten ? shared.parser.text : []
        switch place {
        case .octets where text.isEmpty: emitTrailers(octets, of: exchange, kind, &shared, &sink)
        case .octets: emitTrailers(text.span, of: exchange, kind, &shared, &sink)
        case .buffer:
            let held = kind == .request ? requests.takeSection() : responses.takeSection()
            emitTrailers(text.isEmpty ? held.span : text.span, of: exchange, kind, &shared, &sink)
        }
    }

    private func emitTrailers<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        of exchange: Int32,
        _ kind: MessageKind,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        var tag = shared.exchanges.tag(of: exchange, as: Sink.Tag.self)
        sink.trailersArrived(
            TrailerView(octets: octets, isOfResponse: kind == .response, fields: shared.parser.fields),
            tag: &tag,
            on: shared.connections.facts(of: connection)
        )
        shared.exchanges.setTag(tag, of: exchange)
    }

    private mutating func headArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        _ kind: MessageKind,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard _fastPath(!shared.parser.isRewritten) else {
            let text = shared.parser.text
            switch kind {
            case .request: requestHeadArrived(text.span, at: position, &shared, &sink)
            case .response: responseHeadArrived(text.span, wire: octets, at: position, &shared, &sink)
            }
            return
        }
        switch kind {
        case .request: requestHeadArrived(octets, at: position, &shared, &sink)
        case .response: responseHeadArrived(octets, wire: octets, at: position, &shared, &sink)
        }
    }

    private mutating func messageEnded<Sink: ExchangeSink & ~Copyable>(
        _ kind: MessageKind,
        trailers: Int,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        switch kind {
        case .request:
            if sending >= 0 { shared.exchanges[sending].isRequestEnded = true }
            requestEnded(trailers: trailers, at: time, &shared, &sink)
        case .response: responseEnded(trailers: trailers, at: time, &shared, &sink)
        }
    }

    /// Keeps content octets for whoever asked for them.
    private func retain(
        _ octets: Span<UInt8>,
        _ range: Range<Int>,
        of kind: MessageKind,
        _ shared: inout SharedReconstruction
    ) {
        switch kind {
        case .request: if sending >= 0 { shared.exchanges[sending].retainedRequest?.append(octets, range) }
        case .response: if answering >= 0 { shared.exchanges[answering].retainedResponse?.append(octets, range) }
        }
    }
}
