// Wingmirror · Apache-2.0
// Records: RFC 8446 §5.2–5.4, RFC 5246 §6.2.3, RFC 5288, RFC 6655, RFC 7366, RFC 7905.

internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials

/// What one direction's records are protected with, under one generation of keys.
///
/// This, ``RecordCipher`` and `KeySchedule` are all that knows of swift-crypto. What the cipher does not open, CCM and CBC,
/// swift-crypto opens, which takes and gives `Data`.
///
/// It never changes, and is shared by whoever needs it for a record rather than copied with all its parts.
final class RecordProtection: Sendable {
    let suite: CipherSuite
    let version: UInt16
    private let key: SymmetricKey
    private let iv: [UInt8]
    private let macKey: SymmetricKey?
    private let encryptsThenMACs: Bool
    /// Opens what is protected by GCM or ChaCha20-Poly1305; `nil` under other suites.
    private let cipher: RecordCipher?

    init(
        suite: CipherSuite,
        version: UInt16,
        key: SymmetricKey,
        iv: [UInt8],
        macKey: SymmetricKey?,
        encryptsThenMACs: Bool = false
    ) {
        self.suite = suite
        self.version = version
        self.key = key
        self.iv = iv
        self.macKey = macKey
        self.encryptsThenMACs = encryptsThenMACs
        cipher = RecordCipher(suite.protection, key: key)
    }

    var isTLS13: Bool { version >= 0x0304 }

    /// Octets in front of a record's ciphertext that complete its nonce, which TLS 1.3 has none of.
    var explicitNonceLength: Int { isTLS13 ? 0 : suite.explicitNonceLength }

    /// Octets of a record's body that are no plaintext; for CBC the fewest that there may be.
    var overhead: Int {
        if isTLS13 { return suite.tagLength + 1 }
        if suite.isCBC { return (version >= 0x0302 ? 16 : 0) + suite.macLength + 1 }
        return suite.explicitNonceLength + suite.tagLength
    }

    /// Whether a plaintext's length follows from its record's: CBC hides it in the padding, and TLS 1.3 may.
    var hasExactOverhead: Bool { !suite.isCBC }

    /// The explicit part of a nonce, which senders count up by one a record (RFC 5288 §3).
    func explicitNonce(of body: ArraySlice<UInt8>) -> UInt64? {
        guard !isTLS13, suite.explicitNonceLength == 8, body.count >= 8 else { return nil }
        return body.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// TLS 1.0: the last block of a record's ciphertext, which the next record is chained to (RFC 2246 §6.2.3.2); `nil` where
    /// records stand by themselves.
    func chainedBlock(of body: ArraySlice<UInt8>) -> [UInt8]? {
        guard suite.isCBC, version < 0x0302 else { return nil }
        // A MAC of the ciphertext lies behind it (RFC 7366 §3).
        return Array((encryptsThenMACs ? body.dropLast(suite.macLength) : body).suffix(16))
    }

    /// Opens a record.
    ///
    /// - Parameters:
    ///   - header: The record's header, as it was sent.
    ///   - body: All that follows it.
    ///   - sequence: The number of the record under these keys.
    ///   - chained: TLS 1.0: the last block of the ciphertext before, where there was one.
    /// - Returns: The plaintext and its type; `nil` where the record is not authentic under these keys and this number.
    func open(
        _ header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        sequence: UInt64,
        chained: [UInt8] = []
    ) -> OpenedRecord? {
        guard body.count >= overhead else { return nil }
        if isTLS13 {
            let additional = Self.additionalData(header)
            return openAEAD(body, nonce: nonce(xor: sequence), additional).flatMap { OpenedRecord(inner: $0) }
        }
        if suite.isCBC { return openCBC(header, body, sequence, chained) }
        let explicit = suite.explicitNonceLength
        let length = body.count - explicit - suite.tagLength
        let additional = Self.additionalData(sequence, header.type, header.version, length)
        var nonce = explicit > 0 ? ShortOctets(iv) : nonce(xor: sequence)
        for octet in body.prefix(explicit) { nonce.append(octet) }
        return openAEAD(body.dropFirst(explicit), nonce: nonce, additional)
            .map { OpenedRecord($0, type: header.type, count: length) }
    }

    /// Whether a record of application data, as its header says, holds that: TLS 1.3 has the type behind the content
    /// (RFC 8446 §5.2).
    ///
    /// Says nothing of whether the record is authentic. `false` too where zeros stand behind the type, and for modes that are
    /// not looked into.
    func seemsToBeData(_ body: ArraySlice<UInt8>, sequence: UInt64) -> Bool {
        guard isTLS13 else { return suite.protection == .gcm || suite.protection == .chaCha20 }
        let last = body.count - suite.tagLength - 1
        guard last >= 0 else { return false }
        return peek(body, at: last..<last + 1, sequence: sequence)?.first == ContentType.applicationData
    }

    /// Decrypts some octets of a record by the blocks of a counter mode that they lie in, and nothing else of it
    /// (RFC 5288; RFC 8439 §2.8).
    ///
    /// Says nothing of whether the record is authentic: nothing may be taken from it that is not certain otherwise.
    /// - Parameters:
    ///   - body: All that follows the record's header.
    ///   - range: Which octets of what is encrypted; not empty.
    ///   - sequence: The number of the record under these keys.
    /// - Returns: The octets; `nil` where there are not so many, and for modes that are not looked into.
    func peek(_ body: ArraySlice<UInt8>, at range: Range<Int>, sequence: UInt64) -> [UInt8]? {
        let explicit = body.prefix(explicitNonceLength)
        let ciphertext = body.dropFirst(explicitNonceLength).dropLast(suite.tagLength)
        guard range.lowerBound >= 0, range.upperBound <= ciphertext.count, !range.isEmpty else { return nil }
        switch suite.protection {
        case .gcm:
            let nonce = explicit.isEmpty ? nonce(xor: sequence) : ShortOctets(iv + explicit)
            return peekGCM(ciphertext, at: range, nonce: nonce)
        case .chaCha20: return peekChaCha20(ciphertext, at: range, nonce: nonce(xor: sequence))
        case .ccm, .ccm8, .cbcSHA1, .cbcSHA256, .cbcSHA384: return nil
        }
    }

    private func peekGCM(_ ciphertext: ArraySlice<UInt8>, at range: Range<Int>, nonce: ShortOctets) -> [UInt8]? {
        var octets: [UInt8] = []
        octets.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            var counter = nonce
            // The first block of the key stream is for the tag, so content begins with number 2 (NIST SP 800-38D §7.1).
            counter.append(UInt64(2 + index / 16), octets: 4)
            guard let stream = cipher?.keyStream(counter) else { return nil }
            let end = min(range.upperBound, (index / 16 + 1) * 16)
            while index < end {
                octets.append(ciphertext[ciphertext.startIndex + index] ^ stream[index % 16])
                index += 1
            }
        }
        return octets
    }

    private func peekChaCha20(_ ciphertext: ArraySlice<UInt8>, at range: Range<Int>, nonce: ShortOctets) -> [UInt8]? {
        let block = range.lowerBound / 64
        let blocks = Data(ciphertext.dropFirst(block * 64).prefix(range.upperBound - block * 64))
        guard let start = try? Insecure.ChaCha20CTR.Nonce(data: nonce.array),
            let counter = try? Insecure.ChaCha20CTR.Counter(offset: UInt32(truncatingIfNeeded: 1 + block)),
            let octets = try? Insecure.ChaCha20CTR.encrypt(blocks, using: key, counter: counter, nonce: start)
        else { return nil }
        return Array(octets.dropFirst(range.lowerBound - block * 64))
    }

    // MARK: - AEAD

    /// Opens ciphertext and tag.
    private func openAEAD(
        _ sealed: ArraySlice<UInt8>,
        nonce: ShortOctets,
        _ additional: ShortOctets
    ) -> [UInt8]? {
        if let cipher { return cipher.open(sealed, nonce: nonce, additional: additional) }
        guard suite.protection == .ccm || suite.protection == .ccm8 else { return nil }
        return openCCM(
            sealed.dropLast(suite.tagLength),
            tag: sealed.suffix(suite.tagLength),
            nonce: nonce.array,
            additional.array
        )
    }

    /// CCM with a nonce of twelve octets (RFC 3610 §2): counter mode, and a CBC-MAC of the plaintext.
    private func openCCM(
        _ ciphertext: ArraySlice<UInt8>,
        tag: ArraySlice<UInt8>,
        nonce: [UInt8],
        _ additional: [UInt8]
    ) -> [UInt8]? {
        // Block 0 of the key stream is for the tag, the blocks from 1 on for the content.
        let start: [UInt8] = [2] + nonce + [0, 0, 0]
        guard let counter = try? AES._CTR.Nonce(nonceBytes: start),
            let stream = try? AES._CTR.decrypt(
                [UInt8](repeating: 0, count: 16) + ciphertext,
                using: key,
                nonce: counter
            )
        else { return nil }
        let plaintext = Array(stream.dropFirst(16))
        let tagLength = suite.tagLength
        var blocks: [UInt8] = [UInt8(0x40 | ((tagLength - 2) / 2) << 3 | 2)]
        blocks += nonce
        for shift in [16, 8, 0] { blocks.append(UInt8(truncatingIfNeeded: plaintext.count >> shift)) }
        blocks += [UInt8(additional.count >> 8), UInt8(additional.count & 0xFF)] + additional
        while blocks.count % 16 != 0 { blocks.append(0) }
        blocks += plaintext
        while blocks.count % 16 != 0 { blocks.append(0) }
        guard let zero = try? AES._CBC.IV(ivBytes: [UInt8](repeating: 0, count: 16)),
            let chain = try? AES._CBC.encrypt(blocks, using: key, iv: zero, noPadding: true)
        else { return nil }
        let expected = zip(chain.suffix(16), stream.prefix(16)).map { $0 ^ $1 }
        return expected.prefix(tagLength).elementsEqual(tag) ? plaintext : nil
    }

    private func nonce(xor sequence: UInt64) -> ShortOctets {
        var nonce = ShortOctets(iv)
        nonce.xorLast(sequence)
        return nonce
    }

    private static func additionalData(_ header: RecordHeader) -> ShortOctets {
        var octets = ShortOctets()
        octets.append(header.type)
        octets.append(UInt64(header.version), octets: 2)
        octets.append(UInt64(header.length), octets: 2)
        return octets
    }

    /// Number, type, version and length of the plaintext (RFC 5246 §6.2.3.3), which a MAC covers too.
    private static func additionalData(
        _ sequence: UInt64,
        _ type: UInt8,
        _ version: UInt16,
        _ length: Int
    ) -> ShortOctets {
        var octets = ShortOctets()
        octets.append(sequence, octets: 8)
        octets.append(type)
        octets.append(UInt64(version), octets: 2)
        octets.append(UInt64(length), octets: 2)
        return octets
    }

    // MARK: - CBC

    private func openCBC(
        _ header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ sequence: UInt64,
        _ chained: [UInt8]
    ) -> OpenedRecord? {
        var sealed = body
        if encryptsThenMACs {
            sealed = body.dropLast(suite.macLength)
            let covered = Self.additionalData(sequence, header.type, header.version, sealed.count).array + sealed
            guard mac(of: covered).elementsEqual(body.suffix(suite.macLength)) else { return nil }
        }
        let vector: [UInt8]
        if version >= 0x0302 {
            vector = Array(sealed.prefix(16))
            sealed = sealed.dropFirst(16)
        } else {
            vector = chained.isEmpty ? iv : chained
        }
        guard !sealed.isEmpty, sealed.count % 16 == 0, let vector = try? AES._CBC.IV(ivBytes: vector),
            let padded = try? AES._CBC.decrypt(sealed, using: key, iv: vector, noPadding: true), let last = padded.last
        else { return nil }
        let trailing = Int(last) + 1 + (encryptsThenMACs ? 0 : suite.macLength)
        guard padded.count >= trailing else { return nil }
        let count = padded.count - trailing
        if !encryptsThenMACs {
            let covered = Self.additionalData(sequence, header.type, header.version, count).array + padded.prefix(count)
            guard mac(of: covered).elementsEqual(padded.dropFirst(count).prefix(suite.macLength)) else { return nil }
        }
        return OpenedRecord(Array(padded), type: header.type, count: count)
    }

    private func mac(of octets: [UInt8]) -> [UInt8] {
        guard let macKey else { return [] }
        switch suite.protection {
        case .cbcSHA256: return Array(HMAC<SHA256>.authenticationCode(for: octets, using: macKey))
        case .cbcSHA384: return Array(HMAC<SHA384>.authenticationCode(for: octets, using: macKey))
        default: return Array(HMAC<Insecure.SHA1>.authenticationCode(for: octets, using: macKey))
        }
    }
}

/// The plaintext of a record.
struct OpenedRecord {
    private let plaintext: [UInt8]
    /// What it holds, as `ContentType` numbers it.
    let type: UInt8
    private let count: Int
    /// Whether zeros lie behind the content (TLS 1.3).
    var isPadded: Bool { hidden > 0 }
    private let hidden: Int

    init(_ plaintext: [UInt8], type: UInt8, count: Int) {
        self.plaintext = plaintext
        self.type = type
        self.count = count
        hidden = 0
    }

    /// Takes apart what TLS 1.3 encrypts: content, its type, and zeros (RFC 8446 §5.2).
    /// - Returns: `nil` where there is no type, which an authentic record cannot lack.
    init?(inner plaintext: [UInt8]) {
        guard let place = plaintext.lastIndex(where: { $0 != 0 }) else { return nil }
        self.plaintext = plaintext
        type = plaintext[place]
        count = place
        hidden = plaintext.count - 1 - place
    }

    /// The content, borrowed from the record.
    var octets: Span<UInt8> {
        @_lifetime(borrow self)
        get { plaintext.span.extracting(first: count) }
    }
}
