// Wingmirror · Apache-2.0
// Pseudo-header fields: RFC 9113 §8.3, RFC 8441 §4; singleton fields: RFC 9110 §5.5; names and fields that no message may have:
// RFC 9113 §8.2.1 and §8.2.2.

internal import OctetText

/// Field names that mean something to the reader of a field section; all others are one.
enum FieldName: UInt8, CaseIterable {
    case method, scheme, authority, path, status, `protocol`, otherPseudo
    // Fields that RFC 9110 defines with a single value.
    case host, contentType, userAgent, server, date, etag, lastModified, location, authorization, proxyAuthorization
    case referer, ifModifiedSince, ifUnmodifiedSince, ifRange, maxForwards, from, retryAfter, contentLocation
    // Fields that are looked at for other reasons.
    case contentLength, cookie, contentEncoding, grpcStatus, trace, shadow, te
    /// A field that is about the connection: Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding or Upgrade.
    case connectionSpecific
    /// What is no name: empty, or with upper case or another octet that a name must not have.
    case invalid
    case other
    /// A name that is not known.
    case unknown

    /// Whether the name begins with a colon.
    var isPseudo: Bool { rawValue <= FieldName.otherPseudo.rawValue }

    /// The name that `octets` spell, in lower case as HTTP/2 demands (RFC 9113 §8.2.1).
    init(_ octets: Span<UInt8>) {
        if let known = Self.known(octets) {
            self = known
        } else if octets.count > 0, octets[0] == UInt8(ascii: ":") {
            self = .otherPseudo
        } else {
            self = octets.isLowerCaseToken ? .other : .invalid
        }
    }

    private static func known(_ octets: Span<UInt8>) -> FieldName? {
        switch octets.count {
        case 2:
            if octets.spells("te") { return .te }
            return octets.spells("b3") ? .trace : nil
        case 4:
            if octets.spells("host") { return .host }
            if octets.spells("date") { return .date }
            if octets.spells("etag") { return .etag }
            return octets.spells("from") ? .from : nil
        case 5: return octets.spells(":path") ? .path : nil
        case 6:
            if octets.spells("cookie") { return .cookie }
            return octets.spells("server") ? .server : nil
        case 7:
            if octets.spells(":method") { return .method }
            if octets.spells(":scheme") { return .scheme }
            if octets.spells(":status") { return .status }
            if octets.spells("upgrade") { return .connectionSpecific }
            return octets.spells("referer") ? .referer : nil
        case 8:
            if octets.spells("location") { return .location }
            return octets.spells("if-range") ? .ifRange : nil
        case 9: return octets.spells(":protocol") ? .protocol : nil
        case 10:
            if octets.spells(":authority") { return .authority }
            if octets.spells("connection") || octets.spells("keep-alive") { return .connectionSpecific }
            return octets.spells("user-agent") ? .userAgent : nil
        case 11:
            if octets.spells("grpc-status") { return .grpcStatus }
            if octets.spells("traceparent") { return .trace }
            return octets.spells("retry-after") ? .retryAfter : nil
        case 12:
            if octets.spells("content-type") { return .contentType }
            if octets.spells("x-b3-traceid") { return .trace }
            return octets.spells("max-forwards") ? .maxForwards : nil
        case 13:
            if octets.spells("authorization") { return .authorization }
            return octets.spells("last-modified") ? .lastModified : nil
        case 14: return octets.spells("content-length") ? .contentLength : nil
        case 16:
            if octets.spells("content-encoding") { return .contentEncoding }
            if octets.spells("proxy-connection") { return .connectionSpecific }
            return octets.spells("content-location") ? .contentLocation : nil
        case 17:
            if octets.spells("if-modified-since") { return .ifModifiedSince }
            if octets.spells("transfer-encoding") { return .connectionSpecific }
            return octets.spells("wingmirror-shadow") ? .shadow : nil
        case 19:
            if octets.spells("proxy-authorization") { return .proxyAuthorization }
            return octets.spells("if-unmodified-since") ? .ifUnmodifiedSince : nil
        default: return nil
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets are a name, or a coding, in lower case, whatever case they have (RFC 9110 §5.1 and §8.4.1).
    func isName(_ name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let octet = self[index]
            if (octet &- 0x41 < 26 ? octet | 0x20 : octet) != name.octet(at: index) { return false }
        }
        return true
    }

    /// Whether the octets are those of a literal.
    func spells(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.octet(at: index) { return false }
        return true
    }

    /// Whether the octets are a token without letters in upper case (RFC 9113 §8.2.1).
    fileprivate var isLowerCaseToken: Bool {
        for index in 0..<count where !self[index].isTokenOctet || 0x41...0x5A ~= self[index] { return false }
        return count > 0
    }

    /// A hash of a field name, the same in every run (FNV-1a).
    var nameHash: UInt32 {
        var hash = FNV1a32.start
        for index in 0..<count { hash = FNV1a32.step(hash, self[index]) }
        return hash
    }
}
