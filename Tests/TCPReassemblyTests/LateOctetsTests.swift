// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import TCPReassembly

/// Interfaces with two clocks, each of which sees one direction, whose packets are merged by their stamps.
@Suite struct LateOctetsTests {
    /// A packet of an exchange that takes place every 10 ms.
    private struct Packet {
        let time: Double
        let isOfClient: Bool
        let offset: Int
        let acknowledged: Int?
        var text = ""
        var flags: TCPFlags = []
    }

    /// Connections, one after the other, on each of which a question of one octet is asked and answered so many times.
    private static func packets(exchanges: Int, start: Double) -> [Packet] {
        var packets = [
            Packet(time: start, isOfClient: true, offset: -1, acknowledged: nil, flags: .syn),
            Packet(time: start + 0.5, isOfClient: false, offset: -1, acknowledged: 0, flags: .syn),
            Packet(time: start + 1, isOfClient: true, offset: 0, acknowledged: 0),
        ]
        for number in 0..<exchanges {
            let asked = start + 10 * Double(number + 1)
            packets.append(Packet(time: asked, isOfClient: true, offset: number, acknowledged: number, text: "q"))
            packets.append(
                Packet(time: asked + 0.5, isOfClient: false, offset: number, acknowledged: number + 1, text: "a")
            )
        }
        return packets
    }

    @Test(arguments: [120.0, -120, 300, -300, 1_000, -1_000], [3, 30, 300])
    func `a direction that is late is missed no longer than it takes to find out`(skew: Double, exchanges: Int) {
        var talk = Conversation()
        let connections = 3
        var all: [(port: UInt16, packet: Packet, stamp: Double)] = []
        for number in 0..<connections {
            // A second after the other begins the next, which is late to find nothing new.
            let start = Double(number) * (Double(exchanges) * 10 + 3_000)
            for packet in Self.packets(exchanges: exchanges, start: start) {
                all.append((UInt16(number + 1), packet, packet.time + (packet.isOfClient ? skew : 0)))
            }
        }
        all.sort { $0.stamp < $1.stamp }
        var before = all.first?.stamp ?? 0
        for (port, packet, stamp) in all {
            talk.client = Endpoint(address: IPAddress(ipv4: 0x0A00_0009), port: port)
            let (elapsed, interface) = (stamp - before, packet.isOfClient ? 0 : 1)
            before = stamp
            if packet.isOfClient {
                talk.client(
                    packet.offset,
                    packet.text,
                    ack: packet.acknowledged,
                    packet.flags,
                    after: elapsed,
                    interface: interface
                )
            } else {
                talk.server(
                    packet.offset,
                    packet.text,
                    ack: packet.acknowledged,
                    packet.flags,
                    after: elapsed,
                    interface: interface
                )
            }
        }
        talk.end()
        let statistics = talk.table.statistics
        // What is not known yet while the first connection runs: as many exchanges as its grace and the skew hold.
        let unknown = Int(abs(skew) / 10) + 25
        #expect(statistics.gapOctets.total <= unknown)
        #expect(statistics.lateOctets == statistics.gapOctets.total)
        #expect(statistics.retransmittedOctets == 0)
        #expect(statistics.deliveredOctets == connections * exchanges * 2 - statistics.gapOctets.total)
        #expect(talk.sink.violations == [])
        // The last connection is whole, and each answer follows its question.
        let events = talk.events()
        let begin = events.lastIndex { if case .opened = $0 { true } else { false } }
        let octets = events[(begin ?? 0)...].filter { if case .octets = $0 { true } else { false } }
        let expected: [StreamEvent] = (0..<Int64(exchanges)).flatMap {
            [.octets(.fromOriginator, $0, "q"), .octets(.fromResponder, $0, "a")]
        }
        #expect(octets == expected)
    }

    @Test func `octets that are sent again by the same interface teach no patience`() {
        var talk = Conversation()
        talk.handshake()
        talk.client(1, "b", ack: 0)
        talk.server(0, "x", ack: 2)
        talk.pass(200)
        talk.client(0, "a", ack: 0)
        #expect(talk.table.statistics.lateOctets == 0)
        #expect(talk.table.statistics.retransmittedOctets == 1)
        #expect(talk.table.statistics.lateness == 0)
    }

    @Test func `octets that come by another interface when they are given up are waited for the next time`() {
        var talk = Conversation()
        talk.handshake()
        talk.client(0, ack: 0, interface: 1)
        talk.server(0, "x", ack: 2)
        talk.pass(200)
        talk.client(0, "ab", ack: 0, interface: 1)
        #expect(talk.table.statistics.lateOctets == 2)
        #expect(talk.table.statistics.retransmittedOctets == 0)
        _ = talk.events()
        talk.server(1, "y", ack: 4)
        talk.pass(200)
        #expect(talk.events() == [])
        talk.client(2, "cd", ack: 1, interface: 1)
        #expect(talk.events() == [.octets(.fromOriginator, 2, "cd"), .octets(.fromResponder, 1, "y")])
    }
}
