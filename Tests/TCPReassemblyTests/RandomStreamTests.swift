// Wingmirror · Apache-2.0

import OctetText
import PacketDecoding
import TestTraits
import Testing

@testable import TCPReassembly

/// Collects one stream: the octets delivered, with `nil` for each that is missing.
private struct CollectingSink: StreamSink, ~Copyable {
    var streams: [[UInt8?]] = [[], []]
    var ends: [StreamEnd?] = [nil, nil]
    var closed: [ConnectionEnd] = []
    /// How far each stream was acknowledged by octets of the other that were delivered too early.
    var effectsBeforeCause = 0
    private var times = [Int64.min, Int64.min]
    var timeWentBack = false

    mutating func connectionOpened(_ introduction: ConnectionIntroduction) {}

    mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int) {
        let direction = Int(position.direction.rawValue)
        note(position)
        if let acknowledged = position.acknowledged, acknowledged > streams[1 - direction].count {
            effectsBeforeCause += 1
        }
        for index in octets.indices {
            streams[direction].append(octets[index])
        }
    }

    mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int) {
        note(position)
        streams[Int(position.direction.rawValue)].append(contentsOf: repeatElement(nil, count: count))
    }

    mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int) {
        ends[Int(direction.rawValue)] = end
    }

    mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int) {
        closed.append(reason)
    }

    private mutating func note(_ position: StreamPosition) {
        let direction = Int(position.direction.rawValue)
        #expect(position.offset == Int64(streams[direction].count))
        timeWentBack = timeWentBack || position.time.nanoseconds < times[direction]
        times[direction] = position.time.nanoseconds
    }
}

/// Random conversations, captured badly.
@Suite(.heavy) struct RandomStreamTests {
    private struct Sent {
        let segment: TCPSegment
        let octets: [UInt8]
        /// Microseconds at which the capture sees it.
        let time: Int
    }

    /// A strictly alternating conversation, cut into segments, of which some come late, twice, overlapping or never.
    private struct Conversation {
        var streams: [[UInt8]] = [[], []]
        /// Which octets are in the capture at all.
        var captured: [[Bool]] = [[], []]
        var sent: [Sent] = []

        init(seed: UInt64, loss: Bool) {
            var random = SeededGenerator(seed: seed)
            let origins = [UInt32.random(in: .min ... .max, using: &random), UInt32.max &- 300]
            var time = 1_000
            func segment(
                _ direction: Int,
                _ offset: Int,
                _ octets: ArraySlice<UInt8>,
                _ flags: TCPFlags = [],
                acknowledged: Int
            ) -> TCPSegment {
                let ends = [
                    Endpoint(address: IPAddress(ipv4: 1), port: 1), Endpoint(address: IPAddress(ipv4: 2), port: 2),
                ]
                return TCPSegment(
                    source: ends[direction],
                    destination: ends[1 - direction],
                    sequenceNumber: SequenceNumber(origins[direction] &+ UInt32(truncatingIfNeeded: offset)),
                    acknowledgementNumber: SequenceNumber(
                        origins[1 - direction] &+ UInt32(truncatingIfNeeded: acknowledged)
                    ),
                    flags: flags.union(.ack),
                    payload: 0..<octets.count
                )
            }
            sent.append(
                Sent(
                    segment: TCPSegment(
                        source: Endpoint(address: IPAddress(ipv4: 1), port: 1),
                        destination: Endpoint(address: IPAddress(ipv4: 2), port: 2),
                        sequenceNumber: SequenceNumber(origins[0] &- 1),
                        acknowledgementNumber: SequenceNumber(0),
                        flags: .syn,
                        payload: 0..<0
                    ),
                    octets: [],
                    time: 0
                )
            )
            sent.append(Sent(segment: segment(1, -1, [], .syn, acknowledged: 0), octets: [], time: 1))
            for turn in 0..<Int.random(in: 1...12, using: &random) {
                let direction = turn % 2
                let other = 1 - direction
                let message = (0..<Int.random(in: 1...2_500, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                let start = streams[direction].count
                streams[direction] += message
                captured[direction] += repeatElement(false, count: message.count)
                var position = 0
                while position < message.count {
                    let length = min(Int.random(in: 1...600, using: &random), message.count - position)
                    // Overlap: begin before what was sent last, but within the message.
                    let back = Int.random(in: 0..<10, using: &random) == 0 ? min(position, 40) : 0
                    let range = position - back..<position + length
                    let copies = Int.random(in: 0..<12, using: &random) == 0 ? 2 : 1
                    let isLost = loss && Int.random(in: 0..<15, using: &random) == 0
                    for copy in 0..<copies where !isLost {
                        let late =
                            Int.random(in: 0..<6, using: &random) == 0 ? Int.random(in: 0..<3_000, using: &random) : 0
                        sent.append(
                            Sent(
                                segment: segment(
                                    direction,
                                    start + range.lowerBound,
                                    message[range],
                                    acknowledged: streams[other].count
                                ),
                                octets: Array(message[range]),
                                time: time + late + copy * 500
                            )
                        )
                        for index in range {
                            captured[direction][start + index] = true
                        }
                    }
                    time += Int.random(in: 1...50, using: &random)
                    position += length
                }
                sent.append(
                    Sent(
                        segment: segment(other, streams[other].count, [], acknowledged: streams[direction].count),
                        octets: [],
                        time: time + 10
                    )
                )
                time += Int.random(in: 100...2_000, using: &random)
            }
            for direction in 0..<2 {
                sent.append(
                    Sent(
                        segment: segment(
                            direction,
                            streams[direction].count,
                            [],
                            .fin,
                            acknowledged: streams[1 - direction].count + direction
                        ),
                        octets: [],
                        time: time + 4_000 + direction
                    )
                )
            }
            // Stable, so that what has the same time stays in order.
            sent = sent.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                .map(\.element)
        }
    }

    private func run(_ conversation: Conversation, _ limits: ReassemblyLimits, into sink: inout CollectingSink) -> Int {
        var table = ConnectionTable(limits: limits)
        for sent in conversation.sent {
            table.segmentArrived(
                sent.segment,
                octets: sent.octets.span,
                at: PacketTime(nanoseconds: Int64(sent.time) * 1_000),
                interface: 0,
                into: &sink
            )
        }
        table.captureEnded(at: PacketTime(nanoseconds: 1 << 40), into: &sink)
        return table.statistics.bufferedOctets
    }

    @Test(arguments: UInt64(0)..<100)
    func `late, repeated and overlapping segments make the stream that was sent`(seed: UInt64) {
        let conversation = Conversation(seed: seed, loss: false)
        var sink = CollectingSink()
        let left = run(conversation, ReassemblyLimits(), into: &sink)
        let (streams, ends, closed) = (sink.streams, sink.ends, sink.closed)
        let (early, wentBack) = (sink.effectsBeforeCause, sink.timeWentBack)
        for direction in 0..<2 {
            #expect(streams[direction] == conversation.streams[direction].map { $0 })
        }
        #expect(ends == [.finished, .finished])
        #expect(closed == [.finished])
        #expect(early == 0)
        #expect(!wentBack)
        #expect(left == 0)
    }

    @Test(arguments: UInt64(1000)..<1100)
    func `with losses, what is delivered and what is missing make up the stream`(seed: UInt64) {
        let conversation = Conversation(seed: seed, loss: true)
        var sink = CollectingSink()
        let left = run(conversation, ReassemblyLimits(), into: &sink)
        let (streams, closed) = (sink.streams, sink.closed)
        let (early, wentBack) = (sink.effectsBeforeCause, sink.timeWentBack)
        for direction in 0..<2 {
            let expected: [UInt8?] = zip(conversation.streams[direction], conversation.captured[direction]).map {
                $1 ? $0 : nil
            }
            #expect(streams[direction] == expected)
        }
        #expect(closed == [.finished])
        #expect(early == 0)
        #expect(!wentBack)
        #expect(left == 0)
    }

    @Test(arguments: UInt64(2000)..<2070)
    func `under tiny limits every octet is still delivered or missing, once`(seed: UInt64) {
        var limits = ReassemblyLimits()
        limits.bufferedOctetsPerConnection = Int(seed % 4) * HeldSegments.blockOctets
        limits.bufferedOctets = Int(seed % 7) * HeldSegments.blockOctets
        limits.waitingConnections = 1
        limits.graceSegments = Int(seed % 5)
        let conversation = Conversation(seed: seed, loss: true)
        var sink = CollectingSink()
        let left = run(conversation, limits, into: &sink)
        let streams = sink.streams
        for direction in 0..<2 {
            let sent = conversation.streams[direction]
            #expect(streams[direction].count <= sent.count)
            for (index, octet) in streams[direction].enumerated() where octet != nil && octet != sent[index] {
                Issue.record("octet \(index) differs")
                break
            }
        }
        #expect(left == 0)
    }

    @Test(arguments: UInt64(3000)..<3060)
    func `whatever segments come, the sink is called in its order and nothing is left over`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var limits = ReassemblyLimits()
        limits.connections = 4
        limits.halfOpenConnections = 3
        limits.lingeringConnections = 3
        limits.waitingConnections = 2
        limits.bufferedOctetsPerConnection = 3 * HeldSegments.blockOctets
        limits.bufferedOctets = Int(seed % 12) * HeldSegments.blockOctets
        var table = ConnectionTable(limits: limits)
        var sink = RecordingSink()
        var time: Int64 = 0
        let frame = [UInt8](repeating: 0x2E, count: 5_000)
        let origins: [UInt32] = [0, 0x7FFF_FF00, 0xFFFF_FF00, 40]
        for _ in 0..<2_000 {
            let ends = [
                Endpoint(address: IPAddress(ipv4: 1), port: UInt16.random(in: 1...8, using: &random)),
                Endpoint(address: IPAddress(ipv4: 2), port: 2),
            ]
            let direction = Int.random(in: 0...1, using: &random)
            func number() -> SequenceNumber {
                let near = origins[Int.random(in: 0..<4, using: &random)] &+ UInt32.random(in: 0...300, using: &random)
                return SequenceNumber(Int.random(in: 0..<20, using: &random) == 0 ? .random(in: 0 ... .max) : near)
            }
            let flags: [TCPFlags] = [
                .ack, .ack, .ack, .ack, .syn, [.syn, .ack], [.fin, .ack], [.rst, .ack], .rst, [],
            ]
            let length = [0, 0, 1, 30, 3_000][Int.random(in: 0..<5, using: &random)]
            time +=
                [0, 1_000, 1_000_000, 40_000_000, -10_000_000, 70_000_000_000][
                    min(Int.random(in: 0..<60, using: &random), Int.random(in: 0..<6, using: &random))
                ]
            table.segmentArrived(
                TCPSegment(
                    source: ends[direction],
                    destination: ends[1 - direction],
                    sequenceNumber: number(),
                    acknowledgementNumber: number(),
                    flags: flags[Int.random(in: 0..<10, using: &random)],
                    payload: 100..<100 + length,
                    truncatedOctets: Int.random(in: 0..<8, using: &random) == 0 ? 50 : 0
                ),
                octets: frame.span,
                at: PacketTime(nanoseconds: time),
                interface: Int.random(in: 0...1, using: &random),
                into: &sink
            )
        }
        let before = table.statistics
        #expect(before.open <= 4 && before.halfOpen <= 3 && before.waiting <= 2 && before.entries <= 10)
        table.captureEnded(at: PacketTime(nanoseconds: time), into: &sink)
        let after = table.statistics
        let violations = sink.violations
        #expect(violations == [])
        #expect(after.entries == 0 && after.waiting == 0 && after.bufferedOctets == 0)
        #expect(after.connectionsOpened == after.connectionsClosed.total)
    }

    @Test func `a message split at every octet is the same message`() {
        let request = Array("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n".utf8)
        for split in 1..<request.count {
            for isReordered in [false, true] {
                var talk = TCPReassemblyTests.Conversation()
                talk.handshake()
                let pieces = [
                    (0, String(decoding: request[..<split], as: UTF8.self)),
                    (split, String(decoding: request[split...], as: UTF8.self)),
                ]
                for (offset, text) in isReordered ? pieces.reversed() : pieces {
                    talk.client(offset, text)
                }
                var joined = ""
                for case .octets(_, _, let text) in talk.events() {
                    joined += text
                }
                #expect(Array(joined.utf8) == request)
            }
        }
    }
}
