// Wingmirror · Apache-2.0

import Testing

@testable import HTTPReconstruction
@testable import TCPReassembly

@Suite struct IdleConnectionTests {
    @Test func `an open connection on which nothing happens takes at most 440 octets in reassembly and HTTP together`()
    {
        // The index has two words for an entry at a load of one half.
        let reassembly =
            MemoryLayout<ConnectionEntry>.stride + 2 * MemoryLayout<UInt64>.stride
            + MemoryLayout<TimerWheel.Link>.stride
        // A slab has an octet for each element, which says whether it is there.
        let reconstruction =
            MemoryLayout<TrackedConnection>.stride + MemoryLayout<HTTP1Connection>.stride + 1
        #expect(reassembly + reconstruction <= 440, "\(reassembly) and \(reconstruction)")
    }
}
