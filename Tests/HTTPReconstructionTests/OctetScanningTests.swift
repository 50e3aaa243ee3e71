// Wingmirror · Apache-2.0

import COctetScanning
import Testing

@testable import HTTPReconstruction

/// The searches of sixteen octets at a time against loops over single octets, whatever the octets, wherever they end.
@Suite struct OctetScanningTests {
    /// Octets of which few are of a kind that is searched for, or many.
    private static func octets(_ count: Int, _ random: inout SystemRandomNumberGenerator) -> [UInt8] {
        let rare: [UInt8] = [
            0x00, 0x09, 0x0A, 0x0D, 0x1F, 0x20, 0x2D, 0x2F, 0x3A, 0x40, 0x5B, 0x5F, 0x60, 0x7F, 0x80, 0xFF,
        ]
        return switch Int.random(in: 0..<3, using: &random) {
        case 0: (0..<count).map { _ in .random(in: 0...255, using: &random) }
        case 1: (0..<count).map { _ in rare.randomElement(using: &random) ?? 0 }
        default:
            (0..<count).map { _ in
                Int.random(in: 0..<24, using: &random) == 0
                    ? rare.randomElement(using: &random) ?? 0 : .random(in: 0x61...0x7A, using: &random)
            }
        }
    }

    private static func isControl(_ octet: UInt8) -> Bool { octet < 0x20 && octet != 0x09 || octet == 0x7F }

    private static func isOfName(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    @Test func `every search finds what a loop over single octets finds`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<400 {
            let octets = Self.octets(.random(in: 0...70, using: &random), &random)
            for start in 0...octets.count {
                let rest = octets[start...]
                let control = octets.span.indexOfControl(from: start)
                #expect(control == rest.firstIndex(where: Self.isControl) ?? octets.count, "\(octets) from \(start)")
                let blank = octets.span.indexOfBlank(from: start)
                #expect(
                    blank == rest.firstIndex { $0 == 0x20 || $0 == 0x09 } ?? octets.count,
                    "\(octets) from \(start)"
                )
            }
        }
    }

    @Test func `a plain name is found where it ends with a colon, and nothing else is taken for one`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<400 {
            let octets = Self.octets(.random(in: 0...70, using: &random), &random)
            for start in 0...octets.count {
                let end = octets[start...].firstIndex { !Self.isOfName($0) } ?? octets.count
                let isName = end > start && end < octets.count && octets[end] == 0x3A
                let found = octets.span.plainNameEnd(from: start)
                let mayBeFound = octets.count >= 16 && end - start < 32
                #expect(found == (isName && mayBeFound ? end : nil), "\(octets) from \(start)")
            }
        }
    }

    @Test func `every single octet is of the same kind in both forms, at every place of a block`() {
        for octet in UInt8.min...UInt8.max {
            for place in 0..<16 {
                var block = [UInt8](repeating: 0x61, count: 16)
                block[place] = octet
                let marks = unsafe block.withUnsafeBufferPointer { buffer -> [[UInt32]] in
                    guard let base = buffer.baseAddress else { return [] }
                    return unsafe [
                        [wingmirror_controls(base), wingmirror_controls_portable(base)],
                        [wingmirror_names(base), wingmirror_names_portable(base)],
                        [wingmirror_visible(base), wingmirror_visible_portable(base)],
                        [wingmirror_equals(base, 0x3A), wingmirror_equals_portable(base, 0x3A)],
                    ]
                }
                let bit = UInt32(1) << UInt32(place)
                let names = Self.isOfName(octet) ? 0xFFFF : 0xFFFF & ~bit
                #expect(marks[0] == [Self.isControl(octet) ? bit : 0, Self.isControl(octet) ? bit : 0])
                #expect(marks[1] == [names, names])
                let visible = (0x21...0x7E).contains(octet) ? 0xFFFF : 0xFFFF & ~bit
                #expect(marks[2] == [visible, visible])
                #expect(marks[3] == [octet == 0x3A ? bit : 0, octet == 0x3A ? bit : 0])
            }
        }
    }

    @Test func `both forms give the same for any sixteen octets`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let block = Self.octets(16, &random)
            let sought = block.randomElement(using: &random) ?? 0
            let agrees = unsafe block.withUnsafeBufferPointer { buffer -> Bool in
                guard let base = buffer.baseAddress else { return false }
                return unsafe wingmirror_controls(base) == wingmirror_controls_portable(base)
                    && wingmirror_names(base) == wingmirror_names_portable(base)
                    && wingmirror_visible(base) == wingmirror_visible_portable(base)
                    && wingmirror_equals(base, sought) == wingmirror_equals_portable(base, sought)
            }
            #expect(agrees, "\(block), \(sought)")
        }
    }
}
