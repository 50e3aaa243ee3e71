// Wingmirror · Apache-2.0
// HTTP Archive, version 1.2, as this program, browsers and proxies write it.

internal import JSONSyntax
internal import OctetText
public import TrafficModel

/// Reads an HTTP archive as its octets come; of the one JSON document that it is, no more than an entry is held at a time.
public struct HARReader: Sendable {
    /// Why a file is no archive.
    public struct Failure: Error, Hashable {
        /// The reason, as part of a sentence.
        public let reason: String
    }

    /// How many octets are looked at before what they hold is parsed.
    private static let pieceOctets = 1 << 20

    /// Entries that gave no exchange.
    public private(set) var losses = RecordingLosses()
    private let limits: RecordingLimits
    private var entries: HAREntries
    private var exchanges: [RecordedExchange] = []

    /// Makes a reader at the start of a file.
    public init(limits: RecordingLimits = RecordingLimits()) {
        self.limits = limits
        entries = HAREntries(limits: limits)
    }

    /// Hands over the exchanges read since the last time.
    public mutating func takeExchanges() -> [RecordedExchange] {
        defer { exchanges = [] }
        return exchanges
    }

    /// Takes the next octets of the file.
    ///
    /// - Throws: Why the file is no archive.
    public mutating func append(_ octets: [UInt8]) throws(Failure) {
        try entries.append(octets)
        for entry in entries.takeEntries() {
            do throws(HAREntry.Problem) {
                exchanges.append(try HAREntry(entry, limits).exchange())
            } catch {
                losses.count(error.loss)
            }
        }
    }

    /// There are no more octets.
    ///
    /// - Throws: Why the file is no archive, or no whole one.
    public mutating func finish() throws(Failure) {
        try entries.finish()
        for _ in 0..<entries.tooLarge { losses.count(.tooLarge) }
    }

    /// The exchanges of an archive that is in memory.
    ///
    /// - Parameter octets: The whole file.
    /// - Returns: The exchanges, and how many entries gave none.
    /// - Throws: Why the file is no archive.
    public static func recording(_ octets: [UInt8]) throws(Failure) -> Recording {
        var reader = HARReader()
        var rest = octets[...]
        while !rest.isEmpty {
            try reader.append(Array(rest.prefix(pieceOctets)))
            rest = rest.dropFirst(pieceOctets)
        }
        try reader.finish()
        return Recording(
            entries: reader.takeExchanges().map { RecordingEntry(exchange: $0) },
            losses: reader.losses
        )
    }
}

/// One entry of an archive.
private struct HAREntry {
    /// Why an entry gives no exchange.
    struct Problem: Error {
        let loss: RecordingLoss
    }

    private let entry: JSONValue

    init(_ octets: [UInt8], _ limits: RecordingLimits) throws(Problem) {
        do throws(DocumentError) {
            entry = try JSONDocument.parse(octets, limits: limits.document)
        } catch {
            throw Problem(loss: .malformedRecord)
        }
    }

    func exchange() throws(Problem) -> RecordedExchange {
        guard case .string(let start)? = entry["startedDateTime"], let time = Self.time(start),
            let request = entry["request"], case .string(let method)? = request["method"], !method.isEmpty,
            case .string(let text)? = request["url"]
        else { throw Problem(loss: .malformedRecord) }
        let url: EntryURL
        do throws(RecordingLoss) {
            url = try EntryURL(text, method: method)
        } catch {
            throw Problem(loss: error)
        }
        guard !wasNotSent else { throw Problem(loss: .notSent) }
        var exchange = RecordedExchange(
            request: RecordedRequest(
                method: method,
                target: Array(url.target.utf8),
                message: try requestMessage(request, url)
            ),
            response: try response(),
            connection: Self.connection(entry["connection"]),
            startTime: time,
            protocolVersion: Self.version(request["httpVersion"])
        )
        exchange.isSecured = url.isSecured
        exchange.serverAddress = Self.text(entry["serverIPAddress"])
        fillTimings(&exchange)
        fillRoute(&exchange)
        if case .array(let marks)? = entry["_integrity"] {
            exchange.integrity = marks.map(Self.text)
        }
        let size = Self.integer(request["bodySize"]) ?? -1
        exchange.isRequestEnded = exchange.request.announces(
            contentOctets: size < 0 ? exchange.request.message.contentOctets : Int64(size),
            in: exchange.protocolVersion
        )
        return exchange
    }

    /// Whether the request did not leave the browser: its cache answered, or an extension or a policy blocked it.
    private var wasNotSent: Bool {
        switch entry["_fromCache"] {
        case .string(let cache)? where !cache.isEmpty: return true
        case .bool(true)?: return true
        default: break
        }
        return [entry["_error"], entry["response"]?["_error"]].contains {
            Self.text($0).hasPrefix("net::ERR_BLOCKED_BY_")
        }
    }

    /// A time; some tools write the offset from UTC without its colon (ISO 8601, basic format).
    private static func time(_ text: String) -> Int64? {
        let offset = text.suffix(5)
        guard let sign = offset.first, "+-".contains(sign), offset.dropFirst().allSatisfy(\.isNumber) else {
            return InternetTime.nanoseconds(text)
        }
        return InternetTime.nanoseconds("\(text.dropLast(2)):\(text.suffix(2))")
    }

    /// The number of a connection, and of one with a name a number that the same name always has; -1 where none is named.
    private static func connection(_ value: JSONValue?) -> Int {
        if let number = integer(value) { return number }
        let name = text(value)
        guard !name.isEmpty else { return -1 }
        if let number = Int(name) { return number }
        var hash = FNV1a()
        hash.combine(name.utf8)
        return Int(hash.value >> 1)
    }

    /// The version as exchange records name it; browsers write `h2` and `http/2.0` too.
    private static func version(_ value: JSONValue?) -> String {
        switch text(value).lowercased() {
        case "h2", "h2c", "http/2", "http/2.0": "HTTP/2"
        case "h3", "http/3", "http/3.0": "HTTP/3"
        case "http/1.0": "HTTP/1.0"
        default: "HTTP/1.1"
        }
    }

    // MARK: - Messages

    private func requestMessage(_ request: JSONValue, _ url: EntryURL) throws(Problem) -> RecordedMessage {
        var fields = try Self.fields(of: request)
        if !fields.contains(where: { $0.isNamed("host") }) {
            fields.insert(RecordedField(name: "Host", value: url.authority), at: 0)
        }
        if url.isWebSocket, !fields.contains(where: { $0.isNamed("upgrade") }) {
            fields.append(RecordedField(name: "Upgrade", value: "websocket"))
        }
        var message = RecordedMessage(fields: fields)
        message.content = try requestContent(request, message)
        message.contentOctets = Int64(message.content.count)
        message.fields.removeAll { $0.isNamed("content-encoding") }
        return message
    }

    /// The content of a request with that head, with its codings off.
    ///
    /// What would be sent again must be what was sent: content that is cut, or that was read in another charset, is refused.
    private func requestContent(_ request: JSONValue, _ head: RecordedMessage) throws(Problem) -> [UInt8] {
        let size = Self.integer(request["bodySize"]).flatMap { $0 < 0 ? nil : $0 }
        let isChunked = !head.values(of: "transfer-encoding").isEmpty
        let length = isChunked ? nil : head.firstText(of: "content-length").flatMap { Int($0) }
        guard let post = request["postData"], !post.isEmptyObject else {
            guard size ?? 0 == 0, length ?? 0 == 0, size != nil || !isChunked else { throw Problem(loss: .noContent) }
            return []
        }
        guard post["_truncated"] != .bool(true), post["_contentEncoding"] == nil else {
            throw Problem(loss: .noContent)
        }
        let isCoded = Self.isCoded(head)
        guard !Self.isBase64(post["_encoding"]), !Self.isBase64(post["encoding"]) else {
            guard let octets = Base64Text.octets(Self.text(post["_content"] ?? post["text"]).utf8) else {
                throw Problem(loss: .malformedRecord)
            }
            guard isCoded || octets.count >= max(size ?? 0, length ?? 0) else { throw Problem(loss: .noContent) }
            return octets
        }
        // Parameters without the text do not tell how it was written.
        guard case .string(let text)? = post["text"] else { throw Problem(loss: .noContent) }
        let types = [Self.text(post["mimeType"]), head.firstText(of: "content-type") ?? ""]
        let content = HARText(text, isCoded ? .utf8 : HARText.Charset(ofMediaTypes: types))
        // The sizes of coded content are those of what was sent, and the text is what came out of it. Tools that do not know a
        // size give 0 as well.
        guard
            let octets = content.sent(
                length: isCoded ? nil : length,
                size: isCoded || size == 0 ? nil : size
            )
        else { throw Problem(loss: .noContent) }
        return octets
    }

    private static func isBase64(_ encoding: JSONValue?) -> Bool { encoding == .string("base64") }

    /// Whether a content coding was on the content.
    private static func isCoded(_ message: RecordedMessage) -> Bool {
        message.values(of: "content-encoding").contains { !$0.isEmpty && !$0.elementsEqual("identity".utf8) }
    }

    /// The response; `nil` for the status 0, by which tools say that there was none.
    private func response() throws(Problem) -> RecordedResponse? {
        guard let response = entry["response"], let status = Self.integer(response["status"]), status != 0 else {
            return nil
        }
        guard (100...999).contains(status) else { throw Problem(loss: .malformedRecord) }
        var fields = try Self.fields(of: response)
        let object = response["content"]
        let size = Self.integer(object?["size"]).flatMap { $0 < 0 ? nil : $0 }
        let (content, isWhole) = try Self.responseContent(object, size: size, fields)
        // The text of an archive has its codings off, unless it says which are left.
        if object?["_contentEncoding"] == nil { fields.removeAll { $0.isNamed("content-encoding") } }
        let isAll = isWhole && object?["_truncated"] != .bool(true)
        let octets = isAll ? content.count : max(size ?? 0, content.count + 1)
        return RecordedResponse(
            status: status,
            message: RecordedMessage(fields: fields, content: content, contentOctets: Int64(octets))
        )
    }

    /// The content of a response, and whether it is all that there was.
    private static func responseContent(
        _ object: JSONValue?,
        size: Int?,
        _ fields: [RecordedField]
    ) throws(Problem) -> (octets: [UInt8], isWhole: Bool) {
        let text = text(object?["text"])
        guard !isBase64(object?["encoding"]) else {
            guard let octets = Base64Text.octets(text.utf8) else { throw Problem(loss: .malformedRecord) }
            return (octets, size ?? 0 <= octets.count)
        }
        let type = fields.first { $0.isNamed("content-type") }?.text ?? ""
        let charset = HARText.Charset(ofMediaTypes: [Self.text(object?["mimeType"]), type])
        // Browsers leave the text out when they no longer have it; then nothing is known of it.
        return HARText(text, charset).received(size: size == 0 ? nil : size)
    }

    private static func fields(of message: JSONValue) throws(Problem) -> [RecordedField] {
        guard case .array(let headers)? = message["headers"] else { throw Problem(loss: .noFields) }
        var fields: [RecordedField] = []
        for header in headers {
            guard case .string(let name)? = header["name"], case .string(let value)? = header["value"],
                !name.isEmpty, name.utf8.allSatisfy({ (0x21..<0x7F).contains($0) })
            else { throw Problem(loss: .malformedRecord) }
            // Browsers list the pseudo-header fields of HTTP/2 too.
            if name.hasPrefix(":") { continue }
            guard header["_octetsEscaped"] == .bool(true) else {
                fields.append(RecordedField(name: name, value: value))
                continue
            }
            guard let octets = OctetEscapes.octets(value) else { throw Problem(loss: .malformedRecord) }
            fields.append(RecordedField(name: name, value: octets))
        }
        return fields
    }

    // MARK: - Times and route

    private func fillTimings(_ exchange: inout RecordedExchange) {
        guard let timings = entry["timings"] else { return }
        let send = Self.nanoseconds(timings["send"]) ?? 0
        guard let wait = Self.nanoseconds(timings["wait"]) else { return }
        exchange.requestNanoseconds = send
        exchange.firstByteNanoseconds = send + wait
        exchange.durationNanoseconds = send + wait + (Self.nanoseconds(timings["receive"]) ?? 0)
    }

    private func fillRoute(_ exchange: inout RecordedExchange) {
        guard let route = entry["_route"] else { return }
        exchange.route = RouteName(
            virtualServiceNamespace: Self.text(route["namespace"]),
            virtualService: Self.text(route["virtualService"]),
            route: Self.text(route["route"])
        )
    }

    private static func text(_ value: JSONValue?) -> String {
        if case .string(let text)? = value { text } else { "" }
    }

    private static func integer(_ value: JSONValue?) -> Int? {
        switch value {
        case .integer(let number)?: number
        case .double(let number)?: Int(exactly: number.rounded())
        default: nil
        }
    }

    /// Milliseconds with fractions; `nil` for −1, which says that a phase does not apply.
    private static func nanoseconds(_ value: JSONValue?) -> Int64? {
        let milliseconds: Double
        switch value {
        case .integer(let number)?: milliseconds = Double(number)
        case .double(let number)?: milliseconds = number
        default: return nil
        }
        guard milliseconds >= 0, milliseconds < 1e12 else { return nil }
        return Int64((milliseconds * 1e6).rounded())
    }
}

extension JSONValue {
    /// Whether it is an object without members, or `null` in the place of one.
    fileprivate var isEmptyObject: Bool {
        switch self {
        case .null: true
        case .object(let object): object.members.isEmpty
        default: false
        }
    }
}
