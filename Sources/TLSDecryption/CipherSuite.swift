// Wingmirror · Apache-2.0
// Cipher suites: the IANA registry "TLS Cipher Suites"; RFC 8446 §B.4, RFC 5288, RFC 5289, RFC 6655, RFC 7905.

/// A cipher suite as far as it matters to one who has the keys: how records are protected, and with which hash the keys
/// are made.
struct CipherSuite: BitwiseCopyable, Hashable, Sendable {
    /// How a record is protected.
    enum Protection: UInt8, Hashable {
        case gcm
        case chaCha20
        case ccm
        case ccm8
        /// With an HMAC of the same name.
        case cbcSHA1
        case cbcSHA256
        case cbcSHA384
    }

    /// The number that hellos bear.
    let number: UInt16
    let protection: Protection
    /// Octets of a key.
    let keyLength: Int
    /// Whether keys are made with SHA-384; SHA-256 otherwise.
    let usesSHA384: Bool

    /// Octets of the tag behind a record that an AEAD protects.
    var tagLength: Int { protection == .ccm8 ? 8 : 16 }

    /// Octets of the HMAC in a CBC record; 0 for an AEAD.
    var macLength: Int {
        switch protection {
        case .cbcSHA1: 20
        case .cbcSHA256: 32
        case .cbcSHA384: 48
        case .gcm, .chaCha20, .ccm, .ccm8: 0
        }
    }

    var isCBC: Bool { macLength > 0 }

    /// Octets that lie in front of each ciphertext of TLS 1.2 to complete its nonce (RFC 5288 §3).
    var explicitNonceLength: Int {
        switch protection {
        case .gcm, .ccm, .ccm8: 8
        case .chaCha20, .cbcSHA1, .cbcSHA256, .cbcSHA384: 0
        }
    }

    private init(_ number: UInt16, _ protection: Protection, _ keyLength: Int, sha384: Bool = false) {
        self.number = number
        self.protection = protection
        self.keyLength = keyLength
        usesSHA384 = sha384
    }

    /// The suite of a number; `nil` where records of it cannot be opened.
    init?(number: UInt16) {
        switch number {
        case 0x1301: self.init(number, .gcm, 16)
        case 0x1302: self.init(number, .gcm, 32, sha384: true)
        case 0x1303: self.init(number, .chaCha20, 32)
        case 0x1304: self.init(number, .ccm, 16)
        case 0x1305: self.init(number, .ccm8, 16)
        // RSA, DHE_RSA, DHE_DSS, ECDHE_ECDSA, ECDHE_RSA, and PSK with and without.
        case 0x009C, 0x009E, 0x00A2, 0xC02B, 0xC02F, 0x00A8, 0xD001: self.init(number, .gcm, 16)
        case 0x009D, 0x009F, 0x00A3, 0xC02C, 0xC030, 0x00A9, 0xD002: self.init(number, .gcm, 32, sha384: true)
        case 0xCCA8, 0xCCA9, 0xCCAA, 0xCCAB, 0xCCAC: self.init(number, .chaCha20, 32)
        case 0xC09C, 0xC09E, 0xC0AC: self.init(number, .ccm, 16)
        case 0xC09D, 0xC09F, 0xC0AD: self.init(number, .ccm, 32)
        case 0xC0A0, 0xC0A2, 0xC0AE: self.init(number, .ccm8, 16)
        case 0xC0A1, 0xC0A3, 0xC0AF: self.init(number, .ccm8, 32)
        case 0x002F, 0x0032, 0x0033, 0xC009, 0xC013: self.init(number, .cbcSHA1, 16)
        case 0x0035, 0x0038, 0x0039, 0xC00A, 0xC014: self.init(number, .cbcSHA1, 32)
        case 0x003C, 0x0040, 0x0067, 0xC023, 0xC027: self.init(number, .cbcSHA256, 16)
        case 0x003D, 0x006A, 0x006B: self.init(number, .cbcSHA256, 32)
        case 0xC024, 0xC028: self.init(number, .cbcSHA384, 32, sha384: true)
        default: return nil
        }
    }

    /// How Envoy and OpenSSL call a suite, which is what their logs and configuration say; the number in hexadecimal
    /// where they have no name for it.
    static func name(of number: UInt16) -> String {
        names[number] ?? "0x" + String(number, radix: 16, uppercase: true)
    }

    private static let names: [UInt16: String] = [
        0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
        0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
        0x000A: "DES-CBC3-SHA", 0x0005: "RC4-SHA", 0x0004: "RC4-MD5",
        0x002F: "AES128-SHA", 0x0035: "AES256-SHA", 0x003C: "AES128-SHA256", 0x003D: "AES256-SHA256",
        0x0033: "DHE-RSA-AES128-SHA", 0x0039: "DHE-RSA-AES256-SHA",
        0x0067: "DHE-RSA-AES128-SHA256", 0x006B: "DHE-RSA-AES256-SHA256",
        0x009C: "AES128-GCM-SHA256", 0x009D: "AES256-GCM-SHA384",
        0x009E: "DHE-RSA-AES128-GCM-SHA256", 0x009F: "DHE-RSA-AES256-GCM-SHA384",
        0xC007: "ECDHE-ECDSA-RC4-SHA", 0xC011: "ECDHE-RSA-RC4-SHA",
        0xC009: "ECDHE-ECDSA-AES128-SHA", 0xC00A: "ECDHE-ECDSA-AES256-SHA",
        0xC013: "ECDHE-RSA-AES128-SHA", 0xC014: "ECDHE-RSA-AES256-SHA",
        0xC023: "ECDHE-ECDSA-AES128-SHA256", 0xC024: "ECDHE-ECDSA-AES256-SHA384",
        0xC027: "ECDHE-RSA-AES128-SHA256", 0xC028: "ECDHE-RSA-AES256-SHA384",
        0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384",
        0xC02F: "ECDHE-RSA-AES128-GCM-SHA256", 0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
        0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305", 0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305",
        0xCCAA: "DHE-RSA-CHACHA20-POLY1305",
        0xC09C: "AES128-CCM", 0xC09D: "AES256-CCM", 0xC0A0: "AES128-CCM8", 0xC0A1: "AES256-CCM8",
        0xC0AC: "ECDHE-ECDSA-AES128-CCM", 0xC0AD: "ECDHE-ECDSA-AES256-CCM",
        0xC0AE: "ECDHE-ECDSA-AES128-CCM8", 0xC0AF: "ECDHE-ECDSA-AES256-CCM8",
    ]
}
