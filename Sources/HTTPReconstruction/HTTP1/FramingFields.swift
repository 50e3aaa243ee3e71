// Wingmirror · Apache-2.0
// Fields that frame a message, and those that others look for: RFC 9110 §7.6.1, §7.8, §8.4, §8.6, §10.1.1 and RFC 9112 §6.

internal import TrafficModel

extension MessageHead {
    /// Reads what field lines say of framing, host and leaving HTTP, and which of them others look for.
    ///
    /// A name is compared whole, octet for octet: one that differs in a single octet is another field, which no recipient
    /// takes for this one (RFC 9110 §5.1), and a client that could make us take it would write requests that were never
    /// made. Only the names that mention a trace are compared by their beginnings, because they are looked at again.
    mutating func interpret(_ lines: borrowing PlainList<FieldLine>, in octets: Span<UInt8>) {
        let fields = lines.span
        var hasConnection = false
        for index in fields.indices {
            let field = fields[index]
            let name = field.name
            guard name.count < 32, Self.interpretedLengths &>> UInt32(name.count) & 1 == 1 else { continue }
            let beginning = octets.foldedName(name.lowerBound, count: name.count)
            switch (name.count, beginning) {
            case (2, Name.b3), (11, Name.traceparent), (12, Name.b3TraceID):
                traits.insert(.namesTrace)
            case (4, Name.host):
                if host == nil { host = OctetRange(field.value) } else { traits.insert(.hasSeveralHosts) }
            case (6, Name.expect):
                if octets.equalsIgnoringCase(field.value, "100-continue") { expectsContinue = true }
            case (7, Name.upgrade):
                upgrade =
                    octets.equalsIgnoringCase(field.value, "websocket")
                    ? .webSocket : octets.equalsIgnoringCase(field.value, "h2c") ? .http2 : .other
            case (10, Name.connecti) where octets.foldedName(name.lowerBound + 8, count: 2) == Name.on:
                // Only one line of one of the two words says for certain that no field is named.
                let isPlain = interpretConnectionOptions(field.value, in: octets)
                if hasConnection || !isPlain { traits.insert(.hasConnectionOptions) }
                hasConnection = true
            case (12, Name.content) where octets.foldedName(name.lowerBound + 8, count: 4) == Name.type:
                contentKind = ContentKind(octets.extracting(field.value))
            case (14, Name.content) where octets.foldedName(name.lowerBound + 8, count: 6) == Name.length:
                interpretContentLength(field.value, in: octets)
            case (16, Name.content) where octets.foldedName(name.lowerBound + 8, count: 8) == Name.encoding:
                if contentCoding == nil { contentCoding = OctetRange(field.value) }
            case (17, Name.transfer)
            where octets.foldedName(name.lowerBound + 8, count: 8) == Name.encodin
                && octets[name.lowerBound + 16] | 0x20 == UInt8(ascii: "g"):
                interpretTransferCoding(field.value, in: octets)
            case (17, Name.wingmirror)
            where octets.foldedName(name.lowerBound + 8, count: 8) == Name.orShadow
                && octets[name.lowerBound + 16] | 0x20 == UInt8(ascii: "w"):
                traits.insert(.isShadow)
            default:
                continue
            }
        }
    }

    /// One bit for each length that a name below has, so that most lines are passed by after a look at their lengths.
    private static var interpretedLengths: UInt32 {
        1 << 2 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 16 | 1 << 17
    }

    /// Parts of the names, as `foldedName` gives them.
    private enum Name {
        static var b3: UInt64 { 0x3362 }
        /// The beginnings of `traceparent` and `X-B3-TraceId`; what is taken for one of them is looked at again.
        static var traceparent: UInt64 { 0x7261_7065_6361_7274 }
        static var b3TraceID: UInt64 { 0x6172_742D_3362_2D78 }
        static var host: UInt64 { 0x7473_6F68 }
        static var expect: UInt64 { 0x7463_6570_7865 }
        static var upgrade: UInt64 { 0x65_6461_7267_7075 }
        /// The two parts of `connection`.
        static var connecti: UInt64 { 0x6974_6365_6E6E_6F63 }
        static var on: UInt64 { 0x6E6F }
        /// The beginning that two names share, with its hyphen.
        static var content: UInt64 { 0x2D74_6E65_746E_6F63 }
        static var type: UInt64 { 0x6570_7974 }
        static var length: UInt64 { 0x6874_676E_656C }
        static var encoding: UInt64 { 0x676E_6964_6F63_6E65 }
        /// The first and the second eight octets of `transfer-encoding`.
        static var transfer: UInt64 { 0x7265_6673_6E61_7274 }
        static var encodin: UInt64 { 0x6E69_646F_636E_652D }
        /// The first and the second eight octets of `wingmirror-shadow`.
        static var wingmirror: UInt64 { 0x7272_696D_676E_6977 }
        static var orShadow: UInt64 { 0x6F64_6168_732D_726F }
    }

    /// Adds one Connection line; `true` where it is no more than one of the two words that name no field.
    private mutating func interpretConnectionOptions(_ value: Range<Int>, in octets: Span<UInt8>) -> Bool {
        if octets.equalsIgnoringCase(value, "keep-alive") {
            saysKeepAlive = true
            return true
        }
        if octets.equalsIgnoringCase(value, "close") {
            saysClose = true
            return true
        }
        octets.forEachListElement(of: value) { option in
            if octets.equalsIgnoringCase(option, "close") { saysClose = true }
            if octets.equalsIgnoringCase(option, "keep-alive") { saysKeepAlive = true }
        }
        return false
    }

    /// Adds one Content-Length line, which may be a list of equal numbers (RFC 9110 §8.6).
    private mutating func interpretContentLength(_ value: Range<Int>, in octets: Span<UInt8>) {
        if contentLength == .absent, let number = octets.decimalNumber(value) {
            contentLength = .octets(number)
            return
        }
        repeatsContentLength = true
        var elements = 0
        octets.forEachListElement(of: value) { element in
            elements += 1
            guard let number = octets.decimalNumber(element) else {
                contentLength = .invalid
                return
            }
            switch contentLength {
            case .absent: contentLength = .octets(number)
            case .octets(let before) where before != number: contentLength = .conflicting
            case .octets, .conflicting, .invalid: break
            }
        }
        if elements == 0 { contentLength = .invalid }
    }

    /// Adds one Transfer-Encoding line; only the last coding of the last line decides.
    private mutating func interpretTransferCoding(_ value: Range<Int>, in octets: Span<UInt8>) {
        guard !value.isEmpty else {
            // Envoy passes over such a line in front of `chunked`. Behind it, it takes it for no content, and refuses what follows.
            hasPlainTransferCoding = false
            transferCoding = .other
            return
        }
        hasPlainTransferCoding = !namesTransferCoding && octets.equalsIgnoringCase(value, "chunked")
        namesTransferCoding = true
        octets.forEachListElement(of: value) { element in
            let isChunked = octets.equalsIgnoringCase(element, "chunked")
            // A coding after chunked, chunked itself among them, hides where the content ends.
            transferCoding = isChunked && transferCoding != .chunked ? .chunked : .other
        }
        if transferCoding == .absent { transferCoding = .other }
    }
}

extension Span where Element == UInt8 {
    /// Calls `body` with each element of a comma-separated list, white space cut, empty ones left out (RFC 9110 §5.6.1).
    ///
    /// White space includes line ends, because a folded value contains them.
    @inline(__always)
    func forEachListElement(of value: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = value.lowerBound
        while start < value.upperBound {
            let comma = firstIndex(of: 0x2C, from: start, to: value.upperBound)
            var first = start
            var last = comma
            while first < last, self[first].isFoldedSpace { first &+= 1 }
            while last > first, self[last &- 1].isFoldedSpace { last &-= 1 }
            if first < last { body(first..<last) }
            start = comma &+ 1
        }
    }

    /// The number that the decimal digits of `range` write; `nil` for other octets, none, or a number over 2⁶⁴ − 1.
    ///
    /// From 2⁶³ on it is given as 2⁶³ − 1: Envoy takes such a length, and no content reaches its end.
    func decimalNumber(_ range: Range<Int>) -> Int64? {
        var number: UInt64 = 0
        for index in range {
            guard self[index].isDigit else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(self[index] &- 0x30))
            if overflow || carry { return nil }
            number = sum
        }
        return range.isEmpty ? nil : Int64(clamping: number)
    }
}

extension UInt8 {
    /// White space, or an octet of a line end inside a folded value.
    @inline(__always)
    fileprivate var isFoldedSpace: Bool {
        self == 0x20 || self == 0x09 || self == 0x0D || self == 0x0A
    }
}
