// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import TrafficPipeline

/// The addresses to which this agent's own copies go, as a capture thread reads them.
@Suite struct OwnCopiesTests {
    private static func endpoint(_ number: Int) -> Endpoint {
        Endpoint(address: IPAddress(ipv4: 0x0A00_0000 + UInt32(number)), port: 8080)
    }

    /// Which of the endpoints of these numbers a reader takes for targets.
    private static func known(_ numbers: [Int], to copies: inout OwnCopies) -> [Int] {
        var known: [Int] = []
        for number in numbers where copies.include(endpoint(number)) { known.append(number) }
        return known
    }

    @Test func `a reader knows every target that was found before it asks`() {
        let arrivals = ShadowArrivals()
        arrivals.targetFound(at: Self.endpoint(1))
        var copies = arrivals.reader
        let first = Self.known([1, 2], to: &copies)
        #expect(first == [1])
        arrivals.targetFound(at: Self.endpoint(2))
        arrivals.targetFound(at: Self.endpoint(2))
        let second = Self.known([1, 2, 3], to: &copies)
        #expect(second == [1, 2])
    }

    @Test func `beyond the limit nothing is remembered, so that copies stop mirroring rather than grow a list`() {
        let arrivals = ShadowArrivals()
        for number in 0..<5000 { arrivals.targetFound(at: Self.endpoint(number)) }
        var copies = arrivals.reader
        let known = Self.known([4095, 4096], to: &copies)
        #expect(known == [4095])
    }

    @Test(.timeLimit(.minutes(20)))
    func `targets found while a reader reads are known as soon as they were added`() async {
        let arrivals = ShadowArrivals()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<2000 { arrivals.targetFound(at: Self.endpoint(number)) }
            }
            group.addTask {
                var copies = arrivals.reader
                for number in 2000..<3000 {
                    arrivals.targetFound(at: Self.endpoint(number))
                    let known = Self.known([number], to: &copies)
                    #expect(known == [number])
                }
            }
        }
        var copies = arrivals.reader
        let known = Self.known(Array(0..<3000), to: &copies)
        #expect(known.count == 3000)
    }
}
