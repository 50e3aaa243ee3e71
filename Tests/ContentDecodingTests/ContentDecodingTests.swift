// Wingmirror · Apache-2.0
// Content codings: RFC 9110 §8.4. The fixtures were made with Python's zlib and gzip modules, and with
// libbrotlienc at its highest quality, from the word "shadow".

import ContentDecoding
import Testing

@Suite struct ContentDecodingTests {
    static let word = Array("shadow".utf8)
    static let gzip: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,  // header
        0x2B, 0xCE, 0x48, 0x4C, 0xC9, 0x2F, 0x07, 0x00,  // data
        0x2D, 0x82, 0x76, 0x75, 0x06, 0x00, 0x00, 0x00,  // check and length
    ]
    static let zlib: [UInt8] = [
        0x78, 0x9C,  // header
        0x2B, 0xCE, 0x48, 0x4C, 0xC9, 0x2F, 0x07, 0x00,  // data
        0x08, 0xC5, 0x02, 0x87,  // check
    ]
    static let raw: [UInt8] = [0x2B, 0xCE, 0x48, 0x4C, 0xC9, 0x2F, 0x07, 0x00]
    static let brotli: [UInt8] = [0x1B, 0x05, 0x00, 0xF8, 0x25, 0x00, 0x82, 0x90, 0x20, 0x03]

    @Test(arguments: [
        ("gzip", gzip), ("x-gzip", gzip), ("GZIP", gzip), ("deflate", zlib), ("deflate", raw), ("br", brotli),
        ("BR", brotli),
        ("identity", word),
        (" , gzip\t,", gzip), ("identity, gzip", gzip), ("", word),
    ])
    func `each coding gives the content back`(coding: String, content: [UInt8]) throws {
        let decoded = try ContentDecoding.decode(content, codings: [coding], limit: 100)
        #expect(decoded == DecodedContent(octets: Self.word, end: .whole))
    }

    @Test func `the last coding comes off first, in one field or several`() throws {
        // deflate of gzip of the word.
        let content: [UInt8] = [
            0x78, 0x9C, 0x93, 0xEF, 0xE6, 0x60, 0x00, 0x01, 0x26, 0x66, 0xED, 0x73, 0x1E, 0x3E, 0x27, 0xF5, 0xD9, 0x19,
            0x74, 0x9B, 0xCA, 0x4A, 0xD9, 0x80, 0x22, 0x00, 0x3E, 0x4A, 0x04, 0xE4,
        ]
        #expect(try ContentDecoding.decode(content, codings: ["gzip, deflate"], limit: 100).octets == Self.word)
        #expect(try ContentDecoding.decode(content, codings: ["gzip", "deflate"], limit: 100).octets == Self.word)
        #expect(throws: ContentDecodingError.self) {
            try ContentDecoding.decode(content, codings: ["deflate, gzip"], limit: 100)
        }
    }

    @Test func `members of a gzip file read as one, and garbage after the last is ignored`() throws {
        let first: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2B, 0xCE, 0x48, 0x04, 0x00, 0x7A, 0xBF, 0x67,
            0x3E, 0x03, 0x00, 0x00, 0x00,
        ]
        let second: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4B, 0xC9, 0x2F, 0x07, 0x00, 0x19, 0x29, 0x9B,
            0x9C, 0x03, 0x00, 0x00, 0x00,
        ]
        let decoded = try ContentDecoding.decode(first + second + [0, 0, 7], codings: ["gzip"], limit: 100)
        #expect(decoded == DecodedContent(octets: Self.word, end: .whole))
    }

    @Test(arguments: [0, 1, 5]) func `no more comes out than the limit`(limit: Int) throws {
        for (coding, content) in [
            ("gzip", Self.gzip), ("deflate", Self.raw), ("br", Self.brotli), ("identity", Self.word),
        ] {
            let decoded = try ContentDecoding.decode(content, codings: [coding], limit: limit)
            #expect(decoded == DecodedContent(octets: Array(Self.word.prefix(limit)), end: .limit))
            #expect(ContentDecoding.whole(coding, content, limit: limit) == nil)
        }
    }

    @Test func `exactly the limit is whole`() {
        #expect(ContentDecoding.whole("gzip", Self.gzip, limit: 6) == Self.word)
        #expect(ContentDecoding.whole("identity", Self.word, limit: 6) == Self.word)
    }

    /// 65,536 zeros in 96 octets; a thousand of them are 64 MiB in 96 kB.
    private static let zeros: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xED, 0xC1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80,
        0x90, 0xFE, 0xAF, 0xEE, 0x08, 0x0A, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x6A, 0xEB, 0x8E,
        0x97, 0xD7, 0x00, 0x00, 0x01, 0x00,
    ]

    @Test func `a bomb stops at the limit`() throws {
        let bomb = [UInt8](repeatElement(Self.zeros, count: 1000).joined())
        let decoded = try ContentDecoding.decode(bomb, codings: ["gzip"], limit: 100_000)
        #expect(decoded == DecodedContent(octets: [UInt8](repeating: 0, count: 100_000), end: .limit))
    }

    /// What comes out of a file that comes in pieces, and whether it is cut or unfolds too far.
    private func unpack(
        _ pieces: [[UInt8]],
        _ ratio: UnpackingRatio = UnpackingRatio(free: 100_000, factor: 100)
    ) throws -> (octets: [UInt8], isCut: Bool, isExcessive: Bool) {
        var unpacking = try Unpacking(ratio: ratio)
        var octets: [UInt8] = []
        for piece in pieces {
            unpacking.append(piece)
            while case let next = try unpacking.next(), !next.isEmpty { octets += next }
        }
        return (octets, unpacking.isCut, unpacking.isExcessive)
    }

    @Test func `a file is decompressed as its octets come, whatever its members and what follows them`() throws {
        let file = Self.gzip + Self.zeros + Self.gzip
        let content = Self.word + [UInt8](repeating: 0, count: 65_536) + Self.word
        let followers: [[UInt8]] = [[], [0], [0x1F], [7, 8, 9]]
        for rest in followers {
            let all = file + rest
            for pieces in [[all], all.map { [$0] }] {
                let unpacked = try unpack(pieces)
                #expect(unpacked.octets == content)
                #expect(!unpacked.isCut && !unpacked.isExcessive, "followed by \(rest)")
            }
        }
        let cut = try unpack([Array(file.dropLast(9))])
        #expect(cut.isCut && cut.octets.count > 65_536)
        #expect(throws: ContentDecodingError.self) { try unpack([[0x1F, 0x8B, 1, 2, 3]]) }
    }

    @Test func `a file that unfolds further than its kind does is refused where that shows, not at its end`() throws {
        let bomb = [UInt8](repeatElement(Self.zeros, count: 1000).joined())
        let decoded = try unpack([bomb])
        #expect(decoded.isExcessive && !decoded.isCut)
        #expect(decoded.octets.count < 130_000)
        #expect(try unpack([Self.zeros]).octets.count == 65_536)
        #expect(try unpack([Self.gzip], UnpackingRatio(free: .max, factor: .max)).octets == Self.word)
    }

    @Test func `Brotli content that unfolds to a million octets is decompressed only to the limit`() throws {
        let bomb: [UInt8] = [
            0x5B, 0x3F, 0x42, 0x8F, 0x7F, 0x02, 0x20, 0x1E, 0x0B, 0x04, 0xF2, 0x73, 0x1E, 0x00,
        ]
        let decoded = try ContentDecoding.decode(bomb, codings: ["br"], limit: 100_000)
        #expect(decoded == DecodedContent(octets: [UInt8](repeating: 0, count: 100_000), end: .limit))
        #expect(try ContentDecoding.decode(bomb, codings: ["br"], limit: 2_000_000).octets.count == 1_000_000)
    }

    @Test func `content cut at any octet is told as truncated and gives what it has`() throws {
        for (coding, content) in [
            ("gzip", Self.gzip), ("deflate", Self.zlib), ("deflate", Self.raw), ("br", Self.brotli),
        ] {
            for length in 2..<content.count {
                let decoded = try ContentDecoding.decode(Array(content.prefix(length)), codings: [coding], limit: 100)
                #expect(decoded.end == .truncated, "\(coding), \(length) octets")
                #expect(Self.word.starts(with: decoded.octets))
            }
        }
    }

    @Test func `no content at all is whole in any coding`() throws {
        for coding in ["gzip", "deflate", "br", "identity"] {
            #expect(
                try ContentDecoding.decode([], codings: [coding], limit: 0) == DecodedContent(octets: [], end: .whole)
            )
        }
    }

    @Test func `what is not known or none of the coding is an error of its own`() {
        #expect(throws: ContentDecodingError.unknownCoding("zstd")) {
            try ContentDecoding.decode(Self.word, codings: ["zstd"], limit: 100)
        }
        #expect(throws: ContentDecodingError.self) {
            try ContentDecoding.decode([0xFF, 0xFF, 0xFF, 0xFF], codings: ["br"], limit: 100)
        }
        #expect(throws: ContentDecodingError.tooManyCodings) {
            try ContentDecoding.decode(Self.word, codings: ["gzip,gzip,gzip", "gzip,gzip"], limit: 100)
        }
        #expect(throws: ContentDecodingError.malformed("incorrect header check")) {
            try ContentDecoding.decode(Self.word, codings: ["gzip"], limit: 100)
        }
        var damaged = Self.gzip
        damaged[18] ^= 0xFF
        #expect(throws: ContentDecodingError.malformed("incorrect data check")) {
            try ContentDecoding.decode(damaged, codings: ["gzip"], limit: 100)
        }
        // Deflate with a preset dictionary, which no recipient can know.
        let preset: [UInt8] = [0x78, 0xBB, 0x08, 0xC5, 0x02, 0x87, 0x2B, 0x06, 0x93, 0x00, 0x08, 0xC5, 0x02, 0x87]
        #expect(throws: ContentDecodingError.malformed("a preset dictionary")) {
            try ContentDecoding.decode(preset, codings: ["deflate"], limit: 100)
        }
    }

    @Test func `damaged content never gives more than the limit`() {
        var random = UInt64(42)
        var decodedCount = 0
        for _ in 0..<2000 {
            var content = Self.gzip + Self.gzip
            for _ in 0..<3 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                content[Int(random >> 33) % content.count] = UInt8(truncatingIfNeeded: random >> 20)
            }
            guard let decoded = try? ContentDecoding.decode(content, codings: ["gzip"], limit: 9) else { continue }
            decodedCount += 1
            #expect(decoded.octets.count <= 9, "\(content)")
        }
        // What was damaged behind the limit, or in what carries no content, is decoded all the same.
        #expect(decodedCount > 20)
    }
}
