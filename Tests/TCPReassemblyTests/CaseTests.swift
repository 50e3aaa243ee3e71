// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import TestSupport
import Testing

@testable import TCPReassembly

/// Situations that people were in, from savefiles in `Fixtures`.
@Suite struct CaseTests {
    /// What the reading of a savefile came to.
    private struct Reading {
        var events: [StreamEvent]
        var statistics: ReassemblyStatistics
        var violations: [String]

        /// The texts delivered in one direction.
        func texts(_ wanted: StreamDirection) -> [String] {
            events.compactMap {
                if case .octets(let direction, _, let text) = $0, direction == wanted { text } else { nil }
            }
        }

        /// The targets of the requests delivered.
        var targets: [String] {
            texts(.fromOriginator).compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
        }

        /// How many connections were opened.
        var connections: Int {
            events.count { if case .opened = $0 { true } else { false } }
        }
    }

    private func read(_ name: String, _ limits: ReassemblyLimits = ReassemblyLimits()) throws -> Reading {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name).pcap")
        let content = try #require(SavefileContent(Array(Data(contentsOf: file))))
        var decoder = PacketDecoder()
        var table = ConnectionTable(limits: limits)
        var sink = RecordingSink()
        var latest = PacketTime(nanoseconds: 0)
        for packet in content.packets {
            latest = packet.description.time
            guard case .segment(let segment) = decoder.decode(packet.octets.span, of: packet.description) else {
                Issue.record("\(name) holds a packet without a segment")
                continue
            }
            table.segmentArrived(segment, octets: packet.octets.span, at: latest, interface: 0, into: &sink)
        }
        table.captureEnded(at: latest, into: &sink)
        return Reading(events: sink.events, statistics: table.statistics, violations: sink.violations)
    }

    @Test(arguments: [
        ("60k-20M", 20_060_000), ("70k-20M", 20_070_000), ("20M-20M", 40_000_000), ("17M-100k", 17_100_000),
    ])
    func `a connection is found again after a burst of loss, whatever its size`(_ name: String, missing: Int) throws {
        let reading = try read("blind-after-burst-of-loss-\(name)")
        #expect(reading.targets == (0..<3).map { "/products/a\($0)" } + (0..<50).map { "/products/b\($0)" })
        #expect(reading.texts(.fromResponder).count == 53)
        #expect(reading.connections == 1)
        #expect(reading.statistics.gapOctets.total == missing)
        #expect(reading.statistics.jumps == (name == "60k-20M" ? 0 : 1))
        #expect(reading.statistics.outOfWindowSegments == reading.statistics.jumps * 4)
        #expect(reading.violations == [])
    }

    @Test func `ports used again are a new connection, though neither end nor handshake was seen`() throws {
        let reading = try read("reused-ports-handshake-unseen")
        #expect(reading.targets == ["/products/one"] + (0..<100).map { "/products/\($0)" })
        #expect(reading.texts(.fromResponder).count == 101)
        #expect(reading.connections == 2)
        #expect(reading.statistics.connectionsClosed[.superseded] == 1)
        #expect(reading.statistics.unseenReplacements == 1)
        #expect(reading.statistics.outOfWindowSegments == 4)
        #expect(reading.violations == [])
    }

    @Test func `a reset whose number is not exact is not believed when the connection goes on`() throws {
        let reading = try read("rst-not-exact")
        #expect(reading.targets == ["/products/one", "/products/two"])
        #expect(reading.texts(.fromResponder).count == 2)
        #expect(reading.statistics.connectionsClosed[.finished] == 1)
        #expect(reading.statistics.ignoredResets == 1)
    }

    @Test(arguments: ["vlan", "vxlan"])
    func `the same addresses in two networks are two connections`(_ name: String) throws {
        let reading = try read("same-tuple-two-networks-\(name)")
        #expect(reading.connections == 2)
        #expect(Set(reading.targets) == Set((0..<4).flatMap { ["/products/a\($0)", "/products/b\($0)"] }))
        #expect(reading.texts(.fromResponder).count == 8)
        #expect(reading.statistics.connectionsClosed[.finished] == 2)
        #expect(reading.statistics.gapOctets.total == 0)
    }
}
