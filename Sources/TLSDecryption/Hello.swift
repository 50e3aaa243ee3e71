// Wingmirror · Apache-2.0
// Hellos: RFC 8446 §4.1.2, §4.1.3, §4.2; server name: RFC 6066 §3; ALPN: RFC 7301 §3.1.

/// The random octets of a client's hello, by which key logs name a connection.
struct ClientRandom: Hashable, BitwiseCopyable, Sendable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Takes the 32 octets at an index.
    init(_ octets: Span<UInt8>, at index: Int = 0) {
        func word(_ number: Int) -> UInt64 {
            var word: UInt64 = 0
            for place in 0..<8 { word = word << 8 | UInt64(octets[index + number * 8 + place]) }
            return word
        }
        first = word(0)
        second = word(1)
        third = word(2)
        fourth = word(3)
    }

    /// The octets as they stand in a hello.
    var octets: [UInt8] {
        [first, second, third, fourth].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
    }
}

/// What is taken from the hello of a client; later parts may be missing where it was not captured whole.
struct ClientHello {
    /// Octets of a handshake message up to the end of the random.
    static let randomEnd = 4 + 2 + 32

    private(set) var random: ClientRandom
    private(set) var randomOctets: [UInt8]
    /// The name the client asked for, in the case it was sent; empty where it asked for none.
    private(set) var serverName: [UInt8] = []
    /// Whether the extension with the name was captured, or all of the hello and it was not there.
    private(set) var isServerNameKnown = false
    /// The protocols it offered, most wanted first.
    private(set) var protocols: [[UInt8]] = []

    /// Whether the client may send data before its handshake is over, as far as is known.
    var mayHaveEarlyData = true

    /// Stands for a hello that was not captured, whose random was found by its keys.
    init(found random: ClientRandom) {
        self.random = random
        randomOctets = random.octets
    }

    /// Reads a message from its type on; only what is there is read.
    /// - Returns: `nil` without the whole random, or where it is no hello of a client.
    init?(_ message: Span<UInt8>) {
        guard message.count >= Self.randomEnd, message[0] == 1, message[4] == 3 else { return nil }
        random = ClientRandom(message, at: 6)
        randomOctets = message.extracting(6..<38).octets
        var reader = OctetReader(message, at: Self.randomEnd)
        guard reader.vector(lengthOctets: 1) != nil, reader.vector(lengthOctets: 2) != nil,
            reader.vector(lengthOctets: 1) != nil
        else { return }
        var offersEarlyData = false
        let end = HelloExtensions.forEach(in: message, from: reader.index) { type, range in
            switch type {
            case HelloExtensions.earlyData: offersEarlyData = true
            case HelloExtensions.serverName:
                serverName = Self.hostName(message.extracting(range))
                isServerNameKnown = true
            case HelloExtensions.protocols: protocols = HelloExtensions.protocols(message.extracting(range))
            default: break
            }
        }
        let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
        if end == 4 + length {
            isServerNameKnown = true
            mayHaveEarlyData = offersEarlyData
        }
    }

    /// The first name of type `host_name`.
    private static func hostName(_ list: Span<UInt8>) -> [UInt8] {
        var reader = OctetReader(list, at: 2)
        while let type = reader.octet(), let name = reader.vector(lengthOctets: 2) {
            if type == 0, name.count <= 255 { return list.extracting(name).octets }
        }
        return []
    }
}

/// What is taken from the hello of a server.
struct ServerHello {
    /// 0x0301…0x0304, after `supported_versions`.
    private(set) var version: UInt16
    private(set) var suite: UInt16
    private(set) var randomOctets: [UInt8]
    /// The protocol that was agreed on, where the hello says so; TLS 1.3 encrypts it.
    private(set) var chosenProtocol: [UInt8] = []
    /// Whether MACs are made of the ciphertext (RFC 7366).
    private(set) var encryptsThenMACs = false
    /// Whether it may have taken one of the client's keys from before, without which it takes no early data
    /// (RFC 8446 §4.2.10).
    private(set) var mayResume = false
    /// Whether it asks the client for another hello.
    let isRetryRequest: Bool

    /// Reads a message from its type on.
    /// - Returns: `nil` where it is no hello of a server, or not whole up to its extensions.
    init?(_ message: Span<UInt8>) {
        guard message.count >= ClientHello.randomEnd, message[0] == 2, message[4] == 3 else { return nil }
        var version = UInt16(message[4]) << 8 | UInt16(message[5])
        randomOctets = message.extracting(6..<38).octets
        isRetryRequest = randomOctets == Self.retryRandom
        var reader = OctetReader(message, at: ClientHello.randomEnd)
        guard reader.vector(lengthOctets: 1) != nil, let suite = reader.number(octets: 2), reader.octet() != nil else {
            return nil
        }
        self.suite = UInt16(suite)
        var chosen: [UInt8] = []
        var encryptsThenMACs = false
        var resumes = false
        let end = HelloExtensions.forEach(in: message, from: reader.index) { type, range in
            switch type {
            case HelloExtensions.preSharedKey: resumes = true
            case HelloExtensions.supportedVersions where range.count == 2:
                version = UInt16(message[range.lowerBound]) << 8 | UInt16(message[range.lowerBound + 1])
            case HelloExtensions.protocols:
                chosen = HelloExtensions.protocols(message.extracting(range)).first ?? []
            case HelloExtensions.encryptThenMAC: encryptsThenMACs = true
            default: break
            }
        }
        // The suite tells too, should the extension not have been captured.
        self.version = suite >> 8 == 0x13 ? 0x0304 : version
        self.encryptsThenMACs = encryptsThenMACs
        chosenProtocol = chosen
        // Of a hello that was not captured to its end nothing is known that it does not say.
        mayResume = resumes || end < 4 + (Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3]))
    }

    /// SHA-256 of "HelloRetryRequest" (RFC 8446 §4.1.3).
    private static let retryRandom: [UInt8] = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
        0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ]
}

/// The extensions at the end of a hello.
private enum HelloExtensions {
    static let serverName: UInt16 = 0
    static let protocols: UInt16 = 16
    static let encryptThenMAC: UInt16 = 22
    static let preSharedKey: UInt16 = 41
    static let earlyData: UInt16 = 42
    static let supportedVersions: UInt16 = 43

    /// Goes through the extensions that lie whole in the message.
    /// - Returns: Where the last of them ends.
    @discardableResult
    static func forEach(in message: Span<UInt8>, from index: Int, _ body: (UInt16, Range<Int>) -> Void) -> Int {
        var reader = OctetReader(message, at: index)
        guard reader.number(octets: 2) != nil else { return index }
        var end = reader.index
        while let type = reader.number(octets: 2), let content = reader.vector(lengthOctets: 2) {
            body(UInt16(type), content)
            end = reader.index
        }
        return end
    }

    /// The names of an ALPN list, of which at most sixteen are kept.
    static func protocols(_ list: Span<UInt8>) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var reader = OctetReader(list, at: 2)
        // Clients offer two or three, and none that is registered has more than 20 octets; all of it is kept for each connection.
        while names.count < 8, let name = reader.vector(lengthOctets: 1) {
            if name.count <= 32 { names.append(list.extracting(name).octets) }
        }
        return names
    }
}

/// Reads numbers and vectors of TLS's presentation language (RFC 8446 §3), and stops where the octets do.
private struct OctetReader: ~Escapable {
    private let octets: Span<UInt8>
    private(set) var index: Int

    @_lifetime(copy octets)
    init(_ octets: Span<UInt8>, at index: Int) {
        self.octets = octets
        self.index = index
    }

    mutating func octet() -> UInt8? {
        guard index < octets.count else { return nil }
        index += 1
        return octets[index - 1]
    }

    mutating func number(octets count: Int) -> Int? {
        guard index + count <= octets.count else { return nil }
        var number = 0
        for place in 0..<count { number = number << 8 | Int(octets[index + place]) }
        index += count
        return number
    }

    /// Where the content of a vector lies; `nil` where it is not all there.
    mutating func vector(lengthOctets: Int) -> Range<Int>? {
        guard let length = number(octets: lengthOctets), index + length <= octets.count else { return nil }
        index += length
        return index - length..<index
    }
}

extension Span where Element == UInt8 {
    /// A copy.
    var octets: [UInt8] {
        var copy: [UInt8] = []
        copy.append(contentsOf: self)
        return copy
    }
}
