// Wingmirror · Apache-2.0
// The SSLKEYLOGFILE format: RFC 9850.

/// A line of a key log that helps to read traffic: `LABEL SP client random SP secret`.
struct KeyLogLine: Sendable {
    /// The labels whose secrets are used; handshake and exporter secrets protect nothing that is read.
    enum Label: UInt8, CaseIterable, Sendable {
        /// TLS 1.2 and before: the master secret, whatever the key exchange was.
        case clientRandom
        case clientTraffic
        case serverTraffic
        case clientEarlyTraffic

        fileprivate var text: StaticString {
            switch self {
            case .clientRandom: "CLIENT_RANDOM"
            case .clientTraffic: "CLIENT_TRAFFIC_SECRET_0"
            case .serverTraffic: "SERVER_TRAFFIC_SECRET_0"
            case .clientEarlyTraffic: "CLIENT_EARLY_TRAFFIC_SECRET"
            }
        }
    }

    /// What a line is.
    enum Reading {
        case secret(KeyLogLine)
        /// A comment, an empty line, or a label that is not needed.
        case notNeeded
        case malformed
    }

    /// Octets of the longest line that is read: the longest label, a random, and a secret of 48 octets.
    static let lengthLimit = 512

    let label: Label
    let random: ClientRandom
    let secret: SecretOctets

    /// Reads a line without its line end; CR at the end is passed over.
    static func read(_ line: Span<UInt8>) -> Reading {
        var end = line.count
        while end > 0, line[end - 1] == 0x0D || line[end - 1] == 0x20 { end -= 1 }
        guard end > 0, line[0] != UInt8(ascii: "#") else { return .notNeeded }
        var space = 0
        while space < end, line[space] != 0x20 { space += 1 }
        guard space < end else { return .malformed }
        guard let label = Label.allCases.first(where: { line.extracting(0..<space).spells($0.text) }) else {
            return .notNeeded
        }
        let randomEnd = space + 1 + 64
        guard end > randomEnd + 1, line[randomEnd] == 0x20,
            var random = line.hexadecimal(space + 1..<randomEnd),
            var secret = line.hexadecimal(randomEnd + 1..<end)
        else { return .malformed }
        defer {
            random.wipe()
            secret.wipe()
        }
        guard secret.count == 48 || (secret.count == 32 && label != .clientRandom) else { return .malformed }
        return .secret(
            KeyLogLine(label: label, random: ClientRandom(random.span), secret: SecretOctets(secret.span))
        )
    }
}

extension Span where Element == UInt8 {
    fileprivate func spells(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in 0..<count where unsafe self[index] != word.utf8Start[index] { return false }
        return true
    }

    /// The octets that hexadecimal digits of either case stand for; `nil` where anything else is there.
    fileprivate func hexadecimal(_ range: Range<Int>) -> [UInt8]? {
        guard range.count % 2 == 0, range.count > 0 else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(range.count / 2)
        for place in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            guard let high = Self.value(ofDigit: self[place]), let low = Self.value(ofDigit: self[place + 1]) else {
                octets.wipe()
                return nil
            }
            octets.append(high << 4 | low)
        }
        return octets
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
