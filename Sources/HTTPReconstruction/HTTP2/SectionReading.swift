// Wingmirror · Apache-2.0
// HTTP message framing in HTTP/2: RFC 9113 §8.2, §8.3 and §8.5; extended CONNECT: RFC 8441 §4.

internal import TrafficModel

/// What the fields of a section say, with the field lines that are shown to the sink.
///
/// Fields that are not known are left out of the lines and counted. `cookie` fields are joined to one, as they were before
/// the client split them (RFC 9113 §8.2.3).
///
/// It is read where it was made: it is too large to be copied for everyone who asks it something.
struct SectionReading: ~Copyable {
    var method: OctetRange?
    var scheme: OctetRange?
    var path: OctetRange?
    var authority: OctetRange?
    var `protocol`: OctetRange?
    var host: OctetRange?
    var contentCoding: OctetRange?
    /// The status code; `nil` where it is not known or not a number of three digits.
    var status: Int?
    /// What `grpc-status` says, as far as it is a code.
    var grpcStatus: Int8?
    /// What `content-length` announces; -1 without one.
    var contentLength: Int64 = -1
    /// What the media type says of the content.
    var contentKind = ContentKind.other
    /// Whether there is a media type.
    var namesContentType = false
    var traits: RequestTraits = []
    /// Field lines as sent, without pseudo-header fields.
    var fieldCount = 0
    /// Whether a field is not known.
    var hasUnknown = false
    /// How many fields are not known.
    var unknownCount = 0
    /// Whether a name is not known, so that any field may be the one.
    var hasUnknownName = false
    /// Whether fields rest on a vote.
    var isInferred = false
    /// Whether there is a pseudo-header field at all.
    var hasPseudo = false
    /// Whether there is a `:status`, known or not.
    var hasStatus = false
    /// Whether a field is there that no message has, or pseudo-header fields in an order or number that none has.
    var isMalformed = false

    private var seen: UInt32 = 0
    private var isBehindPseudo = false
    /// Whether Host or Content-Length stands in several lines.
    private var repeatsSingleLine = false
    /// Whether Host is none.
    private var hasInvalidValue = false
    private var cookies = 0
    private var cookieLine = -1

    /// Reads a section, and replaces `lines` by its field lines.
    init(_ section: inout FieldSection, lines: inout PlainList<FieldLine>) {
        lines.removeAll()
        var pseudo = 0
        for index in 0..<section.fields.count {
            let field = section.fields[index]
            if field.marks.contains(.inferred) { isInferred = true }
            if !field.isKnown {
                hasUnknown = true
                unknownCount += 1
            }
            if field.marks.contains(.valueInvalid) { isMalformed = true }
            if field.code == .unknown {
                hasUnknownName = true
                continue
            }
            if field.code.isPseudo {
                pseudo += 1
                pseudoField(field, section.octets.span)
                continue
            }
            isBehindPseudo = true
            guard field.isKnown else {
                noteUnknown(field.code)
                continue
            }
            regularField(field, section.octets.span, lines.count)
            if field.code == .cookie, cookies > 1 { continue }
            let isSecret = field.marks.contains(.neverIndexed)
            lines.append(FieldLine(name: field.name.range, value: field.value.range, isNeverIndexed: isSecret))
        }
        fieldCount = section.lineCount - pseudo
        if section.isOverLimit { hasUnknown = true }
        if cookies > 1 { joinCookies(&section, &lines) }
    }

    private mutating func pseudoField(_ field: SectionField, _ octets: Span<UInt8>) {
        hasPseudo = true
        let bit: UInt32 = 1 << UInt32(field.code.rawValue)
        if isBehindPseudo || seen & bit != 0 || field.code == .otherPseudo { isMalformed = true }
        seen |= bit
        if field.code == .status { hasStatus = true }
        guard field.isKnown else { return }
        switch field.code {
        case .method: method = method ?? field.value
        case .scheme: scheme = scheme ?? field.value
        case .path: path = path ?? field.value
        case .authority: authority = authority ?? field.value
        case .protocol: self.protocol = self.protocol ?? field.value
        case .status:
            status = status ?? Self.status(octets.extracting(field.value.range))
            if status == nil { isMalformed = true }
        default: break
        }
    }

    private mutating func regularField(_ field: SectionField, _ octets: Span<UInt8>, _ line: Int) {
        switch field.code {
        case .host:
            if host != nil { repeatsSingleLine = true }
            host = host ?? field.value
            if !octets.extracting(field.value.range).isAuthority { hasInvalidValue = true }
        case .contentEncoding: contentCoding = contentCoding ?? field.value
        case .contentLength:
            let number = octets.decimalNumber(field.value.range)
            if contentLength >= 0 { repeatsSingleLine = true }
            if let number, contentLength < 0 || contentLength == number {
                contentLength = number
            } else {
                isMalformed = true
            }
        case .contentType:
            namesContentType = true
            contentKind = ContentKind(octets.extracting(field.value.range))
        case .grpcStatus: grpcStatus = GRPCStatus.code(octets.extracting(field.value.range))
        case .trace: traits.insert(.namesTrace)
        case .shadow: traits.insert(.isShadow)
        case .te: if !octets.extracting(field.value.range).isName("trailers") { isMalformed = true }
        case .connectionSpecific, .invalid: isMalformed = true
        case .cookie:
            cookies += 1
            if cookies == 1 { cookieLine = line }
        default: break
        }
    }

    /// A field of a known name has an unknown value.
    private mutating func noteUnknown(_ code: FieldName) {
        // Where the length is not known, nothing is announced.
        if code == .contentLength { contentLength = -1 }
    }

    /// Whether a pseudo-header field is there, its value known or not.
    private func has(_ name: FieldName) -> Bool { seen & 1 << UInt32(name.rawValue) != 0 }

    /// Whether it is a head that Envoy takes for a request: with the pseudo-header fields that one must have and none that one
    /// must not have (RFC 9113 §8.3.1 and §8.5, RFC 8441 §4), and no line twice that stands for the whole message.
    ///
    /// What is not known is taken to be as it should be.
    /// - Parameters:
    ///   - octets: The section's text.
    ///   - endsStream: Whether the head is the whole request, so that no content can follow.
    /// - Returns: `false` where Envoy resets the stream.
    func isValidRequest(_ octets: Span<UInt8>, endsStream: Bool) -> Bool {
        guard !isMalformed, !hasStatus, !repeatsSingleLine, !hasInvalidValue else {
            return false
        }
        if endsStream, contentLength > 0 { return false }
        if let scheme, !octets.extracting(scheme.range).isScheme { return false }
        if let name = self.protocol, name.range.isEmpty || !octets.isToken(name.range) { return false }
        guard let method else { return hasUnknownName || has(.method) }
        guard octets.isToken(method.range), !method.range.isEmpty else { return false }
        guard octets.extracting(method.range).spells("CONNECT") else {
            guard !has(.protocol) else { return false }
            return hasUnknownName || has(.path) && has(.scheme)
        }
        if has(.protocol) { return hasUnknownName || has(.path) && has(.scheme) }
        return !has(.path) && !has(.scheme) && (hasUnknownName || has(.authority))
    }

    /// Whether Envoy takes what the head is for, and does not close the connection over it: an authority of an authority's
    /// characters, and a path that begins with a slash and has no space, or is `*` of OPTIONS.
    ///
    /// What is not known is taken to be as it should be. For which reason such a request has no route is said where routes are.
    func hasAcceptableTarget(_ octets: Span<UInt8>) -> Bool {
        if let authority, !octets.extracting(authority.range).isAuthority { return false }
        if authority == nil, host == nil, !hasUnknown { return false }
        guard let path else { return true }
        let target = octets.extracting(path.range)
        guard target.count > 0 else { return false }
        guard target[0] == 0x2F else {
            guard target.spells("*") else { return false }
            return method.map { octets.extracting($0.range).spells("OPTIONS") } ?? true
        }
        return target.firstIndex(of: 0x20, from: 1, to: target.count) == target.count
            && target.firstIndex(of: 0x09, from: 1, to: target.count) == target.count
    }

    /// Joins the pieces of a cookie as Envoy does: with `; ` behind what there is so far, so that empty pieces in front
    /// leave nothing.
    private mutating func joinCookies(_ section: inout FieldSection, _ lines: inout PlainList<FieldLine>) {
        let start = section.octets.count
        var isSecret = false
        for index in 0..<section.fields.count where section.fields[index].code == .cookie {
            let field = section.fields[index]
            if field.marks.contains(.neverIndexed) { isSecret = true }
            guard field.isKnown else { continue }
            if section.octets.count > start { section.octets.append("; ") }
            section.octets.append(copyOf: field.value.range)
        }
        lines[cookieLine] = FieldLine(
            name: lines[cookieLine].name,
            value: start..<section.octets.count,
            isNeverIndexed: isSecret
        )
    }

    // MARK: - Values

    private static func status(_ octets: Span<UInt8>) -> Int? {
        guard octets.count == 3, octets[0].isDigit, octets[1].isDigit, octets[2].isDigit else {
            return nil
        }
        return Int(octets[0] & 0x0F) * 100 + Int(octets[1] & 0x0F) * 10 + Int(octets[2] & 0x0F)
    }
}

extension FieldSection {
    /// What a request's pseudo-header fields come to.
    func shape(
        of reading: borrowing SectionReading,
        endsStream: Bool
    ) -> (method: RequestMethod, asksWebSocket: Bool, isValid: Bool) {
        let text = octets.span
        let method = reading.method.map { RequestMethod(text, $0.range) } ?? .other
        let names = reading.protocol.map { text.extracting($0.range).spells("websocket") } ?? false
        return (method, method == .connect && names, reading.isValidRequest(text, endsStream: endsStream))
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets are a scheme (RFC 3986 §3.1).
    fileprivate var isScheme: Bool {
        guard count > 0, (self[0] | 0x20) &- 0x61 < 26 else { return false }
        for index in 1..<count {
            let octet = self[index]
            guard (octet | 0x20) &- 0x61 < 26 || octet.isDigit || octet == 0x2B || octet == 0x2D || octet == 0x2E else {
                return false
            }
        }
        return true
    }

    /// Whether Envoy takes the octets for the value of Host or `:authority`: it asks for no more than the characters of an
    /// authority without user information (RFC 3986 §3.2).
    fileprivate var isAuthority: Bool {
        guard count > 0 else { return false }
        // One bit for each octet below 64, and for each from there to 127: `!$%&'()*+,-.:;=[]_~`, digits and letters.
        let (low, high): (UInt64, UInt64) = (0x2FFF_7FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE)
        for index in indices {
            let octet = self[index]
            let bits = octet < 64 ? low : high
            guard octet < 128, bits >> UInt64(octet & 63) & 1 == 1 else { return false }
        }
        return true
    }
}
