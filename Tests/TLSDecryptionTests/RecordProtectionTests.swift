// Wingmirror · Apache-2.0

import Testing

@testable import TLSDecryption

@Suite struct RecordProtectionTests {
    /// RFC 8448 §3, "Simple 1-RTT Handshake": the client's application traffic secret and what it sends.
    private static let clientSecret = octets(
        "9e40646ce79a7f9dc05af8889bce6552 875afa0b06df0087f792ebb7c17504a5"
    )
    private static let record = octets(
        """
        17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab 3f 2b 98 19 a8
        a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4
        """
    )

    private static func open(_ record: [UInt8], sequence: UInt64, _ secret: [UInt8]) throws -> [UInt8]? {
        let suite = try #require(CipherSuite(number: 0x1301))
        let protection = KeySchedule.protection(of: SecretOctets(secret.span), suite: suite)
        let read = RecordHeader(record.span, at: 0)
        let header = try #require(read)
        guard let opened = protection.open(header, record[5...], sequence: sequence) else { return nil }
        #expect(opened.type == ContentType.applicationData)
        let content = opened.octets
        return content.octets
    }

    @Test func `the record of RFC 8448 opens to the octets from 0 to 49`() throws {
        #expect(try Self.open(Self.record, sequence: 0, Self.clientSecret) == Array(0..<50))
    }

    @Test func `a record opens under no other number`() throws {
        #expect(try Self.open(Self.record, sequence: 1, Self.clientSecret) == nil)
    }

    @Test(arguments: [0, 1, 5, 30, 71])
    func `a record with one octet changed does not open`(place: Int) throws {
        var record = Self.record
        // The type and the length stay what a record may have.
        record[place] ^= place == 1 ? 0 : 1
        if place == 1 { record[2] = 1 }
        #expect(try Self.open(record, sequence: 0, Self.clientSecret) == nil)
    }

    @Test func `an updated secret opens what comes behind a KeyUpdate, and nothing before`() throws {
        let suite = try #require(CipherSuite(number: 0x1301))
        let next = KeySchedule.updated(SecretOctets(Self.clientSecret.span), suite: suite)
        #expect(next.count == 32)
        let protection = KeySchedule.protection(of: next, suite: suite)
        let read = RecordHeader(Self.record.span, at: 0)
        let header = try #require(read)
        #expect(protection.open(header, Self.record[5...], sequence: 0) == nil)
    }
}
