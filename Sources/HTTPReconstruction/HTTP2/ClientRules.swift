// Wingmirror · Apache-2.0
// What Envoy closes an HTTP/2 connection for: RFC 9113 §5.4.1 and §8.1.1.

internal import PacketDecoding

/// What a client did that its server may close the connection for, and which requests that explains.
///
/// Envoy mostly closes without a word, so a broken rule is a suspicion: it holds until the server deals with the stream,
/// or for as long as a close may take; a GOAWAY with an error code proves it. What the close cuts off up to the highest
/// stream that was open then is the client's doing; of what came behind it the server has taken nothing.
struct ClientRules {
    /// The first stream in which the client broke a rule, 0 for the connection or `.max` where the server says so; the
    /// highest that it had opened then, and when that was.
    private var broken: (stream: UInt32, highest: UInt32, time: PacketTime)?

    /// The client broke a rule on a stream, or on the connection where that is 0; it has opened `highest`.
    mutating func broken(on stream: UInt32, highest: UInt32, at time: PacketTime) {
        if let broken {
            // What the server says counts, and so does the first of what it may yet close for.
            let isOver = broken.stream != .max && time.nanoseconds(since: broken.time) >= Self.delayedClose
            guard isOver else { return }
        }
        broken = (stream, highest, time)
    }

    /// The server ends the connection with an error code, which may say that the client broke a rule, however long ago it took no
    /// notice of something else.
    mutating func serverCloses(with code: UInt32, highest: UInt32, at time: PacketTime) {
        if code < 32, Self.clientErrors >> code & 1 == 1 { broken = (.max, highest, time) }
    }

    /// The server has dealt with a stream by itself, so that it goes on with the connection; also where that was opened behind what
    /// the client did.
    mutating func settled(_ stream: UInt32) {
        guard let broken, broken.stream != .max else { return }
        if broken.stream == stream || stream > broken.highest { self.broken = nil }
    }

    /// Who ended a stream, where the server may have closed for a rule that the client broke: it has taken no stream that was opened
    /// after that.
    func blamed(_ end: EarlyEnd, for stream: UInt32) -> EarlyEnd {
        guard end.side == .server, let broken,
            broken.stream == .max || end.time.nanoseconds(since: broken.time) < Self.delayedClose
        else { return end }
        guard stream > broken.highest else { return EarlyEnd(.client, at: broken.time) }
        var end = end
        end.isUnprocessed = true
        return end
    }

    /// One bit for each error code by which a server says that the client broke a rule (RFC 9113 §7): PROTOCOL_ERROR,
    /// FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR and from ENHANCE_YOUR_CALM on.
    private static var clientErrors: UInt32 {
        1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 13
    }

    /// How long a server that says nothing may wait before it closes for a broken rule, in nanoseconds.
    private static var delayedClose: Int64 { 3_000_000_000 }
}

extension HTTP2Connection {
    /// The client broke a rule on a stream, or on the connection where that is 0.
    mutating func ruleBroken(on stream: UInt32, at time: PacketTime) {
        clientRules.broken(on: stream, highest: highestStream, at: time)
    }

    /// The client sent a frame for which Envoy closes the connection; behind a hole what looks like one may be none.
    ///
    /// `opened` is the stream that it opens by that, where it is not counted yet.
    mutating func connectionRuleBroken(opening opened: UInt32 = 0, at time: PacketTime) {
        guard !requests.hasLosses else { return }
        clientRules.broken(on: 0, highest: max(highestStream, opened), at: time)
    }
}
