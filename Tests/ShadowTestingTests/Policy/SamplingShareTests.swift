// Wingmirror · Apache-2.0

import Testing

@testable import ShadowTesting

@Suite struct SamplingShareTests {
    @Test func `nothing and everything are exact`() {
        for hash in [0, 1, UInt64.max / 2, .max - 1, .max] {
            #expect(!SamplingShare(percent: 0).includes(hash))
            #expect(SamplingShare(percent: 100).includes(hash))
            #expect(SamplingShare(percent: 1000).includes(hash))
            #expect(!SamplingShare(percent: -1).includes(hash))
            #expect(!SamplingShare(percent: .nan).includes(hash))
        }
    }

    @Test func `a thousandth of a percent has a threshold of its own`() {
        let unit = UInt64(0x1p64 / 100_000)
        let share = SamplingShare(percent: 0.001)
        #expect(share.includes(unit - 100_000))
        #expect(!share.includes(unit + 100_000))
        #expect(!SamplingShare(percent: 99.999).includes(.max))
        #expect(SamplingShare(percent: 100.0.nextDown).includes(.max / 2))
    }
}
