// Wingmirror · Apache-2.0
// The AEADs of TLS: RFC 5116, RFC 5288, RFC 7905, RFC 8446 §5.2.

internal import CRecordAEAD
internal import Crypto

/// An AEAD with the key of a direction, made ready once for all its records.
///
/// `AES.GCM.open` expands the key for each record, and allocates for the nonce, the sealed box and the plaintext: for a short
/// record that is ten times what opening it takes. This calls the same BoringSSL, which swift-crypto brings along, and allocates
/// the plaintext.
///
/// `@unchecked Sendable`: the context is made in the initializer, opening only reads it, and the sole owner frees it.
@safe
final class RecordCipher: @unchecked Sendable {
    private let context: OpaquePointer
    /// For single blocks of AES-GCM.
    private let blocks: OpaquePointer?

    /// Octets of a tag.
    private static var tagLength: Int { 16 }

    /// Makes the cipher of a suite; `nil` where that is none of these AEADs, or has a key of another length.
    init?(_ protection: CipherSuite.Protection, key: SymmetricKey) {
        let context = unsafe key.withUnsafeBytes { key -> OpaquePointer? in
            // The octets of the key are read within the call only.
            let octets = unsafe key.assumingMemoryBound(to: UInt8.self)
            return switch protection {
            case .gcm: unsafe wingmirror_aead_aes_gcm(octets.baseAddress, octets.count)
            case .chaCha20: unsafe wingmirror_aead_chacha20_poly1305(octets.baseAddress, octets.count)
            case .ccm, .ccm8, .cbcSHA1, .cbcSHA256, .cbcSHA384: nil
            }
        }
        guard let context = unsafe context else { return nil }
        unsafe self.context = context
        unsafe blocks = key.withUnsafeBytes { key -> OpaquePointer? in
            // Read within the call only, as above.
            let octets = unsafe key.assumingMemoryBound(to: UInt8.self)
            return protection == .gcm ? unsafe wingmirror_block_cipher_aes(octets.baseAddress, octets.count) : nil
        }
    }

    deinit {
        unsafe wingmirror_aead_free(context)
        if let blocks = unsafe blocks { unsafe wingmirror_block_cipher_free(blocks) }
    }

    /// Makes the key stream of AES-GCM for one block.
    /// - Parameter counter: The nonce, and the number of the block in four octets.
    /// - Returns: Sixteen octets; `nil` under other suites.
    func keyStream(_ counter: ShortOctets) -> InlineArray<16, UInt8>? {
        guard let blocks = unsafe blocks, counter.count == 16 else { return nil }
        var stream = InlineArray<16, UInt8>(repeating: 0)
        var octets = stream.mutableSpan
        // Sixteen octets are read and as many written, within the call.
        unsafe counter.span.withUnsafeBufferPointer { counter in
            unsafe octets.withUnsafeMutableBufferPointer { octets in
                unsafe wingmirror_block_cipher_encrypt(blocks, counter.baseAddress, octets.baseAddress)
            }
        }
        return stream
    }

    /// Opens ciphertext with the tag behind it.
    /// - Parameters:
    ///   - sealed: The ciphertext and its tag.
    ///   - nonce: Twelve octets.
    ///   - additional: What the tag covers beside the ciphertext.
    /// - Returns: The plaintext; `nil` where the tag does not fit.
    func open(_ sealed: ArraySlice<UInt8>, nonce: ShortOctets, additional: ShortOctets) -> [UInt8]? {
        guard sealed.count >= Self.tagLength else { return nil }
        var isAuthentic = false
        let count = sealed.count - Self.tagLength
        let plaintext = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, written in
            // All that is handed over is used within the call; it writes `count` octets, where it succeeds, and no more.
            isAuthentic = unsafe sealed.withUnsafeBufferPointer { sealed in
                unsafe nonce.span.withUnsafeBufferPointer { nonce in
                    unsafe additional.span.withUnsafeBufferPointer { additional in
                        unsafe wingmirror_aead_open(
                            context,
                            room.baseAddress,
                            room.count,
                            nonce.baseAddress,
                            nonce.count,
                            sealed.baseAddress,
                            sealed.count,
                            additional.baseAddress,
                            additional.count
                        ) == 1
                    }
                }
            }
            written = isAuthentic ? count : 0
        }
        return isAuthentic ? plaintext : nil
    }
}

/// Up to sixteen octets in place: a nonce, or what a tag covers beside the ciphertext.
struct ShortOctets {
    private var octets = InlineArray<16, UInt8>(repeating: 0)
    private(set) var count = 0

    /// Takes the first sixteen octets of an array.
    init(_ array: [UInt8] = []) {
        for octet in array.prefix(octets.count) { append(octet) }
    }

    /// Adds an octet; there must be room.
    mutating func append(_ octet: UInt8) {
        octets[count] = octet
        count += 1
    }

    /// Adds the lowest `count` octets of a number, the highest of them first.
    mutating func append(_ number: UInt64, octets count: Int) {
        for place in 0..<count { append(UInt8(truncatingIfNeeded: number >> UInt64(8 * (count - 1 - place)))) }
    }

    /// Combines the last octets with those of a number.
    mutating func xorLast(_ number: UInt64) {
        for place in 0..<8 { octets[count - 8 + place] ^= UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * place)) }
    }

    /// The octets.
    var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { octets.span.extracting(first: count) }
    }

    /// The octets in an array of their own.
    var array: [UInt8] { (0..<count).map { octets[$0] } }
}
