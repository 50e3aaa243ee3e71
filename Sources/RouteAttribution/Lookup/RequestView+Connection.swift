// Wingmirror · Apache-2.0
// Fields that end with this hop, RFC 9110 §7.6.1, as Envoy takes them out before it routes: source/common/http/utility.cc
// sanitizeConnectionHeader, and http1/codec_impl.cc, which calls it.

internal import TrafficModel

/// What the Connection lines of a request do to its other fields.
enum ConnectionEffect {
    case none
    /// The fields that it names are gone when the proxy routes.
    case hidesFields
    /// The proxy answers 400.
    case refused
}

/// Which protocol a request asks to go on with.
enum UpgradeWish {
    case none
    /// HTTP/2 without TLS: Envoy drops that wish, and HTTP2-Settings with it.
    case http2
    case other
}

extension RequestView {
    /// With this many options in Connection a request is refused.
    private static var refusedOptionCount: Int { 10 }
    /// With this many octets a TE that Connection names is refused.
    private static var refusedTransferCodingOctets: Int { 256 }

    /// What Connection does; only worth asking where the traits say that it has options.
    func connectionEffect() -> ConnectionEffect {
        // A request that goes on with another protocol keeps all that it has.
        if upgradeWish() == .other { return .none }
        var count = 0
        var isRefused = false
        var namesTransferCodings = false
        forEachConnectionOption { option in
            count += 1
            if mustNotBeNamed(option) { isRefused = true }
            if option.isWord("te") { namesTransferCodings = true }
        }
        if isRefused || count >= Self.refusedOptionCount { return .refused }
        if namesTransferCodings, transferCodingOctets() >= Self.refusedTransferCodingOctets { return .refused }
        return .hidesFields
    }

    /// Whether Connection takes a field out, whose name is in lower case; TE, of which a part may stay, is the caller's
    /// affair.
    func hides(_ name: Span<UInt8>) -> Bool {
        if name.isWord("http2-settings") { return upgradeWish() == .http2 }
        if name.isWord("close") || name.isWord("keep-alive") || name.isWord("upgrade") || name.isWord("connection") {
            return false
        }
        var isNamed = false
        forEachConnectionOption { if $0.isName(name) { isNamed = true } }
        return isNamed
    }

    /// Whether Connection names the field of that name.
    func names(_ word: String) -> Bool {
        var isNamed = false
        forEachConnectionOption { if $0.isWord(word) { isNamed = true } }
        return isNamed
    }

    /// Whether a field line has a name, which is in lower case.
    func hasLine(named name: Span<UInt8>) -> Bool {
        for number in fields.indices where octets.extracting(fields[number].name).isName(name) { return true }
        return false
    }

    /// Which protocol the request asks to go on with.
    func upgradeWish() -> UpgradeWish {
        var hasUpgrade = false
        var values = 0
        var isHTTP2 = false
        var hasOption = false
        for number in fields.indices {
            let line = fields[number]
            let name = octets.extracting(line.name)
            if name.isWord("upgrade") {
                hasUpgrade = true
                if line.value.isEmpty { continue }
                values += 1
                isHTTP2 = octets.extracting(line.value).isWord("h2c")
            } else if name.isWord("connection") {
                if octets.extracting(line.value).hasToken("upgrade") { hasOption = true }
            }
        }
        guard hasUpgrade, hasOption else { return .none }
        // The values of several lines are joined, and then name neither.
        return isHTTP2 && values == 1 ? .http2 : .other
    }

    /// Whether `trailers` is among the transfer codings of TE, which then is all that the proxy leaves of it.
    ///
    /// Case matters, unless Connection names TE: two places of Envoy ask.
    func takesTrailers(isNamed: Bool) -> Bool {
        for number in fields.indices {
            let line = fields[number]
            guard octets.extracting(line.name).isWord("te") else { continue }
            let value = octets.extracting(line.value)
            if isNamed ? value.hasToken("trailers") : value.hasToken("trailers", ignoringCase: false) { return true }
        }
        return false
    }

    // MARK: -

    /// Calls `body` with each option of all Connection lines, white space cut.
    private func forEachConnectionOption(_ body: (Span<UInt8>) -> Void) {
        for number in fields.indices where octets.extracting(fields[number].name).isWord("connection") {
            octets.extracting(fields[number].value).forEachElement(body)
        }
    }

    /// Fields that tell where a request comes from, which no client may have taken out, and pseudo-header fields.
    private func mustNotBeNamed(_ option: Span<UInt8>) -> Bool {
        if option.count > 0, option[0] == UInt8(ascii: ":") { return true }
        return option.isWord("x-forwarded-for") || option.isWord("x-forwarded-host")
            || option.isWord("x-forwarded-proto")
    }

    /// The length of all TE lines, joined.
    func transferCodingOctets() -> Int {
        var count = 0
        for number in fields.indices where octets.extracting(fields[number].name).isWord("te") {
            let length = fields[number].value.count
            if length > 0 { count += count > 0 ? length + 1 : length }
        }
        return count
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets are a word in lower case, whatever case they have.
    func isWord(_ word: String) -> Bool { isWord(word, ignoringCase: true) }

    private func isWord(_ word: String, ignoringCase: Bool) -> Bool {
        let expected = word.utf8
        guard count == expected.count else { return false }
        var position = 0
        for octet in expected {
            let found = self[position]
            guard (ignoringCase ? OctetHash.folded(found) : found) == octet else { return false }
            position += 1
        }
        return true
    }

    /// Whether the octets are a field's name, which is in lower case.
    func isName(_ name: Span<UInt8>) -> Bool {
        guard count == name.count else { return false }
        for index in indices where OctetHash.folded(self[index]) != name[index] { return false }
        return true
    }

    /// Whether a word is among the elements of a comma-separated list.
    func hasToken(_ word: String, ignoringCase: Bool = true) -> Bool {
        var isFound = false
        forEachElement { if $0.isWord(word, ignoringCase: ignoringCase) { isFound = true } }
        return isFound
    }

    /// Calls `body` with each element of a comma-separated list, white space cut.
    ///
    /// Elements of nothing are left out, and those of white space are not, as Envoy counts them.
    func forEachElement(_ body: (Span<UInt8>) -> Void) {
        var start = 0
        for index in 0...count where index == count || self[index] == UInt8(ascii: ",") {
            var low = start
            var high = index
            start = index + 1
            if low == high { continue }
            while low < high, self[low].isBlank { low += 1 }
            while high > low, self[high - 1].isBlank { high -= 1 }
            body(extracting(low..<high))
        }
    }
}

extension UInt8 {
    /// White space, or an octet of a line end inside a folded value.
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0D || self == 0x0A }
}
