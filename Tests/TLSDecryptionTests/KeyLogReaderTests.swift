// Wingmirror · Apache-2.0

import Testing

@testable import TLSDecryption

@Suite struct KeyLogReaderTests {
    private static func random(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    private static func line(_ label: String, _ number: Int, secretOctets: Int = 32, ending: String = "\n") -> String {
        "\(label) \(random(number)) \(String(repeating: "ab", count: secretOctets))\(ending)"
    }

    private static func secrets(_ store: KeyStore, _ number: Int) -> ConnectionSecrets? {
        let lookup = store.secrets(of: ClientRandom(octets(random(number)).span))
        return if case .found(let secrets) = lookup { secrets } else { nil }
    }

    @Test func `what is needed of a log is kept, and the rest counted`() {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        let log =
            "# a comment\n\n" + Self.line("CLIENT_TRAFFIC_SECRET_0", 1) + Self.line("SERVER_TRAFFIC_SECRET_0", 1)
            + Self.line("EXPORTER_SECRET", 1) + Self.line("CLIENT_RANDOM", 2, secretOctets: 48, ending: "\r\n")
            + "RSA 0123456789abcdef 00\n" + "CLIENT_RANDOM abc def\n" + Self.line("CLIENT_RANDOM", 3, secretOctets: 32)
        reader.octetsArrived(Array(log.utf8).span)
        #expect(reader.counts.secrets == 3)
        #expect(reader.counts.notNeeded == 4)
        #expect(reader.counts.malformed == 2)
        #expect(Self.secrets(store, 1)?.isComplete == true)
        #expect(Self.secrets(store, 2)?.master?.count == 48)
        #expect(Self.secrets(store, 3) == nil)
    }

    @Test func `a log split anywhere gives the same`() {
        let log = Array((Self.line("CLIENT_TRAFFIC_SECRET_0", 7) + Self.line("SERVER_TRAFFIC_SECRET_0", 7)).utf8)
        for split in 0...log.count {
            let store = KeyStore()
            var reader = KeyLogReader(into: store)
            reader.octetsArrived(log.span.extracting(..<split))
            reader.octetsArrived(log.span.extracting(split...))
            #expect(Self.secrets(store, 7)?.isComplete == true, "split at \(split)")
            #expect(reader.counts.malformed == 0)
        }
    }

    @Test func `the end of a file ends its last line`() {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        reader.octetsArrived(Array(Self.line("CLIENT_RANDOM", 4, secretOctets: 48, ending: "").utf8).span)
        #expect(store.count == 0)
        reader.ended()
        #expect(store.count == 1)
    }

    @Test func `a line without end costs no memory, and the next one is read`() {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        let part = [UInt8](repeating: UInt8(ascii: "x"), count: 400)
        for _ in 0..<1_000 { reader.octetsArrived(part.span) }
        reader.octetsArrived(Array(("\n" + Self.line("CLIENT_RANDOM", 5, secretOctets: 48)).utf8).span)
        #expect(reader.counts.malformed == 1)
        #expect(store.count == 1)
    }

    @Test func `the NULs of a punched hole are passed over`() {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        reader.octetsArrived([UInt8](repeating: 0, count: 4_096).span)
        reader.octetsArrived(Array(Self.line("CLIENT_RANDOM", 6, secretOctets: 48).utf8).span)
        #expect(store.count == 1)
        #expect(reader.counts.malformed == 0)
    }

    @Test func `the last line of a label counts`() {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        let other = "CLIENT_RANDOM \(Self.random(8)) \(String(repeating: "cd", count: 48))\n"
        reader.octetsArrived(Array((Self.line("CLIENT_RANDOM", 8, secretOctets: 48) + other).utf8).span)
        let expected = [UInt8](repeating: 0xCD, count: 48)
        #expect(Self.secrets(store, 8)?.master?.equals(SecretOctets(expected.span)) == true)
    }

    @Test func `a long log costs the store's bound, and the newest stay`() {
        var limits = KeyStore.Limits()
        limits.connections = 100
        let store = KeyStore(limits: limits)
        var reader = KeyLogReader(into: store)
        for number in 0..<5_000 {
            reader.octetsArrived(Array(Self.line("CLIENT_RANDOM", number, secretOctets: 48).utf8).span)
        }
        #expect(store.count == 100)
        #expect(store.forgotten.displaced == 4_900 && store.forgotten.expired == 0)
        #expect(Self.secrets(store, 4_899) == nil)
        #expect(Self.secrets(store, 4_900) != nil)
        #expect(Self.secrets(store, 4_999) != nil)
    }

    @Test func `secrets that no connection takes are forgotten after a minute`() {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        for second in 0..<90 {
            store.timePassed(to: Int64(second) * 1_000_000_000)
            reader.octetsArrived(Array(Self.line("CLIENT_RANDOM", second, secretOctets: 48).utf8).span)
            if second == 0 { store.claim(ClientRandom([UInt8](repeating: 0, count: 32).span), isKept: true) }
        }
        #expect(store.count == 61)
        #expect(Self.secrets(store, 28) == nil && Self.secrets(store, 29) != nil)
        // The first was taken, and kept for another capture of its connection.
        #expect(store.forgotten.expired == 28 && store.forgotten.displaced == 0)
        store.timePassed(to: 1_000_000_000_000)
        #expect(store.count == 0)
        #expect(store.candidates(limit: 10)?.secrets.isEmpty == true)
    }

    @Test func `secrets that expire leave no more behind than those that do not`() {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        for number in 0..<20_000 {
            store.timePassed(to: Int64(number) * 1_000_000_000)
            reader.octetsArrived(Array(Self.line("CLIENT_RANDOM", number, secretOctets: 48).utf8).span)
        }
        #expect(store.count == 61)
        #expect(store.candidates(limit: 100)?.secrets.count == 61)
    }
}
