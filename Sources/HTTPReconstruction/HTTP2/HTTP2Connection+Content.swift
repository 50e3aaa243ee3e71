// Wingmirror · Apache-2.0
// DATA frames: RFC 9113 §6.1; the messages of gRPC in them.

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP2Connection {
    /// The connection is over inside a DATA frame: what came of it is no content, since a frame is taken whole or not at all.
    func leaveOutUnfinishedFrame(_ kind: MessageKind, _ shared: inout SharedReconstruction) {
        let unfinished = kind == .request ? requests.frames.unfinishedContent : responses.frames.unfinishedContent
        guard unfinished.octets > 0, let place = streams.find(unfinished.stream) else { return }
        let exchange = streams[place].exchange
        guard shared.exchanges[exchange].successor == .http else { return }
        // An exchange that began within the frame has counted less of it, and nothing else.
        if kind == .request {
            let counted = shared.exchanges[exchange].request.contentOctets
            shared.exchanges[exchange].request.contentOctets -= min(Int64(unfinished.octets), counted)
            shared.exchanges[exchange].retainedRequest?.cutContent(to: shared.exchanges[exchange].request.contentOctets)
        } else {
            let counted = shared.exchanges[exchange].response.contentOctets
            shared.exchanges[exchange].response.contentOctets -= min(Int64(unfinished.octets), counted)
            shared.exchanges[exchange].retainedResponse?.cutContent(
                to: shared.exchanges[exchange].response.contentOctets
            )
        }
    }

    /// Octets of a DATA frame.
    mutating func contentArrived(
        _ octets: Span<UInt8>,
        _ range: Range<Int>,
        on stream: UInt32,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction
    ) {
        guard let place = streams.place(of: stream) else { return }
        let exchange = streams[place].exchange
        // What comes behind the end of a message is no part of it (RFC 9113 §5.1, half-closed (remote)).
        guard streams[place].flags.isDisjoint(with: kind == .request ? .requestEnded : .responseEnded) else {
            if streams[place].flags.isDisjoint(with: kind == .request ? .requestHole : .responseHole) {
                shared.exchanges[exchange].integrity.insert(.malformed)
                if kind == .request { ruleBroken(on: stream, at: time) }
            }
            return
        }
        // What follows an accepted CONNECT is the tunnel's.
        guard shared.exchanges[exchange].successor == .http else {
            let frames = octets.extracting(range)
            shared.exchanges[exchange].webSocket?.octetsArrived(frames, kind, startsSegment: true, at: time)
            return
        }
        noteMessages(octets.extracting(range), missing: 0, place, kind, at: time, &shared)
        // Content of a response comes behind its head (RFC 9113 §8.1).
        let flags = streams[place].flags
        if kind == .response, !flags.contains(.responseBegan), !flags.contains(.responseHole), !responses.hasLosses {
            shared.exchanges[exchange].integrity.insert(.malformed)
        }
        if kind == .request {
            shared.exchanges[exchange].request.contentOctets += Int64(range.count)
            shared.exchanges[exchange].request.lastOctet = time
            shared.exchanges[exchange].retainedRequest?.append(octets, range)
        } else {
            shared.exchanges[exchange].response.contentOctets += Int64(range.count)
            shared.exchanges[exchange].response.lastOctet = time
            shared.exchanges[exchange].retainedResponse?.append(octets, range)
        }
    }

    /// Octets of a DATA frame that were not captured.
    mutating func contentMissing(
        _ count: Int,
        _ place: Int,
        _ kind: MessageKind,
        _ marks: Integrity,
        _ shared: inout SharedReconstruction
    ) {
        let exchange = streams[place].exchange
        shared.exchanges[exchange].integrity.formUnion(marks)
        guard shared.exchanges[exchange].successor == .http else {
            shared.exchanges[exchange].webSocket?.octetsMissing(count, kind)
            return
        }
        let empty: [UInt8] = []
        let latest =
            kind == .request
            ? shared.exchanges[exchange].request.lastOctet : shared.exchanges[exchange].response.lastOctet
        noteMessages(empty.span, missing: count, place, kind, at: latest, &shared)
        if kind == .request {
            shared.exchanges[exchange].request.contentOctets += Int64(count)
        } else {
            shared.exchanges[exchange].response.contentOctets += Int64(count)
        }
    }

    /// Counts the messages of a gRPC call in content, or passes over content that is missing; `nil` is any number.
    mutating func noteMessages(
        _ octets: Span<UInt8>,
        missing: Int?,
        _ place: Int,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction
    ) {
        let exchange = streams[place].exchange
        let callKind = shared.exchanges[exchange].contentKind
        guard callKind.isGRPC,
            streams[place].flags.isDisjoint(with: kind == .request ? .requestUncounted : .responseUncounted)
        else { return }
        // A response may have another form than the request, or be none of gRPC.
        let form = kind == .request ? callKind : streams[place].responseKind ?? callKind
        guard form.isGRPC else { return }
        var messages =
            kind == .request ? shared.exchanges[exchange].requestMessages : shared.exchanges[exchange].responseMessages
        if streams[place].call < 0 {
            streams[place].call = shared.http2.calls.insert(GRPCCall())
            openCalls += 1
        }
        let call = streams[place].call
        if octets.count > 0 {
            shared.http2.calls[call].contentArrived(octets, kind, of: form, at: time, &messages)
        } else {
            shared.http2.calls[call].contentMissing(missing, kind, of: form, at: time, &messages)
        }
        if kind == .request {
            shared.exchanges[exchange].requestMessages = messages
        } else {
            shared.exchanges[exchange].responseMessages = messages
        }
    }
}
