// Wingmirror · Apache-2.0

import COctetScanning
import Testing
import TrafficModel

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

    /// Something like a field line, seldom without a fault.
    private static func line(_ random: inout SystemRandomNumberGenerator) -> [UInt8] {
        func text(_ counts: ClosedRange<Int>, _ others: [UInt8]) -> [UInt8] {
            (0..<Int.random(in: counts, using: &random)).map { _ in
                Int.random(in: 0..<60, using: &random) == 0
                    ? others.randomElement(using: &random) ?? 0 : .random(in: 0x61...0x7A, using: &random)
            }
        }
        let gaps: [[UInt8]] = [[0x20], [0x20], [0x20], [], [0x09], [0x20, 0x20]]
        let ends: [[UInt8]] = [[0x0D, 0x0A], [0x0D, 0x0A], [0x0D, 0x0A], [0x0A], [0x20, 0x0D, 0x0A], [0x0D], []]
        return text(0...34, [0x2D, 0x5F, 0x30, 0x41, 0x21, 0x20, 0x3A, 0x80]) + [0x3A]
            + (gaps.randomElement(using: &random) ?? []) + text(0...50, [0x09, 0x20, 0x3A, 0x7F, 0x00, 0xC3])
            + (ends.randomElement(using: &random) ?? [])
    }

    /// The field line at `start` and where the next begins, if it is as `readPlainLines` wants it.
    private static func plainLine(_ octets: [UInt8], from start: Int) -> (line: FieldLine, next: Int)? {
        guard octets.count >= 16, let nameEnd = octets[start...].firstIndex(where: { !isOfName($0) }),
            octets[nameEnd] == 0x3A, 1...31 ~= nameEnd - start,
            let lineEnd = octets[nameEnd...].firstIndex(where: isControl), lineEnd + 1 < octets.count
        else { return nil }
        let hasReturn = octets[lineEnd] == 0x0D
        guard octets[hasReturn ? lineEnd + 1 : lineEnd] == 0x0A else { return nil }
        var value = octets[(nameEnd + 1)..<lineEnd]
        if value.first == 0x20 { value.removeFirst() }
        for octet in [value.first, value.last] where octet == 0x20 || octet == 0x09 { return nil }
        return (FieldLine(name: start..<nameEnd, value: value.indices), lineEnd + (hasReturn ? 2 : 1))
    }

    @Test func `plain field lines are read up to the first that is another`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4_000 {
            var octets: [UInt8] = []
            for _ in 0..<Int.random(in: 0...5, using: &random) { octets += Self.line(&random) }
            octets += [0x0D, 0x0A]
            var expected: [FieldLine] = []
            var place = 0
            while let (line, next) = Self.plainLine(octets, from: place) {
                expected.append(line)
                place = next
            }
            var lines = PlainList<FieldLine>()
            let end = octets.span.readPlainLines(from: 0, into: &lines)
            let found = (0..<lines.count).map { lines[$0] }
            #expect(end == place, "\(octets)")
            #expect(found == expected, "\(octets)")
        }
    }

    @Test func `a literal is found in either case, and no octet that differs is taken for it`() {
        let texts: [StaticString] = ["h2c", "chunked", "keep-alive", "x-envoy-upstream-service-time"]
        for text in texts {
            let lower = text.withUTF8Buffer { unsafe [UInt8]($0) }
            for place in lower.indices {
                for octet in UInt8.min...UInt8.max {
                    var octets = [0x20] + lower + [0x20]
                    octets[place + 1] = octet
                    let folded = octet &- 0x41 < 26 ? octet | 0x20 : octet
                    let isFound = octets.span.equalsIgnoringCase(1..<lower.count + 1, text)
                    #expect(isFound == (folded == lower[place]), "\(text), \(octet) at \(place)")
                }
            }
            let longer = lower + [0x20]
            let isFound = longer.span.equalsIgnoringCase(longer.indices, text)
            #expect(!isFound)
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
