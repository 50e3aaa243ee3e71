// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly
import Testing

@testable import TLSDecryption

/// Records that wait for keys take no more memory than they may, whatever their number and length.
@Suite struct HeldItemsTests {
    private static let place = RecordPlace(
        end: 0,
        firstTime: PacketTime(nanoseconds: 0),
        lastTime: PacketTime(nanoseconds: 0),
        octetsAtFirst: 0
    )

    private static func record(_ count: Int) -> TLSItem {
        .record([23, 3, 3, UInt8(count >> 8), UInt8(count & 0xFF)] + [UInt8](repeating: 7, count: count), place)
    }

    private static func context(_ octets: Int) -> TLSContext {
        var limits = TLSLimits()
        limits.heldOctets = octets
        return TLSContext(store: nil, limits: limits, sessions: TLSSessions())
    }

    @Test(arguments: [0, 1, 100, 16_000])
    func `the items themselves are counted, and stay within the limit`(length: Int) {
        let limit = 1 << 20
        let context = Self.context(limit)
        var connections = [HeldItems](repeating: HeldItems(), count: 50)
        for _ in 0..<500 {
            for index in connections.indices {
                connections[index].append(Self.record(length), .fromOriginator, context)
                #expect(context.statistics.heldOctets <= limit)
            }
        }
        let held = connections.reduce(0) { $0 + $1.items.count }
        #expect(held > 0 && held * MemoryLayout<TLSItem>.stride <= limit)
        for index in connections.indices { _ = connections[index].takeAll(context) }
        #expect(context.statistics.heldOctets == 0)
    }

    @Test func `the longest payloads go first, and what is short stays whole`() {
        let context = Self.context(1 << 20)
        var held = HeldItems()
        held.append(Self.record(300), .fromOriginator, context)
        for _ in 0..<10 { held.append(Self.record(16_000), .fromResponder, context) }
        #expect(held.items.count == 11)
        #expect(held.items[0].item.octetCount == 305)
        #expect(held.items.dropFirst().contains { $0.item.octetCount == 0 })
        #expect(context.statistics.shedOctets > 0)
    }
}
