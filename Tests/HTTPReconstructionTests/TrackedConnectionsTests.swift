// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly
import Testing

@testable import HTTPReconstruction

/// Where reconstruction keeps what it knows of every connection.
@Suite struct TrackedConnectionsTests {
    private static let long = IPAddress(high: 0x2001_0DB8_0000_0000, low: 7)

    private static func introduction(_ slot: Int, from address: IPAddress? = nil) -> ConnectionIntroduction {
        ConnectionIntroduction(
            slot: slot,
            number: slot * 3,
            originator: Endpoint(
                address: address ?? IPAddress(ipv4: 0x0A00_0000 + UInt32(slot)),
                port: UInt16(truncatingIfNeeded: slot)
            ),
            responder: Endpoint(address: IPAddress(ipv4: 0xC0A8_0001), port: 80),
            time: PacketTime(nanoseconds: 0),
            sawHandshake: slot % 2 == 0
        )
    }

    @Test func `every slot keeps its connection while memory grows for others`() {
        var connections = TrackedConnections()
        // In descending order within strides, so that blocks are made ahead of the slots between.
        let slots = (0..<50).flatMap { stride in (0..<100).map { stride * 100 + 99 - $0 } }
        for slot in slots { connections.open(Self.introduction(slot)) }
        #expect(connections.count == 5000)
        for slot in slots {
            let facts = connections.facts(of: slot)
            let introduction = Self.introduction(slot)
            #expect(facts.number == introduction.number)
            #expect(facts.client == introduction.originator && facts.server == introduction.responder)
            #expect(facts.clientEvidence == (introduction.sawHandshake ? .handshake : .assumed))
            #expect(facts.clientFromProxy == nil && facts.tlsSession == -1)
            #expect(connections[slot].isJoinedMidstream == !introduction.sawHandshake)
        }
    }

    @Test func `addresses longer than those of IPv4 are kept, and their place is used again`() {
        var connections = TrackedConnections()
        for slot in 0..<300 { connections.open(Self.introduction(slot, from: slot % 2 == 0 ? Self.long : nil)) }
        for slot in 0..<300 {
            let address = slot % 2 == 0 ? Self.long : IPAddress(ipv4: 0x0A00_0000 + UInt32(slot))
            #expect(connections.facts(of: slot).client.address == address)
            #expect(connections.facts(of: slot).server.address == IPAddress(ipv4: 0xC0A8_0001))
        }
        connections.close(0)
        let other = IPAddress(high: 0x2001_0DB8_0000_0000, low: 9)
        connections.open(Self.introduction(1000, from: other))
        #expect(connections.facts(of: 1000).client.address == other)
        #expect(connections.facts(of: 2).client.address == Self.long)
        #expect(connections.count == 300)
    }

    @Test func `the client that a PROXY header names is kept until its connection closes`() {
        var connections = TrackedConnections()
        connections.open(Self.introduction(0))
        connections.open(Self.introduction(1))
        let client = Endpoint(address: Self.long, port: 9)
        connections.proxyHeaderRead(client, isMalformed: false, slot: 0)
        #expect(connections.facts(of: 0).clientFromProxy == client)
        #expect(connections.facts(of: 0).originalClient == client)
        #expect(connections.facts(of: 1).clientFromProxy == nil)
        connections.proxyHeaderRead(nil, isMalformed: true, slot: 1)
        #expect(connections[1].hasMalformedProxyHeader && connections.facts(of: 1).clientFromProxy == nil)
        connections.close(0)
        connections.open(Self.introduction(0))
        #expect(connections.facts(of: 0).clientFromProxy == nil && !connections[0].hasMalformedProxyHeader)
    }
}

/// Values at stable indices.
@Suite struct SlabTests {
    @Test func `indices that were given back are used again, the latest first, and before the slab grows`() {
        var slab = Slab<[Int]>()
        let indices = (0..<1000).map { slab.insert([$0]) }
        #expect(indices == (0..<1000).map { Int32($0) })
        #expect(slab.remove(at: 700) == [700])
        slab.discard(at: 3)
        slab.discard(at: 999)
        #expect(slab.count == 997)
        #expect((0..<4).map { slab.insert([-$0]) } == [999, 3, 700, 1000])
        #expect([999, 3, 700, 1000].map { slab[$0] } == [[0], [-1], [-2], [-3]])
        #expect((0..<1000).allSatisfy { [3, 700, 999].contains($0) || slab[Int32($0)] == [$0] })
    }

    @Test func `elements outlive growth, and those that are left end with the slab`() {
        final class Witness {}
        weak var left: Witness?
        do {
            var slab = Slab<Witness>()
            let index = slab.insert(Witness())
            left = slab[index]
            for _ in 0..<10_000 { _ = slab.insert(Witness()) }
            #expect(slab[index] === left)
        }
        #expect(left == nil)
    }
}
