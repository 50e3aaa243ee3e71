// Wingmirror · Apache-2.0
// First octets: RFC 9112 §2.1, RFC 9113 §3.4, RFC 8446 §5.1.

internal import TrafficModel

/// What the first octets of a direction say of the protocol: one question for each that is known, in this order.
struct ProtocolProbe {
    /// What a protocol says of octets.
    enum Answer {
        /// They are its own, and nobody else's.
        case certain
        /// They may become its own, as far as there are any.
        case unsure
        case notOurs
    }

    /// The protocol that the octets are taken for.
    enum Finding {
        case request
        case response
        case tls
        case http2
        case other
    }

    let finding: Finding

    /// Asks the protocols about the octets; where they are too few to tell, they are what is expected of that side.
    init(_ octets: Span<UInt8>, expecting kind: MessageKind) {
        var start = 0
        while start < octets.count, octets[start] == 0x0D || octets[start] == 0x0A { start += 1 }
        let rest = octets.extracting(start...)
        if rest.probedAsTLS != .notOurs {
            finding = .tls
        } else if rest.probedAsHTTP2 == .certain {
            finding = .http2
        } else if rest.probedAsHTTP1(kind) != .notOurs {
            finding = kind == .request ? .request : .response
        } else if rest.probedAsHTTP1(kind.other) != .notOurs {
            finding = kind == .request ? .response : .request
        } else {
            finding = .other
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets, and those of the same stream that are held already, begin the connection preface of HTTP/2.
    ///
    /// Twelve octets tell: nothing of HTTP/1.x has a version with a 2 (RFC 9113 §3.4).
    func continuesHTTP2Preface(after held: Span<UInt8>) -> Bool {
        held.agreesWithHTTP2Preface(from: 0) && agreesWithHTTP2Preface(from: held.count) && held.count + count >= 12
    }

    /// Whether the octets begin with a SETTINGS frame that is no acknowledgement, as all that an HTTP/2 server sends does
    /// (RFC 9113 §3.4).
    var beginsWithSettings: Bool {
        guard count >= 9 else { return false }
        let length = Int(self[0]) << 16 | Int(self[1]) << 8 | Int(self[2])
        guard length % 6 == 0, length <= 6 * 64, self[3] == 4, self[4] == 0 else { return false }
        return self[5] | self[6] | self[7] | self[8] == 0
    }

    private func agreesWithHTTP2Preface(from start: Int) -> Bool {
        let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        let compared = Swift.min(count, preface.utf8CodeUnitCount - start)
        guard compared > 0 else { return false }
        for index in 0..<compared where self[index] != preface.octet(at: start + index) { return false }
        return true
    }

    /// Whether the octets begin the connection preface of HTTP/2; fewer than twelve may be a request of HTTP/1.x.
    fileprivate var probedAsHTTP2: ProtocolProbe.Answer {
        guard agreesWithHTTP2Preface(from: 0) else { return .notOurs }
        return count >= 12 ? .certain : .unsure
    }

    /// Whether the octets begin a TLS record: content type 20…23 and a version 3.x.
    fileprivate var probedAsTLS: ProtocolProbe.Answer {
        guard count > 0, self[0] &- 20 < 4 else { return .notOurs }
        guard count > 2 else { return count == 1 || self[1] == 3 ? .unsure : .notOurs }
        return self[1] == 3 && self[2] < 5 ? .certain : .notOurs
    }

    /// Whether the octets may begin a start line of HTTP/1.x; only the whole head is certain.
    fileprivate func probedAsHTTP1(_ kind: MessageKind) -> ProtocolProbe.Answer {
        HeadParser.mayBeStartLine(self, as: kind) || kind == .request && mayBeLooseRequestLine ? .unsure : .notOurs
    }
}
