// Wingmirror · Apache-2.0
// Keys from secrets: RFC 8446 §7.1–7.3, RFC 5246 §5 and §6.3, RFC 2246 §5.

internal import Crypto
internal import FoundationEssentials

/// Makes keys from the secrets of a key log.
enum KeySchedule {
    // MARK: - TLS 1.3

    /// HKDF-Expand-Label with an empty context (RFC 8446 §7.1).
    static func expand(_ secret: SecretOctets, label: StaticString, count: Int, sha384: Bool) -> SymmetricKey {
        var info: [UInt8] = [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
        info.append(UInt8(6 + label.utf8CodeUnitCount))
        info.append(contentsOf: "tls13 ".utf8)
        info.append(contentsOf: "\(label)".utf8)
        info.append(0)
        return unsafe secret.withOctets { octets in
            sha384
                ? unsafe HKDF<SHA384>.expand(pseudoRandomKey: octets, info: info, outputByteCount: count)
                : unsafe HKDF<SHA256>.expand(pseudoRandomKey: octets, info: info, outputByteCount: count)
        }
    }

    /// The key and the nonce's base of one direction.
    static func protection(of secret: SecretOctets, suite: CipherSuite) -> RecordProtection {
        let key = expand(secret, label: "key", count: suite.keyLength, sha384: suite.usesSHA384)
        let iv = expand(secret, label: "iv", count: 12, sha384: suite.usesSHA384)
        return RecordProtection(suite: suite, version: 0x0304, key: key, iv: octets(of: iv), macKey: nil)
    }

    /// The secret of the next generation (RFC 8446 §7.2).
    static func updated(_ secret: SecretOctets, suite: CipherSuite) -> SecretOctets {
        let next = expand(secret, label: "traffic upd", count: suite.usesSHA384 ? 48 : 32, sha384: suite.usesSHA384)
        return unsafe next.withUnsafeBytes { octets in
            unsafe SecretOctets(Span(_unsafeBytes: octets))
        }
    }

    // MARK: - TLS 1.2 and before

    /// The protection of both directions, from the master secret and both randoms (RFC 5246 §6.3).
    static func protections(
        master: SecretOctets,
        clientRandom: [UInt8],
        serverRandom: [UInt8],
        suite: CipherSuite,
        version: UInt16,
        encryptsThenMACs: Bool
    ) -> (client: RecordProtection, server: RecordProtection) {
        let fixed = fixedNonceLength(suite, version)
        let mac = suite.macLength
        var block = keyBlock(
            master,
            seed: Array("key expansion".utf8) + serverRandom + clientRandom,
            count: 2 * (mac + suite.keyLength + fixed),
            suite,
            version
        )
        var taken = 0
        func take(_ count: Int) -> [UInt8] {
            defer { taken += count }
            return Array(block[taken..<taken + count])
        }
        let macs = (take(mac), take(mac))
        let keys = (take(suite.keyLength), take(suite.keyLength))
        let ivs = (take(fixed), take(fixed))
        func protection(_ mac: [UInt8], _ key: [UInt8], _ iv: [UInt8]) -> RecordProtection {
            RecordProtection(
                suite: suite,
                version: version,
                key: SymmetricKey(data: key),
                iv: iv,
                macKey: mac.isEmpty ? nil : SymmetricKey(data: mac),
                encryptsThenMACs: encryptsThenMACs
            )
        }
        let both = (client: protection(macs.0, keys.0, ivs.0), server: protection(macs.1, keys.1, ivs.1))
        block.wipe()
        return both
    }

    /// Octets of a nonce that come from the key block; TLS 1.0 takes a whole first vector for CBC from it.
    private static func fixedNonceLength(_ suite: CipherSuite, _ version: UInt16) -> Int {
        switch suite.protection {
        case .gcm, .ccm, .ccm8: 4
        case .chaCha20: 12
        case .cbcSHA1, .cbcSHA256, .cbcSHA384: version < 0x0302 ? 16 : 0
        }
    }

    private static func keyBlock(
        _ master: SecretOctets,
        seed: [UInt8],
        count: Int,
        _ suite: CipherSuite,
        _ version: UInt16
    ) -> [UInt8] {
        unsafe master.withOctets { octets in
            guard version < 0x0303 else {
                let key = unsafe SymmetricKey(data: octets)
                return suite.usesSHA384
                    ? expand(SHA384.self, key, seed, count) : expand(SHA256.self, key, seed, count)
            }
            // RFC 2246 §5: each half of the secret goes into a hash of its own.
            let half = (octets.count + 1) / 2
            let first = unsafe SymmetricKey(data: UnsafeRawBufferPointer(rebasing: octets[..<half]))
            let second = unsafe SymmetricKey(data: UnsafeRawBufferPointer(rebasing: octets[(octets.count - half)...]))
            let one = expand(Insecure.MD5.self, first, seed, count)
            let other = expand(Insecure.SHA1.self, second, seed, count)
            return zip(one, other).map { $0 ^ $1 }
        }
    }

    /// P_hash (RFC 5246 §5).
    private static func expand<Hash: HashFunction>(
        _: Hash.Type,
        _ key: SymmetricKey,
        _ seed: [UInt8],
        _ count: Int
    ) -> [UInt8] {
        var result: [UInt8] = []
        var a = Array(HMAC<Hash>.authenticationCode(for: seed, using: key))
        while result.count < count {
            result += HMAC<Hash>.authenticationCode(for: a + seed, using: key)
            a = Array(HMAC<Hash>.authenticationCode(for: a, using: key))
        }
        return Array(result[..<count])
    }

    private static func octets(of key: SymmetricKey) -> [UInt8] {
        unsafe key.withUnsafeBytes { unsafe Array($0) }
    }
}
