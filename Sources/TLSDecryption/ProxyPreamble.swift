// Wingmirror · Apache-2.0
// The PROXY protocol, versions 1 and 2: haproxy.org/download/2.8/doc/proxy-protocol.txt §2.

internal import PacketDecoding

/// How far a client's stream is a PROXY header, which may come in parts; the next stage reads what it says.
struct ProxyPreamble {
    /// What octets are that follow those taken before.
    enum Outcome {
        /// A part of the header, and more of it follows.
        case part
        /// The rest of it, so many octets.
        case rest(Int)
        /// There is no header, or none that ends where one must.
        case none
    }

    private static let line = Array("\(ProxyPrefix.line)".utf8)
    private static let signature = Array("\(ProxyPrefix.signature)".utf8)

    /// What came while it was not known how long the header is.
    private var octets: [UInt8] = []
    /// How many octets of a header of version 2 are to come.
    private var missing = 0

    /// Takes the next octets.
    mutating func take(_ next: Span<UInt8>) -> Outcome {
        guard missing == 0 else {
            missing -= next.count
            return missing > 0 ? .part : .rest(missing + next.count)
        }
        // Nearly every connection begins otherwise, which is seen where the octets lie.
        if octets.isEmpty, !Self.mayBegin(next) { return .none }
        let before = octets.count
        for index in 0..<min(next.count, ProxyPrefix.lineLimit - before) { octets.append(next[index]) }
        if begins(with: Self.line) {
            if let lineFeed = octets.firstIndex(of: 0x0A) { return .rest(lineFeed + 1 - before) }
            return octets.count < ProxyPrefix.lineLimit ? .part : .none
        }
        guard begins(with: Self.signature) else { return .none }
        guard octets.count >= ProxyPrefix.fixedOctets else { return .part }
        let length = ProxyPrefix.length(octets[14], octets[15])
        missing = max(0, length - before - next.count)
        return missing > 0 ? .part : .rest(length - before)
    }

    /// Whether octets, the first of a connection, are the beginning of a header.
    private static func mayBegin(_ next: Span<UInt8>) -> Bool {
        guard !next.isEmpty, next[0] == line[0] || next[0] == signature[0] else { return false }
        let prefix = next[0] == line[0] ? line : signature
        for index in 1..<min(next.count, prefix.count) where next[index] != prefix[index] { return false }
        return true
    }

    private func begins(with prefix: [UInt8]) -> Bool {
        octets.prefix(prefix.count).elementsEqual(prefix.prefix(octets.count))
    }
}
