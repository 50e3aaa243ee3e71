// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly

/// Drives a sink of streams as reassembly does, with what an input says of two connections.
///
/// An event is an octet with these bits, and what they ask for: 0 from the responder, 1 the other connection, 2–4 the kind
/// (0–3 octets, 4 a hole, 5 the end of the direction, 6 the end of the connection, 7 seconds that pass), 5 within a segment,
/// 6 acknowledging nothing, 7 joined midstream where it opens the connection.
struct StreamScript<Sink: StreamSink & ~Copyable>: ~Copyable {
    private struct Connection {
        var isOpen = false
        var offsets: [Int64] = [0, 0]
        var hasEnded = [false, false]
    }

    private var sink: Sink
    private var connections = [Connection(), Connection()]
    private var time: Int64 = 1_764_316_800_000_000_000
    private var opened = 0

    init(into sink: consuming Sink) {
        self.sink = sink
    }

    // MARK: - Events

    /// Takes an event from the input.
    mutating func event(_ input: inout FuzzInput) {
        let marks = input.octet()
        let slot = Int(marks >> 1 & 1)
        let direction: StreamDirection = marks & 1 == 0 ? .fromOriginator : .fromResponder
        open(slot, midstream: marks & 0x80 != 0)
        switch marks >> 2 & 7 {
        case 0...3:
            let range = input.counted()
            octets(
                Array(input.octets[range]),
                direction,
                slot,
                startsSegment: marks & 0x20 == 0,
                acknowledges: marks & 0x40 == 0
            )
        case 4: hole(max(1, input.number()), direction, slot, .captureLoss)
        case 5: end(direction, slot, StreamEnd.allCases[Int(input.octet()) % StreamEnd.allCases.count])
        case 6: close(slot, ConnectionEnd.allCases[Int(input.octet()) % ConnectionEnd.allCases.count])
        default: time += Int64(input.signedNumber()) * 1_000_000_000
        }
    }

    /// Delivers octets.
    mutating func octets(
        _ octets: [UInt8],
        _ direction: StreamDirection,
        _ slot: Int = 0,
        startsSegment: Bool = true,
        acknowledges: Bool = true
    ) {
        open(slot, midstream: false)
        let index = Int(direction.rawValue)
        guard !octets.isEmpty, !connections[slot].hasEnded[index] else { return }
        time += 1_000_000
        let position = StreamPosition(
            direction: direction,
            offset: connections[slot].offsets[index],
            time: PacketTime(nanoseconds: time),
            acknowledged: acknowledges ? connections[slot].offsets[1 - index] : nil,
            startsSegment: startsSegment
        )
        connections[slot].offsets[index] += Int64(octets.count)
        sink.octetsArrived(octets.span, at: position, slot: slot)
        _ = sink.isBusy(slot: slot)
    }

    /// Passes over octets.
    mutating func hole(
        _ count: Int,
        _ direction: StreamDirection,
        _ slot: Int = 0,
        _ reason: MissingReason = .captureLoss
    ) {
        open(slot, midstream: false)
        let index = Int(direction.rawValue)
        guard !connections[slot].hasEnded[index] else { return }
        let position = StreamPosition(
            direction: direction,
            offset: connections[slot].offsets[index],
            time: PacketTime(nanoseconds: time),
            acknowledged: nil,
            startsSegment: false
        )
        connections[slot].offsets[index] += Int64(count)
        sink.octetsMissing(count, reason: reason, at: position, slot: slot)
    }

    /// Ends what is open, and hands the sink back.
    consuming func finish() -> Sink {
        for slot in connections.indices { close(slot, .captureEnded) }
        return sink
    }

    // MARK: - Connections

    private mutating func open(_ slot: Int, midstream: Bool) {
        guard !connections[slot].isOpen else { return }
        connections[slot] = Connection(isOpen: true)
        let introduction = ConnectionIntroduction(
            slot: slot,
            number: opened,
            originator: Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: UInt16(40_000 + slot)),
            responder: Endpoint(address: IPAddress(ipv4: 0x0A00_0002), port: 80),
            time: PacketTime(nanoseconds: time),
            sawHandshake: !midstream
        )
        opened += 1
        sink.connectionOpened(introduction)
    }

    private mutating func end(_ direction: StreamDirection, _ slot: Int, _ end: StreamEnd) {
        let index = Int(direction.rawValue)
        guard connections[slot].isOpen, !connections[slot].hasEnded[index] else { return }
        connections[slot].hasEnded[index] = true
        sink.streamEnded(direction, end, at: PacketTime(nanoseconds: time), slot: slot)
    }

    private mutating func close(_ slot: Int, _ reason: ConnectionEnd) {
        guard connections[slot].isOpen else { return }
        let end: StreamEnd = reason == .finished ? .finished : .abandoned
        self.end(.fromOriginator, slot, end)
        self.end(.fromResponder, slot, end)
        connections[slot].isOpen = false
        sink.connectionClosed(reason, at: PacketTime(nanoseconds: time), slot: slot)
    }
}
