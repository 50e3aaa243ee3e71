// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import TCPReassembly
import TLSDecryption

/// Notes what a stage gives on.
struct StreamRecorder: StreamSink {
    struct Stream {
        var octets: [UInt8] = []
        /// Where holes are, and their sizes.
        var holes: [(offset: Int64, count: Int)] = []
        var end: StreamEnd?
        var times: [PacketTime] = []
        /// For each call, how much of the other direction had been given on, holes included.
        var others: [Int] = []

        var text: String { String(decoding: octets, as: UTF8.self) }
    }

    struct Connection {
        var number = 0
        var session: Int32 = -1
        var reason: EncryptionReason?
        var opaqueOctets = 0
        /// What was said of a direction that cannot be read, while the other is.
        var unreadable: (reason: EncryptionReason, octets: Int, firsts: Int)?
        var fromOriginator = Stream()
        var fromResponder = Stream()
        var end: ConnectionEnd?

        subscript(direction: StreamDirection) -> Stream {
            get { direction == .fromOriginator ? fromOriginator : fromResponder }
            set { if direction == .fromOriginator { fromOriginator = newValue } else { fromResponder = newValue } }
        }
    }

    private(set) var connections: [Connection] = []
    private var bySlot: [Int: Int] = [:]
    /// What the sink says of the next octets of any stream.
    var octetsNotLookedAt = 0
    /// Acknowledgements that reach beyond what came.
    private(set) var impossibleAcknowledgements = 0

    mutating func connectionOpened(_ introduction: ConnectionIntroduction) {
        precondition(bySlot[introduction.slot] == nil, "the slot is in use")
        bySlot[introduction.slot] = connections.count
        connections.append(Connection(number: introduction.number))
    }

    mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int) {
        guard let index = bySlot[slot] else { preconditionFailure("no connection has the slot") }
        if connections[index].reason != nil {
            connections[index].opaqueOctets += octets.count
            return
        }
        var stream = connections[index][position.direction]
        precondition(position.offset == Int64(stream.octets.count), "offsets count plaintext")
        for octet in 0..<octets.count { stream.octets.append(octets[octet]) }
        stream.times.append(position.time)
        connections[index][position.direction] = stream
        let other = connections[index][position.direction.reversed]
        connections[index][position.direction].others.append(other.octets.count)
        if let acknowledged = position.acknowledged, acknowledged > Int64(other.octets.count) {
            impossibleAcknowledgements += 1
        }
    }

    mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int) {
        guard let index = bySlot[slot], connections[index].reason == nil else { return }
        var stream = connections[index][position.direction]
        stream.holes.append((position.offset, count))
        stream.octets += [UInt8](repeating: UInt8(ascii: "?"), count: count)
        connections[index][position.direction] = stream
    }

    mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int) {
        guard let index = bySlot[slot] else { return }
        precondition(connections[index][direction].end == nil, "a direction ends once")
        connections[index][direction].end = end
    }

    mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int) {
        guard let index = bySlot.removeValue(forKey: slot) else { return }
        connections[index].end = reason
    }

    mutating func connectionSecured(session: Int32, slot: Int) {
        if let index = bySlot[slot] { connections[index].session = session }
    }

    func octetsNotLookedAt(_ direction: StreamDirection, slot: Int) -> Int {
        octetsNotLookedAt
    }

    mutating func directionUnreadable(_ reason: EncryptionReason, octets: Int, isFirst: Bool, slot: Int) {
        guard let index = bySlot[slot] else { return }
        let before = connections[index].unreadable
        connections[index].unreadable = (
            reason, (before?.octets ?? 0) + octets, (before?.firsts ?? 0) + (isFirst ? 1 : 0)
        )
    }

    mutating func connectionUnreadable(_ reason: EncryptionReason, octets: Int, slot: Int) {
        guard let index = bySlot[slot] else { return }
        connections[index].reason = reason
        connections[index].opaqueOctets += octets
    }
}

/// A capture of the fixtures: its packets, which may be changed before they are read.
struct Capture {
    struct Packet {
        var time: PacketTime
        var octets: [UInt8]
    }

    var packets: [Packet] = []
    let linkType: LinkType
    let keys: [UInt8]

    init(_ name: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        let file = [UInt8](try Data(contentsOf: folder.appending(path: name + ".pcap")))
        keys = [UInt8](try Data(contentsOf: folder.appending(path: name + ".pcap.keys")))
        func word(_ at: Int) -> Int {
            Int(file[at]) | Int(file[at + 1]) << 8 | Int(file[at + 2]) << 16 | Int(file[at + 3]) << 24
        }
        let scale = word(0) == 0xA1B2_3C4D ? 1 : 1_000
        linkType = LinkType(rawValue: Int32(word(20) & 0xFFFF))
        var at = 24
        while at + 16 <= file.count {
            let length = word(at + 8)
            let time = PacketTime(nanoseconds: Int64(word(at)) * 1_000_000_000 + Int64(word(at + 4) * scale))
            packets.append(Packet(time: time, octets: Array(file[(at + 16)..<(at + 16 + length)])))
            at += 16 + length
        }
    }

    /// A store with the keys of the log.
    func store(_ log: [UInt8]? = nil) -> KeyStore {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        let log = log ?? keys
        reader.octetsArrived(log.span)
        reader.ended()
        return store
    }

    /// A line of a key log with the digits of its secret in reverse.
    static func withWrongSecret(_ line: String) -> String {
        var words = line.split(separator: " ").map(String.init)
        if words.count == 3 { words[2] = String(words[2].reversed()) }
        return words.joined(separator: " ")
    }

    /// Reads all packets while there are no keys, and then the keys of the log.
    func readBeforeKeys(_ limits: TLSLimits = TLSLimits()) -> Reading {
        var patient = limits
        patient.patienceNanoseconds = 3_600_000_000_000
        let store = KeyStore()
        return read(with: store, limits: patient) { number in
            guard number == packets.count else { return }
            var reader = KeyLogReader(into: store)
            reader.octetsArrived(keys.span)
        }
    }

    /// Reads the packets.
    /// - Parameters:
    ///   - store: Where keys come from.
    ///   - sessions: Where what the hellos say is left.
    ///   - limits: What may be held.
    ///   - notLookedAt: How many octets nobody looks at, of all that come next.
    ///   - between: Called before each packet, with its number.
    /// - Returns: What the decryptor gave on.
    func read(
        with store: KeyStore?,
        sessions: TLSSessions = TLSSessions(),
        limits: TLSLimits = TLSLimits(),
        notLookedAt: Int = 0,
        between: (Int) -> Void = { _ in }
    ) -> Reading {
        var decoder = PacketDecoder()
        var connections = ConnectionTable()
        var recorder = StreamRecorder()
        recorder.octetsNotLookedAt = notLookedAt
        var decryptor = TLSDecryptor(sink: recorder, store: store, sessions: sessions, limits: limits)
        var last = PacketTime(nanoseconds: 0)
        for (number, packet) in packets.enumerated() {
            between(number)
            decryptor.timePassed(until: packet.time)
            last = packet.time
            let octets = packet.octets
            let captured = CapturedPacket(
                time: packet.time,
                linkType: linkType,
                interface: 0,
                wireLength: octets.count
            )
            guard case .segment(let segment) = decoder.decode(octets.span, of: captured) else { continue }
            connections.segmentArrived(segment, octets: octets.span, at: packet.time, interface: 0, into: &decryptor)
        }
        between(packets.count)
        decryptor.timePassed(until: last)
        connections.captureEnded(at: last, into: &decryptor)
        decryptor.captureEnded()
        return Reading(recorder: decryptor.sink, statistics: decryptor.statistics)
    }

    struct Reading {
        let recorder: StreamRecorder
        let statistics: TLSStatistics

        var connections: [StreamRecorder.Connection] { recorder.connections }
    }
}

/// The octets that hexadecimal digits stand for, spaces between them aside.
func octets(_ digits: String) -> [UInt8] {
    var octets: [UInt8] = []
    var high: UInt8?
    for digit in digits.compactMap(\.hexDigitValue).map(UInt8.init) {
        if let first = high {
            octets.append(first << 4 | digit)
            high = nil
        } else {
            high = digit
        }
    }
    return octets
}
