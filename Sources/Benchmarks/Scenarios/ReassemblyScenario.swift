// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly

extension Scenario {
    /// Streams from segments.
    static let reassembly = Scenario(
        name: "reassembly",
        summary: "decoded segments of 669 octets to streams; connections in turn, directions in turn",
        item: "segment"
    ) { options in
        let items = options.repetitions(1_000_000)
        let inOrder = Row(ReassemblyWorkload("1,000 connections, in order", items: items, connections: 1000))
        if options.countsAllocationsOnly { return [inOrder] }
        return [
            inOrder,
            Row(ReassemblyWorkload("100,000 connections, in order", items: items, connections: 100_000)),
            Row(ReassemblyWorkload("1,000,000 connections, in order", items: items, connections: 1_000_000)),
            Row(ReassemblyWorkload("1,000, two segments at a time", items: items, connections: 1000, order: .pairs)),
            Row(
                ReassemblyWorkload(
                    "1,000, one such pair in 50 swapped",
                    items: items,
                    connections: 1000,
                    order: .swapped(every: 50)
                )
            ),
            Row(
                ReassemblyWorkload(
                    "1,000, every pair swapped",
                    items: items,
                    connections: 1000,
                    order: .swapped(every: 1)
                )
            ),
        ]
    }
}

/// Continues streams that never end, over connections that stay open.
private struct ReassemblyWorkload: ~Copyable, Workload {
    /// In which order segments come.
    enum Order {
        /// Each of another connection than the one before.
        case singly
        /// Two of a connection at a time, in order.
        case pairs
        /// The same, with the second before the first in one pair of so many.
        case swapped(every: Int)
    }

    let label: String
    let items: Int
    var octets: Int { items * payload.count }
    private let order: Order
    private let payload = [UInt8](repeating: 0x61, count: 669)
    private var table = ConnectionTable()
    private var streams = OctetCounter()
    private var connections: Permutation
    private var time = PacketTime(nanoseconds: 1_795_406_760_000_000_000)
    /// How many octets each client and each server has sent: all connections are at the same place.
    private var sent = (client: 0, server: 0)
    private var pairs = 0

    private static let server = Endpoint(address: IPAddress(ipv4: 0xC613_0001), port: 8080)

    init(_ label: String, items: Int, connections count: Int, order: Order = .singly) {
        self.label = label
        self.items = items
        self.order = order
        connections = Permutation(count: count)
        for connection in 0..<count {
            send(connection, fromClient: true, at: -1, flags: .syn, count: 0)
            send(connection, fromClient: false, at: -1, flags: [.syn, .ack], count: 0)
            send(connection, fromClient: true, at: 0, flags: .ack, count: 0)
        }
    }

    /// Goes once around all connections, client and server taking turns, as often as makes the number of items.
    mutating func run() -> Int {
        let before = streams.octets
        var isClient = true
        var segments = 0
        while segments < items {
            let atOnce = if case .singly = order { 1 } else { 2 }
            for _ in 0..<min(connections.count, items / atOnce) {
                visit(connections.next(), fromClient: isClient)
                segments += atOnce
            }
            if isClient { sent.client += atOnce * payload.count } else { sent.server += atOnce * payload.count }
            isClient.toggle()
        }
        return (streams.octets - before) / payload.count
    }

    private mutating func visit(_ connection: Int, fromClient: Bool) {
        let offset = fromClient ? sent.client : sent.server
        let count = payload.count
        switch order {
        case .singly: send(connection, fromClient: fromClient, at: offset, flags: .ack, count: count)
        case .pairs: sendPair(connection, fromClient: fromClient, at: offset, isSwapped: false)
        case .swapped(let every):
            pairs += 1
            sendPair(connection, fromClient: fromClient, at: offset, isSwapped: pairs.isMultiple(of: every))
        }
    }

    private mutating func sendPair(_ connection: Int, fromClient: Bool, at offset: Int, isSwapped: Bool) {
        let count = payload.count
        let first = isSwapped ? offset + count : offset
        let second = isSwapped ? offset : offset + count
        send(connection, fromClient: fromClient, at: first, flags: .ack, count: count)
        send(connection, fromClient: fromClient, at: second, flags: .ack, count: count)
    }

    private mutating func send(_ connection: Int, fromClient: Bool, at offset: Int, flags: TCPFlags, count: Int) {
        let client = Endpoint(
            address: IPAddress(ipv4: 0x0A00_0000 + UInt32(connection / 32)),
            port: UInt16(32_768 + connection % 32)
        )
        // Both initial sequence numbers are 0, so that the first octet has the number 1.
        let segment = TCPSegment(
            source: fromClient ? client : Self.server,
            destination: fromClient ? Self.server : client,
            sequenceNumber: SequenceNumber(1).advanced(by: offset),
            acknowledgementNumber: SequenceNumber(1).advanced(by: fromClient ? sent.server : sent.client),
            flags: flags,
            payload: 0..<count
        )
        time = time.advanced(byNanoseconds: 1000)
        // Its own reference, because the table is changed while the octets are lent.
        let payload = payload
        table.segmentArrived(segment, octets: payload.span, at: time, interface: 0, into: &streams)
    }
}

/// Counts the octets of all streams.
private struct OctetCounter: StreamSink {
    private(set) var octets = 0

    mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int) {
        self.octets += octets.count
    }

    mutating func connectionOpened(_ introduction: ConnectionIntroduction) {}
    mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int) {}
    mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int) {}
    mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int) {}
}
