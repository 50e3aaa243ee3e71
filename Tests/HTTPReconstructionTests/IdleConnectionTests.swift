// Wingmirror · Apache-2.0

import Testing

@testable import HTTPReconstruction
@testable import TCPReassembly

@Suite struct IdleConnectionTests {
    @Test func `an open connection on which nothing happens takes at most 512 octets in all stages together`() {
        // The index has two words for an entry at a load of one half.
        let reassembly =
            MemoryLayout<ConnectionEntry>.stride + 2 * MemoryLayout<UInt64>.stride
            + MemoryLayout<TimerWheel.Link>.stride
        // A slab has an octet for each element, which says whether it is there.
        let reconstruction =
            MemoryLayout<Place>.stride + MemoryLayout<TrackedConnection>.stride + 1
            + MemoryLayout<HTTP1Connection>.stride + 1
        #expect(reassembly + reconstruction <= 512, "\(reassembly) and \(reconstruction)")
    }
}
