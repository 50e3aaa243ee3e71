// Wingmirror · Apache-2.0

import PacketDecoding

@testable import TCPReassembly

/// What a sink was told, in a form that tests can list.
enum StreamEvent: Equatable, Sendable {
    case opened(Int, sawHandshake: Bool)
    case octets(StreamDirection, Int64, String)
    case missing(StreamDirection, Int64, Int, MissingReason)
    case ended(StreamDirection, StreamEnd)
    case closed(ConnectionEnd)
}

/// Keeps everything it is told, and checks the order that `StreamSink` promises.
struct RecordingSink: StreamSink, ~Copyable {
    private(set) var events: [StreamEvent] = []
    private(set) var positions: [StreamPosition] = []
    private(set) var introductions: [ConnectionIntroduction] = []
    private(set) var times: [PacketTime] = []
    /// What of the promised order was broken.
    private(set) var violations: [String] = []
    /// How many connections were said to be captured by two clocks.
    private(set) var connectionsOfTwoClocks = 0
    /// The slots of connections that are in the middle of something.
    var busySlots: Set<Int> = []
    /// The slots of connections that were joined midstream.
    private var joined: Set<Int> = []
    private var next: [Int: [Int64]] = [:]
    private var ended: [Int: Set<StreamDirection>] = [:]
    private var latest: [Int: [Int64]] = [:]

    /// Forgets what was recorded, but not the state of the connections.
    mutating func clear() {
        events = []
        positions = []
        times = []
    }

    mutating func clocksDiffer(slot: Int) {
        connectionsOfTwoClocks += 1
    }

    mutating func connectionOpened(_ introduction: ConnectionIntroduction) {
        if next[introduction.slot] != nil {
            violations.append("slot \(introduction.slot) opened twice")
        }
        next[introduction.slot] = [0, 0]
        latest[introduction.slot] = [introduction.time.nanoseconds, introduction.time.nanoseconds]
        ended[introduction.slot] = []
        if introduction.sawHandshake { joined.remove(introduction.slot) } else { joined.insert(introduction.slot) }
        introductions.append(introduction)
        events.append(.opened(introduction.number, sawHandshake: introduction.sawHandshake))
    }

    mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int) {
        advance(position, by: octets.count, slot: slot)
        var text: [UInt8] = []
        for index in octets.indices {
            text.append(octets[index])
        }
        positions.append(position)
        events.append(.octets(position.direction, position.offset, String(decoding: text, as: Unicode.ASCII.self)))
    }

    mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int) {
        advance(position, by: count, slot: slot)
        positions.append(position)
        events.append(.missing(position.direction, position.offset, count, reason))
    }

    mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int) {
        if ended[slot]?.insert(direction).inserted != true {
            violations.append("a stream of slot \(slot) ended twice or without a connection")
        }
        times.append(time)
        events.append(.ended(direction, end))
    }

    mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int) {
        if next.removeValue(forKey: slot) == nil {
            violations.append("slot \(slot) closed without being open")
        }
        times.append(time)
        events.append(.closed(reason))
    }

    func isBusy(slot: Int) -> Bool {
        busySlots.contains(slot)
    }

    private mutating func advance(_ position: StreamPosition, by count: Int, slot: Int) {
        let direction = Int(position.direction.rawValue)
        if count <= 0 {
            violations.append("\(count) octets at \(position.offset)")
        }
        // A stream that was joined midstream may begin where its sender had come to.
        let mayBeginLater = joined.contains(slot) && next[slot]?[direction] == 0 && position.offset > 0
        if next[slot]?[direction] != position.offset, !mayBeginLater {
            violations.append("offset \(position.offset), not \(String(describing: next[slot]?[direction]))")
        }
        if ended[slot]?.contains(position.direction) != false {
            violations.append("octets at \(position.offset) after the end of their stream")
        }
        let before = latest[slot]?[direction] ?? position.time.nanoseconds
        if (1...PacketClock.disorder).contains(before &- position.time.nanoseconds) {
            violations.append("time went back at \(position.offset)")
        }
        next[slot]?[direction] = position.offset + Int64(count)
        latest[slot]?[direction] = position.time.nanoseconds
    }
}

/// A conversation between a client and a server, as a capture sees it: each call is one segment, with the numbers
/// written as offsets from the first octet of each side.
struct Conversation: ~Copyable {
    static let client = Endpoint(address: IPAddress(ipv4: 0x0A00_0009), port: 51034)
    static let server = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 8080)

    var table: ConnectionTable
    var sink = RecordingSink()
    var client = Conversation.client
    /// The sequence number of each side's first octet.
    var clientOrigin: UInt32 = 1_001
    var serverOrigin: UInt32 = 9_000_001
    /// Milliseconds since the start.
    private(set) var now = 0.0

    init(_ limits: ReassemblyLimits = ReassemblyLimits()) {
        table = ConnectionTable(limits: limits)
    }

    /// A segment from the client.
    ///
    /// `text` stands at `offset` of the client's stream; `acknowledged` is an offset in the server's, `nil` for a
    /// segment without ACK; `elapsed` are the milliseconds since the segment before.
    mutating func client(
        _ offset: Int,
        _ text: String = "",
        ack acknowledged: Int? = 0,
        _ flags: TCPFlags = [],
        after elapsed: Double = 0.01,
        truncated: Int = 0,
        identification: UInt16 = 0,
        urgent: UInt16? = nil,
        interface: Int = 0
    ) {
        send(
            from: client,
            to: Self.server,
            clientOrigin &+ UInt32(truncatingIfNeeded: offset),
            acknowledged.map { serverOrigin &+ UInt32(truncatingIfNeeded: $0) },
            text,
            flags,
            elapsed,
            truncated,
            identification,
            urgent,
            interface
        )
    }

    /// A segment from the server; see `client`.
    mutating func server(
        _ offset: Int,
        _ text: String = "",
        ack acknowledged: Int? = 0,
        _ flags: TCPFlags = [],
        after elapsed: Double = 0.01,
        truncated: Int = 0,
        identification: UInt16 = 0,
        urgent: UInt16? = nil,
        interface: Int = 0
    ) {
        send(
            from: Self.server,
            to: client,
            serverOrigin &+ UInt32(truncatingIfNeeded: offset),
            acknowledged.map { clientOrigin &+ UInt32(truncatingIfNeeded: $0) },
            text,
            flags,
            elapsed,
            truncated,
            identification,
            urgent,
            interface
        )
    }

    /// SYN, SYN-ACK, ACK.
    mutating func handshake() {
        client(-1, ack: nil, .syn)
        server(-1, ack: 0, .syn)
        client(0)
    }

    /// Lets milliseconds pass without a segment.
    mutating func pass(_ elapsed: Double) {
        // As a capture without packets does, in steps.
        var left = elapsed
        repeat {
            now += min(left, 30_000)
            left -= min(left, 30_000)
            table.timeAdvanced(to: time, into: &sink)
        } while left > 0
    }

    /// Ends the capture.
    mutating func end() {
        table.captureEnded(at: time, into: &sink)
    }

    /// What the sink was told since the last call.
    mutating func events() -> [StreamEvent] {
        defer { sink.clear() }
        return sink.events
    }

    /// The time of the latest segment.
    var time: PacketTime {
        PacketTime(nanoseconds: 1_700_000_000_000_000_000 + Int64(now * 1_000_000))
    }

    private mutating func send(
        from source: Endpoint,
        to destination: Endpoint,
        _ sequence: UInt32,
        _ acknowledgement: UInt32?,
        _ text: String,
        _ flags: TCPFlags,
        _ elapsed: Double,
        _ truncated: Int,
        _ identification: UInt16,
        _ urgent: UInt16?,
        _ interface: Int
    ) {
        now += elapsed
        // A header stands in front of the payload, of which only the urgent pointer is looked at.
        let pointer = urgent ?? 0
        let header = [UInt8](repeating: 0, count: 18) + [UInt8(pointer >> 8), UInt8(pointer & 0xFF)]
        let frame = header + Array(text.utf8)
        let bits = urgent == nil ? flags : flags.union(TCPFlags(rawValue: 0x20))
        let segment = TCPSegment(
            source: source,
            destination: destination,
            sequenceNumber: SequenceNumber(sequence),
            acknowledgementNumber: SequenceNumber(acknowledgement ?? 0),
            flags: acknowledgement == nil ? bits : bits.union(.ack),
            headerLength: urgent == nil ? 0 : 20,
            identification: identification,
            payload: 20..<frame.count,
            truncatedOctets: truncated
        )
        table.segmentArrived(segment, octets: frame.span, at: time, interface: interface, into: &sink)
    }
}
