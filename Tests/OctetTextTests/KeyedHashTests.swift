// Wingmirror · Apache-2.0
// Test vectors of SipHash-2-4: the reference implementation of its authors, `vectors.h` (CC0).

import OctetText
import Testing

@Suite struct KeyedHashTests {
    /// The outputs for the inputs of 0 to 15 octets 0, 1, 2 … under the key of the octets 0 to 15.
    static let vectors: [UInt64] = [
        0x726F_DB47_DD0E_0E31, 0x74F8_39C5_93DC_67FD, 0x0D6C_8009_D9A9_4F5A, 0x8567_6696_D7FB_7E2D,
        0xCF27_94E0_2771_87B7, 0x1876_5564_CD99_A68D, 0xCBC9_466E_58FE_E3CE, 0xAB02_00F5_8B01_D137,
        0x93F5_F579_9A93_2462, 0x9E00_82DF_0BA9_E4B0, 0x7A5D_BBC5_94DD_B9F3, 0xF4B3_2F46_226B_ADA7,
        0x751E_8FBC_860E_E5FB, 0x14EA_5627_C084_3D90, 0xF723_CA90_8E7A_F2EE, 0xA129_CA61_49BE_45E5,
    ]

    private func empty() -> KeyedHash {
        KeyedHash(key0: 0x0706_0504_0302_0100, key1: 0x0F0E_0D0C_0B0A_0908)
    }

    @Test(arguments: vectors.indices)
    func `the published vectors hold`(count: Int) {
        var hash = empty()
        hash.combine((0..<count).map(UInt8.init))
        #expect(hash.value == Self.vectors[count])
    }

    @Test func `octets give the same hash however they are handed over`() {
        let octets = (0..<40).map { UInt8($0 * 7 % 256) }
        var whole = empty()
        whole.combine(octets.span)
        for split in 0...octets.count {
            var parts = empty()
            parts.combine(octets[..<split])
            parts.combine(octets[split...])
            #expect(parts.value == whole.value)
        }
        var single = empty()
        for octet in octets { single.combine(octet) }
        #expect(single.value == whole.value)
    }

    @Test func `a hash can be asked for and gone on with`() {
        var hash = empty()
        hash.combine([1, 2, 3])
        let before = hash.value
        #expect(hash.value == before)
        hash.combine([4])
        #expect(hash.value != before)
    }

    @Test func `another secret is another hash`() {
        var first = KeyedHash(secret: "")
        var second = KeyedHash(secret: "s")
        first.combine([1])
        second.combine([1])
        #expect(first.value != second.value)
    }
}
