// Wingmirror · Apache-2.0
// Numbers at the ends of what there is.

import Fuzzing
import TestTraits
import Testing

/// Every number that stands in a seed, replaced by those at which arithmetic ends: each reader has an answer to each.
@Suite(.heavy) struct ExtremeValueTests {
    private static let texts: [FuzzTarget] = [.yaml, .json, .gor, .har, .records, .messages, .proxy]
    private static let numbers = [
        "0", "-1", "65535", "65536", "2147483648", "4294967296", "9007199254740993", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "18446744073709551616", "1e300", "-1e300", "1e-300", "1e999",
        "00", "999999999999999999999999999999", ".5", "0x7fffffffffffffff",
    ]

    @Test(.timeLimit(.minutes(20)), arguments: texts)
    func `no number in a text is too large or too small`(target: FuzzTarget) throws {
        var replaced = 0
        for seed in try FuzzSeeds.all(of: target) where seed.octets.count <= 3000 && replaced < 15_000 {
            for range in Self.numbers(in: seed.octets).prefix(60) {
                for number in Self.numbers {
                    var octets = seed.octets
                    octets.replaceSubrange(range, with: number.utf8)
                    target.run(octets.span)
                    replaced += 1
                }
            }
        }
        #expect(replaced > 19)
    }

    private static let binaries: [FuzzTarget] = [.packets, .segments, .streams, .http2, .hpack, .tls, .savefile]
    private static let patterns: [[UInt8]] = [
        [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0x7F],
        [0, 0, 0, 0x80], [0x80, 0, 0, 0, 0, 0, 0, 0], [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        [0, 0, 0, 0, 0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF], [0, 0],
    ]

    @Test(.timeLimit(.minutes(20)), arguments: binaries)
    func `no length, number or time in binary is too large or too small`(target: FuzzTarget) throws {
        let seeds = try FuzzSeeds.all(of: target).filter { $0.octets.count <= 4096 }
        for seed in seeds.prefix(12) {
            for place in 0..<min(seed.octets.count, 220) {
                for pattern in Self.patterns where place + pattern.count <= seed.octets.count {
                    var octets = seed.octets
                    octets.replaceSubrange(place..<place + pattern.count, with: pattern)
                    target.run(octets.span)
                }
            }
        }
        #expect(!seeds.isEmpty)
    }

    /// The runs of digits of a text.
    private static func numbers(in octets: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start: Int?
        for index in 0...octets.count {
            let isDigit = index < octets.count && (0x30...0x39).contains(octets[index])
            if isDigit, start == nil { start = index }
            if !isDigit, let begin = start {
                ranges.append(begin..<index)
                start = nil
            }
        }
        return ranges
    }
}
