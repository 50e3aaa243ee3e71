// Wingmirror · Apache-2.0
// WebSockets over HTTP/1.1 and HTTP/2: RFC 6455, RFC 8441.

internal import PacketDecoding
internal import TrafficModel

/// Both directions of a WebSocket in progress.
///
/// A class because exchanges of all kinds would otherwise pay for it; made when a WebSocket is accepted.
public final class WebSocketTunnel {
    /// What it carried so far.
    public private(set) var figures = WebSocketFigures()
    private var requests = WebSocketFrameReader(isMasked: true)
    private var responses = WebSocketFrameReader(isMasked: false)
    /// Pings that were not answered: whose, the hash of the payload, and when.
    private var pings: [Ping] = []

    private struct Ping {
        let kind: MessageKind
        let hash: UInt32
        let time: PacketTime
    }

    /// Unanswered pings that are remembered; a pong may answer the latest only (RFC 6455 §5.5.3).
    private static var pingLimit: Int { 8 }
    /// Round trips that are kept until the WebSocket is over; then the oldest half is left out.
    private static var roundTripLimit: Int { 512 }

    init(beganAt time: PacketTime) {
        figures.began = time
        figures.latest = time
    }

    /// Takes the next octets of one side.
    func octetsArrived(_ octets: Span<UInt8>, _ kind: MessageKind, startsSegment: Bool, at time: PacketTime) {
        guard octets.count > 0 else { return }
        figures.latest = max(figures.latest, time)
        if startsSegment, kind == .request, requests.isLost { _ = requests.findAgain(in: octets) }
        var index = 0
        while index < octets.count {
            let event =
                kind == .request
                ? requests.next(octets, &index, &figures.request)
                : responses.next(octets, &index, &figures.response)
            if let event {
                note(event, kind, at: time)
            } else if kind == .request ? requests.isLost : responses.isLost {
                return
            }
        }
    }

    /// Passes over octets of one side that were not captured.
    func octetsMissing(_ count: Int, _ kind: MessageKind) {
        if kind == .request {
            requests.missing(count, &figures.request)
        } else {
            responses.missing(count, &figures.response)
        }
    }

    private func note(_ event: WebSocketFrameReader.Event, _ kind: MessageKind, at time: PacketTime) {
        switch event {
        case .close(let code):
            if figures.close == nil { figures.close = WebSocketFigures.Close(code: code, isByClient: kind == .request) }
        case .ping(let hash):
            if pings.count == Self.pingLimit { pings.removeFirst() }
            pings.append(Ping(kind: kind, hash: hash, time: time))
        case .pong(let hash):
            guard let index = pings.lastIndex(where: { $0.kind != kind && $0.hash == hash }) else { return }
            if figures.pingNanoseconds.count == Self.roundTripLimit {
                figures.pingNanoseconds.removeFirst(Self.roundTripLimit / 2)
            }
            figures.pingNanoseconds.append(max(0, time.nanoseconds(since: pings[index].time)))
            pings.removeSubrange(...index)
        }
    }
}
