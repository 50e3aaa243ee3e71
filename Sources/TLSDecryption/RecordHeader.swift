// Wingmirror · Apache-2.0
// The record layer: RFC 8446 §5.1 and §5.2, RFC 5246 §6.2.

/// What a record holds; in TLS 1.3 an encrypted record hides its own type behind `applicationData`.
enum ContentType {
    static let changeCipherSpec: UInt8 = 20
    static let alert: UInt8 = 21
    static let handshake: UInt8 = 22
    static let applicationData: UInt8 = 23
}

/// The five octets in front of every record, which are never encrypted.
struct RecordHeader: BitwiseCopyable, Hashable {
    static let octetCount = 5
    /// The longest body that is read: 2¹⁴ octets and what the oldest ciphers may add (RFC 5246 §6.2.3).
    static let bodyLimit = 16_384 + 2_048

    let type: UInt8
    /// 0x0301…0x0304; means nothing in TLS 1.3, and in the first records of any version (RFC 8446 §5.1).
    let version: UInt16
    /// The octets that follow.
    let length: Int

    /// Reads the header at an index of octets that reach far enough; `nil` where they are no record's.
    init?(_ octets: Span<UInt8>, at index: Int) {
        type = octets[index]
        version = UInt16(octets[index + 1]) << 8 | UInt16(octets[index + 2])
        length = Int(octets[index + 3]) << 8 | Int(octets[index + 4])
        guard type &- ContentType.changeCipherSpec < 4, version >= 0x0300, version <= 0x0304,
            length <= Self.bodyLimit
        else { return nil }
    }

    init(type: UInt8, version: UInt16, length: Int) {
        self.type = type
        self.version = version
        self.length = length
    }

    /// Whether octets, of which there may be too few to tell, may begin a record.
    static func mayBegin(_ octets: Span<UInt8>) -> Bool {
        guard octets.count > 0, octets[0] &- ContentType.changeCipherSpec < 4 else { return false }
        guard octets.count > 1 else { return true }
        guard octets[1] == 3 else { return false }
        return octets.count < octetCount || RecordHeader(octets, at: 0) != nil
    }

    /// Whether octets, of which there may be too few to tell, may begin the first record of a side: its hello, or an
    /// alert that refuses the other's.
    static func mayBeginHandshake(_ octets: Span<UInt8>) -> Bool {
        guard mayBegin(octets) else { return false }
        switch octets[0] {
        case ContentType.handshake: return octets.count < 6 || octets[5] == 1 || octets[5] == 2
        case ContentType.alert: return octets.count < 5 || (octets[3] == 0 && octets[4] == 2)
        default: return false
        }
    }
}
