// Wingmirror · Apache-2.0

import Testing

@testable import HTTPReconstruction

/// A few octets of HTTP/2 cannot make the agent do the work of many.
@Suite struct HTTP2WorkTests {
    private static let long = [UInt8](repeating: 0x61, count: 60_000)

    private static func entry(_ table: PartialTable) -> TableEntry? {
        if case .entry(let entry) = table.lookUp(0) { entry } else { nil }
    }

    private static func insert(_ count: Int, into table: inout PartialTable) {
        table.insert(
            TableEntry(code: .other, nameHash: 0),
            octetsFrom: long.span,
            at: 0,
            nameLength: 10,
            valueLength: count - 10
        )
    }

    @Test func `a table holds no more than its receiver announced, whatever the sender says`() {
        var table = PartialTable(isWhole: true)
        table.limitChanged(to: 65_536)
        Self.insert(60_000, into: &table)
        #expect(table.keptOctets < 4096)
        #expect(Self.entry(table)?.marks.contains(.valueUnknown) ?? true)
        Self.insert(1000, into: &table)
        #expect(Self.entry(table)?.marks.isEmpty == true)
    }

    @Test func `what was announced is held`() {
        var table = PartialTable(isWhole: true)
        table.allow(65_536)
        table.limitChanged(to: 65_536)
        Self.insert(60_000, into: &table)
        #expect(Self.entry(table)?.marks.isEmpty == true)
    }

    /// A client's opening, a size update, a long field that is inserted, and references to it.
    private static func conversation(_ settings: [UInt8]) -> Conversation {
        var script = HTTP2Script()
        let value = [UInt8](repeating: 0x62, count: 5000)
        // Size update to 65,536, then `x: bbb…` with incremental indexing.
        let block: [UInt8] =
            [0x3F, 0xE1, 0xFF, 0x03, 0x82, 0x84, 0x86, 0x41, 1, 0x61, 0x40, 1, 0x78, 0x7F] + [0x89, 0x26] + value
        return Conversation(
            .client(HTTP2Script.opening),
            .server(TestFrame.frame(4, 0, 0, settings)),
            .client(TestFrame.frame(1, 5, 1, block)),
            .client(TestFrame.frame(1, 5, 3, [0x82, 0x84, 0x86, 0xBF, 0xBE])),
            .server(
                script.response(1, [(":status", "200")], ends: true)
                    + script.response(3, [(":status", "204")], ends: true)
            )
        )
    }

    @Test func `a table as large as the server announced is read`() {
        let record = Self.conversation([0, 1, 0, 1, 0, 0]).read()
        #expect(record.exchanges.count == 2)
        #expect(record.exchanges.allSatisfy { $0.integrity.isEmpty }, "\(record.lines)")
    }

    @Test func `a table larger than the server announced is no reason to give the connection up`() {
        let record = Self.conversation([0, 3, 0, 0, 0, 100]).read()
        #expect(record.exchanges.count == 2)
        #expect(record.exchanges.last?.integrity.contains(.unknownFieldBlock) == true, "\(record.lines)")
    }

    @Test func `looking for frames takes no more than a few looks at each octet`() {
        // Frames that are valid up to a header that is none, so that each of them fails late.
        let update = TestFrame.frame(8, 0, 1, [0, 0, 0, 1])
        let octets = (0..<4000).flatMap { _ in update } + [UInt8](repeating: 0xFF, count: 9)
        let search = FrameSearch(
            expectations: FrameExpectations(kind: .request, lengthLimit: 16_384, highestStream: 7),
            knowsStreams: true
        )
        var looks = 0
        let found = search.boundary(in: octets.span, from: 0, startsSegment: false, onlyAtStart: false) { _ in
            looks += 1
            return true
        }
        #expect(found == nil)
        #expect(looks <= 2 * octets.count)
    }
}
