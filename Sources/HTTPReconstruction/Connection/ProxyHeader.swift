// Wingmirror · Apache-2.0
// The PROXY protocol, versions 1 and 2: haproxy.org/download/2.8/doc/proxy-protocol.txt §2.

internal import PacketDecoding

/// What a load balancer writes in front of everything else on a connection, to say whose connection it is.
struct ProxyHeader {
    /// The client as the load balancer saw it; `nil` for its own checks and for families without addresses.
    let client: Endpoint?
    /// Whether the header says what cannot be; a receiver closes the connection (§2.2).
    let isMalformed: Bool
    /// How many octets it takes; extensions at its end may not have come yet.
    let length: Int

    /// What the first octets of a connection are.
    enum Outcome {
        /// A header, and perhaps more behind it.
        case header(ProxyHeader)
        /// The beginning of one.
        case incomplete
        case notOurs
    }

    /// What came of a header that is not complete.
    enum Part {
        /// Too little to tell what it says.
        case beginning([UInt8])
        /// What it says, but for so many octets of extensions.
        case extensions(missing: Int)

        /// How many octets are kept of it.
        var octetCount: Int { if case .beginning(let octets) = self { octets.count } else { 0 } }
    }

    /// How many octets tell what a header says, or that it says nothing: a line of version 1, or version 2 with two IPv6 addresses.
    static let decidingOctets = max(searchedOctets, addressLimit)
    /// Version 2 up to the end of two IPv6 addresses (§2.2).
    private static let addressLimit = ProxyPrefix.fixedOctets + 36
    /// How far the line end of a header of version 1 that is too long is looked for.
    private static let searchedOctets = 256

    /// Reads the header that the octets begin with.
    static func read(_ octets: Span<UInt8>) -> Outcome {
        guard octets.count > 0 else { return .incomplete }
        switch octets[0] {
        case UInt8(ascii: "P"): return readLine(octets)
        case 0x0D: return readBinary(octets)
        default: return .notOurs
        }
    }

    /// Whether the octets can be nothing but the beginning of a header, wherever in a connection they stand.
    static func isCertain(_ octets: Span<UInt8>) -> Bool {
        if octets.count >= 12, octets.agrees(with: ProxyPrefix.signature, at: 0) { return true }
        guard octets.count >= 11 else { return false }
        return octets.agrees(with: "PROXY TCP4 ", at: 0) || octets.agrees(with: "PROXY TCP6 ", at: 0)
    }

    // MARK: - Version 1

    /// `PROXY SP protocol SP source SP destination SP port SP port CRLF`, or `PROXY UNKNOWN … CRLF`.
    ///
    /// Another line that begins with `PROXY` and has a line end is a header that says what cannot be, unless it ends as a
    /// request line does.
    private static func readLine(_ octets: Span<UInt8>) -> Outcome {
        guard octets.agrees(with: ProxyPrefix.line, at: 0) else { return .notOurs }
        let isTCP = octets.agrees(with: "PROXY TCP", at: 0)
        let isUnknown = octets.agrees(with: "PROXY UNKNOWN", at: 0)
        let searched = min(octets.count, searchedOctets)
        let lineFeed = octets.firstIndex(of: 0x0A, from: 0, to: searched)
        guard lineFeed < searched else { return octets.count < searchedOctets ? .incomplete : .notOurs }
        let length = lineFeed + 1
        if !isTCP, !isUnknown, octets.endsLikeRequestLine(lineFeed) { return .notOurs }
        guard octets[lineFeed - 1] == 0x0D, length <= ProxyPrefix.lineLimit, isTCP || isUnknown else {
            return .header(ProxyHeader(client: nil, isMalformed: true, length: length))
        }
        if !isTCP { return .header(ProxyHeader(client: nil, isMalformed: false, length: length)) }
        let client = clientOfLine(octets.extracting(6..<lineFeed - 1))
        return .header(ProxyHeader(client: client, isMalformed: client == nil, length: length))
    }

    /// The source of `TCP4 source destination port port`; `nil` where anything of it is wrong.
    private static func clientOfLine(_ line: Span<UInt8>) -> Endpoint? {
        let words = line.copied().split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 5, let source = address(words[1]), address(words[2]) != nil,
            let port = number(words[3]), number(words[4]) != nil,
            words[0].elementsEqual(words[1].contains(0x3A) ? "TCP6".utf8 : "TCP4".utf8)
        else { return nil }
        return Endpoint(address: source, port: port)
    }

    private static func address(_ text: ArraySlice<UInt8>) -> IPAddress? {
        IPAddress(String(decoding: text, as: UTF8.self))
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...5).contains(digits.count), digits.allSatisfy(\.isDigit), digits.count == 1 || digits.first != 0x30
        else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self))
    }

    // MARK: - Version 2

    /// The signature, version and command, family and protocol, length, addresses, and extensions that are passed over.
    private static func readBinary(_ octets: Span<UInt8>) -> Outcome {
        guard octets.agrees(with: ProxyPrefix.signature, at: 0) else { return .notOurs }
        guard octets.count >= ProxyPrefix.fixedOctets else { return .incomplete }
        let length = ProxyPrefix.length(octets[14], octets[15])
        guard octets.count >= min(length, addressLimit) else { return .incomplete }
        guard octets[12] >> 4 == 2, octets[12] & 15 < 2 else {
            return .header(ProxyHeader(client: nil, isMalformed: true, length: length))
        }
        // LOCAL is the load balancer's own connection.
        guard octets[12] & 15 == 1 else {
            return .header(ProxyHeader(client: nil, isMalformed: false, length: length))
        }
        switch octets[13] >> 4 {
        case 1: return addressed(octets, addressOctets: 4, length: length)
        case 2: return addressed(octets, addressOctets: 16, length: length)
        case 0, 3: return .header(ProxyHeader(client: nil, isMalformed: false, length: length))
        default: return .header(ProxyHeader(client: nil, isMalformed: true, length: length))
        }
    }

    private static func addressed(_ octets: Span<UInt8>, addressOctets: Int, length: Int) -> Outcome {
        guard length >= 16 + 2 * addressOctets + 4 else {
            return .header(ProxyHeader(client: nil, isMalformed: true, length: length))
        }
        var words: (high: UInt64, low: UInt64) = (0, 0)
        for index in 16..<16 + addressOctets {
            words.high = words.high << 8 | words.low >> 56
            words.low = words.low << 8 | UInt64(octets[index])
        }
        let portIndex = 16 + 2 * addressOctets
        let port = UInt16(octets[portIndex]) << 8 | UInt16(octets[portIndex + 1])
        let address =
            addressOctets == 4
            ? IPAddress(ipv4: UInt32(truncatingIfNeeded: words.low)) : IPAddress(high: words.high, low: words.low)
        return .header(
            ProxyHeader(client: Endpoint(address: address, port: port), isMalformed: false, length: length)
        )
    }
}

extension Span where Element == UInt8 {
    /// Whether the line that ends at `lineFeed` ends with a version of HTTP (RFC 9112 §3).
    fileprivate func endsLikeRequestLine(_ lineFeed: Int) -> Bool {
        let end = lineFeed > 0 && self[lineFeed - 1] == 0x0D ? lineFeed - 1 : lineFeed
        return end >= 9 && extracting(end - 9..<end - 1).spells(" HTTP/1.")
    }
}
