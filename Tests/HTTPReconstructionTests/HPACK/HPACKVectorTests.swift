// Wingmirror · Apache-2.0
// RFC 7541, with the stories of http2jp/hpack-test-case.

import Testing

@testable import HTTPReconstruction

@Suite struct HPACKVectorTests {
    private static let encoders = [
        "go-hpack", "haskell-http2-linear-huffman", "haskell-http2-static", "nghttp2", "nghttp2-change-table-size",
        "swift-nio-hpack-plain-text",
    ]

    @Test(arguments: encoders, [Int.max, 1, 2, 7])
    func `a story decodes to its fields, whole and in fragments`(encoder: String, step: Int) throws {
        for (name, story) in try Fixtures.read("hpack/\(encoder)", as: HPACKStory.self) {
            var decoder = TestDecoder()
            for (number, block) in story.cases.enumerated() {
                let fields = try decoder.decode(block.wire.octets, step: step)
                let expected = block.headers.map { SeenField($0[0], $0[1]) }
                #expect(fields.map(Self.plain) == expected, "\(name), case \(number)")
            }
        }
    }

    @Test(arguments: encoders)
    func `a story split at each octet decodes to its fields`(encoder: String) throws {
        for (name, story) in try Fixtures.read("hpack/\(encoder)", as: HPACKStory.self).prefix(4) {
            var table = TestDecoder().table
            for (number, block) in story.cases.enumerated() {
                let wire = block.wire.octets
                let expected = block.headers.map { SeenField($0[0], $0[1]) }
                var after = table
                for split in 1..<max(2, min(wire.count, 200)) {
                    var decoder = TestDecoder()
                    decoder.table = table
                    let fields = try decoder.decode(wire, first: split)
                    if fields.map(Self.plain) != expected { Issue.record("\(name), case \(number), split \(split)") }
                    after = decoder.table
                }
                table = after
            }
        }
    }

    @Test(arguments: encoders)
    func `joined late, a story gives no wrong field`(encoder: String) throws {
        for (name, story) in try Fixtures.read("hpack/\(encoder)", as: HPACKStory.self) {
            for join in [1, story.cases.count / 2] {
                var decoder = TestDecoder(isWhole: false)
                for (number, block) in story.cases.enumerated().dropFirst(join) {
                    let fields = try decoder.decode(block.wire.octets)
                    #expect(fields.count == block.headers.count)
                    for (field, expected) in zip(fields, block.headers) {
                        #expect(field.name == nil || field.name == expected[0], "\(name), case \(number)")
                        #expect(field.value == nil || field.value == expected[1], "\(name), case \(number)")
                    }
                }
            }
        }
    }

    private static func plain(_ field: SeenField) -> SeenField { SeenField(field.name, field.value) }
}

extension TestDecoder {
    /// Decodes a block that comes in two fragments.
    fileprivate mutating func decode(_ block: [UInt8], first: Int) throws(HPACKError) -> [SeenField] {
        decoder.begin()
        section.removeAll()
        let split = min(first, block.count)
        try decoder.decode(block.span.extracting(first: split), tables, &table, into: &section, limit: limit)
        try decoder.decode(block.span.extracting(split...), tables, &table, into: &section, limit: limit)
        guard decoder.isAtBoundary else { throw .truncated }
        table.resolve(&section, as: .requestOrTrailers)
        return fields
    }
}
