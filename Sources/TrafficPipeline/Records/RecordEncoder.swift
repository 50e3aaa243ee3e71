// Wingmirror · Apache-2.0
// Exchange records: the guide Records.

internal import HTTPReconstruction
internal import JSONSyntax
internal import OctetText
internal import PacketDecoding
internal import Redaction
internal import RouteAttribution
internal import TLSDecryption
internal import TrafficModel

/// Writes exchange records, one line of JSON each.
struct RecordEncoder: ~Copyable {
    private let options: RecordOptions
    private let keepsNamesOnly: Bool
    var line = JSONText()
    /// Whether the strings of the message that is being written have their octets escaped.
    private var escapesOctets = false
    private let redactedFields: ConfiguredNames
    private var credentials: CredentialReplacement

    init(options: RecordOptions) {
        self.options = options
        keepsNamesOnly = !options.includesFields && options.contentOctets == nil
        redactedFields = ConfiguredNames(options.redactedFields)
        credentials = CredentialReplacement(names: redactedFields) { _ in RedactedValue.octets }
    }

    /// What a record needs of an exchange.
    var retention: Retention {
        Retention(heads: keepsNamesOnly ? .names : .whole, contentOctets: options.contentOctets ?? 0)
    }

    /// How many octets are waiting to be taken.
    var pendingOctets: Int { line.count }

    /// Shows `output` the lines written so far, and forgets them.
    mutating func handOver(to output: RecordOutput) {
        line.withOctets(output)
        line.removeAll()
    }

    /// Adds the record of an exchange, all but its route, which must follow.
    /// - Parameters:
    ///   - facts: What it was.
    ///   - exchange: The exchange, with what ``retention`` asks for.
    ///   - session: What is known of the connection's TLS.
    mutating func append(_ facts: ExchangeFacts, _ exchange: borrowing Exchange, _ session: TLSSession?) {
        line.piece(#"{"client":"#)
        append(facts.connection.client)
        line.piece(#","server":"#)
        append(facts.connection.server)
        if let original = facts.connection.clientFromProxy {
            line.key("clientFromProxy")
            append(original)
        }
        line.piece(#","connection":"#, facts.connection.number)
        line.piece(#","exchange":"#, facts.number)
        if exchange.stream > 0 { line.piece(#","stream":"#, Int(exchange.stream)) }
        line.piece(#","startTime":"#)
        line.time(nanoseconds: facts.startTime.nanoseconds)
        append(facts.version)
        if let session { append(session, carrying: facts.version) }
        appendRequest(exchange, isSecured: facts.connection.isSecured)
        appendResponse(exchange)
        if let status = exchange.grpcStatus {
            line.key("grpcStatus")
            line.integer(status)
        }
        if facts.contentKind.isGRPC { appendCall(facts) }
        if facts.routed?.isShadow ?? false {
            line.key("shadow")
            line.bool(true)
        }
        appendSuccessor(facts, exchange)
        appendTiming(facts)
        appendIntegrity(facts.integrity)
        let errorType = facts.errorType
        if !errorType.isEmpty {
            line.key("errorType")
            line.string(errorType)
        }
    }

    /// Ends a record with the route of its request, in the tables that decided on it.
    mutating func end(_ routed: RoutedRequest, in tables: RouteTables) {
        line.piece(#","route":{"#)
        routed.appendMembers(to: &line, in: tables)
        line.piece("}}\n")
    }

    /// Ends a record that gives no route.
    mutating func endWithoutRoute() {
        line.piece(",\"route\":null}\n")
    }

    /// Adds what the connection became, where that is no HTTP any more.
    private mutating func appendSuccessor(_ facts: ExchangeFacts, _ exchange: borrowing Exchange) {
        switch facts.successor {
        case .webSocket:
            line.key("websocket")
            line.bool(true)
            if let figures = exchange.webSocket?.figures { appendWebSocket(figures) }
        case .tunnel:
            line.key("tunnel")
            line.bool(true)
        case .http, .upgraded: break
        }
    }

    private mutating func append(_ endpoint: Endpoint) {
        if endpoint.address.isIPv4 {
            line.string(address: UInt32(truncatingIfNeeded: endpoint.address.low), port: endpoint.port)
        } else {
            line.plainString(upTo: Endpoint.longestText) { endpoint.write(to: &$0) }
        }
    }

    private mutating func append(_ version: HTTPVersion) {
        switch version {
        case .http09: line.piece(#","protocol":"HTTP/0.9""#)
        case .http10: line.piece(#","protocol":"HTTP/1.0""#)
        case .http11: line.piece(#","protocol":"HTTP/1.1""#)
        case .http2: line.piece(#","protocol":"HTTP/2""#)
        }
    }

    private mutating func append(_ session: TLSSession, carrying version: HTTPVersion) {
        line.key("tls")
        line.beginObject()
        line.key("version")
        if let name = session.versionName { line.string(name) } else { line.null() }
        line.key("cipher")
        if let name = session.cipherSuiteName { line.string(name) } else { line.null() }
        line.key("sni")
        if session.serverName.isEmpty { line.null() } else { line.string(session.serverName.span) }
        line.key("alpn")
        if let name = session.agreedProtocol(carrying: version.protocolName) {
            line.string(name.span)
        } else {
            line.null()
        }
        line.endObject()
    }

    // MARK: - Messages

    private mutating func appendRequest(_ exchange: borrowing Exchange, isSecured: Bool) {
        guard exchange.hasRequest else { return line.piece(#","request":null"#) }
        guard let message = exchange.retainedRequest else { return appendUnkeptRequest(exchange, isSecured: isSecured) }
        escapesOctets = needsEscapes(message)
        if _slowPath(escapesOctets) {
            line.piece(#","request":{"octetsEscaped":true,"method":"#)
        } else {
            line.piece(#","request":{"method":"#)
        }
        appendMethod(message.head.extracting(message.method))
        line.piece(#","target":"#)
        appendTarget(message.head.extracting(message.target))
        appendScheme(isSecured: isSecured)
        if let authority = message.authority {
            appendAuthority(message.head.extracting(authority))
        } else {
            line.null()
        }
        appendFigures(exchange.request)
        appendRetained(message, contentOctets: exchange.request.contentOctets)
        line.endObject()
    }

    /// Adds a request that was seen, and of whose head nothing was kept because a limit was met.
    private mutating func appendUnkeptRequest(_ exchange: borrowing Exchange, isSecured: Bool) {
        line.piece(#","request":{"method":null,"target":null"#)
        appendScheme(isSecured: isSecured)
        line.null()
        appendFigures(exchange.request)
        line.endObject()
    }

    /// Adds the scheme, and the key of the authority, whose value must follow.
    private mutating func appendScheme(isSecured: Bool) {
        if isSecured {
            line.piece(#","scheme":"https","authority":"#)
        } else {
            line.piece(#","scheme":"http","authority":"#)
        }
    }

    /// Adds a method; nearly all are the one that is looked for first.
    private mutating func appendMethod(_ method: Span<UInt8>) {
        if method.count == 3, method[0] == UInt8(ascii: "G"), method[1] == UInt8(ascii: "E"),
            method[2] == UInt8(ascii: "T")
        {
            line.piece(#""GET""#)
        } else {
            appendKnown(method)
        }
    }

    private mutating func appendResponse(_ exchange: borrowing Exchange) {
        guard exchange.hasResponse else { return line.piece(#","response":null"#) }
        // Of most responses nothing is kept.
        let message = exchange.retainedResponse
        escapesOctets = false
        if let message { escapesOctets = needsEscapes(message) }
        if _slowPath(escapesOctets) {
            line.piece(#","response":{"octetsEscaped":true,"status":"#)
        } else {
            line.piece(#","response":{"status":"#)
        }
        if exchange.isStatusUnknown { line.null() } else { line.integer(exchange.status) }
        appendFigures(exchange.response)
        if let message, let coding = message.contentCoding {
            line.key("contentEncoding")
            appendText(message.head.extracting(coding))
        }
        line.piece(#","interim":["#)
        for status in exchange.interim { line.integer(Int(status)) }
        line.endList()
        if let message { appendRetained(message, contentOctets: exchange.response.contentOctets) }
        line.endObject()
    }

    /// Adds a request target, without values of parameters that carry credentials.
    private mutating func appendTarget(_ target: Span<UInt8>) {
        guard options.replacesParameters, CredentialReplacement.mayFindCredentials(in: target) else {
            return appendKnown(target)
        }
        appendKnown(credentials.redacted(url: target.copy).span)
    }

    /// Adds a host, without a user and password before it.
    private mutating func appendAuthority(_ authority: Span<UInt8>) {
        guard options.replacesParameters, authority.find(UInt8(ascii: "@"), in: authority.indices) < authority.count
        else {
            return appendText(authority)
        }
        appendText(credentials.redacted(authority: authority.copy).span)
    }

    /// Adds a part of a head that has an octet at least; one without is not known.
    private mutating func appendKnown(_ octets: Span<UInt8>) {
        if octets.isEmpty { line.null() } else { appendText(octets) }
    }

    /// Whether the strings of a message need escapes.
    ///
    /// It is said of the whole message, so that a reader need not ask at each string.
    @inline(__always)
    private func needsEscapes(_ message: RetainedMessage) -> Bool {
        _slowPath(!message.head.isASCII) && losesOctets(message)
    }

    /// Whether one of the strings that are said is no UTF-8.
    @inline(never)
    private func losesOctets(_ message: RetainedMessage) -> Bool {
        let octets = message.octets
        let parts = [message.method, message.target, message.authority, message.contentCoding].compactMap(\.self)
        let lines = options.includesFields ? message.fields : []
        return (parts + lines.map(\.name) + lines.map(\.value)).contains {
            OctetEscapes.areNeeded(for: Array(octets[$0]))
        }
    }

    /// Adds a part of a head as a string from which its octets can be had back.
    private mutating func appendText(_ octets: Span<UInt8>) {
        if _slowPath(escapesOctets) {
            line.string(OctetEscapes.text(octets.copy))
        } else {
            line.string(octets)
        }
    }

    private mutating func appendFigures(_ figures: MessageFigures) {
        line.piece(#","fieldCount":"#, figures.fieldCount)
        line.piece(#","contentBytes":"#, Int(figures.contentOctets))
        line.piece(#","trailerCount":"#, figures.trailerCount)
    }

    @inline(__always)
    private mutating func appendRetained(_ message: RetainedMessage, contentOctets: Int64) {
        if _slowPath(!keepsNamesOnly) { appendWhole(message, contentOctets: contentOctets) }
    }

    /// Adds the field lines of a message, and its content, as far as they are asked for.
    private mutating func appendWhole(_ message: RetainedMessage, contentOctets: Int64) {
        if options.includesFields {
            line.key("fields")
            line.beginList()
            let redacted = RedactedValue.octets
            let fields = message.fieldLines
            for index in fields.indices {
                let field = fields[index]
                let name = message.head.extracting(field.name)
                line.beginList()
                appendText(name)
                if field.isNeverIndexed || isRedacted(name) {
                    line.string(redacted.span)
                } else {
                    appendValue(message.head.extracting(field.value), of: name)
                }
                line.endList()
            }
            line.endList()
        }
        if let limit = options.contentOctets {
            // Mirroring may have had more kept than records are to say.
            let content = message.content.prefix(limit)
            line.key("content")
            line.base64(shown(Array(content), of: message))
            line.key("contentTruncated")
            line.bool(Int64(content.count) < contentOctets)
        }
    }

    /// Adds a field's value, without credentials in the URLs that it holds.
    private mutating func appendValue(_ value: Span<UInt8>, of name: Span<UInt8>) {
        guard options.replacesParameters, CredentialReplacement.mayFindCredentials(in: value) else {
            return appendText(value)
        }
        appendText(credentials.redacted(field: name, value.copy).span)
    }

    /// Content without the credentials of a form.
    private mutating func shown(_ content: [UInt8], of message: RetainedMessage) -> [UInt8] {
        guard options.replacesParameters, !content.isEmpty else { return content }
        let octets = message.octets
        let types = message.fields.filter {
            String(decoding: octets[$0.name], as: UTF8.self).lowercased() == "content-type"
        }
        return credentials.redacted(
            content: content,
            contentType: MediaTypeText.deciding(
                of: types.map { String(decoding: octets[$0.value], as: UTF8.self) }
            ),
            isCoded: message.contentCoding != nil
        )
    }

    /// Whether a field's value is replaced: because the configuration names it, or because it is known to carry credentials.
    ///
    /// Asked with the name as it was sent, since `AppSid` has two parts and `appsid` one. Nothing is remembered of names: a client
    /// makes up as many as it likes.
    private func isRedacted(_ name: Span<UInt8>) -> Bool {
        redactedFields.contains(name) || ShownRequest.hidesField(name)
    }

    // MARK: - Timing and integrity

    private mutating func appendTiming(_ facts: ExchangeFacts) {
        line.piece(#","timing":{"responseFirstByteSeconds":"#)
        appendSeconds(facts.firstByteNanoseconds)
        line.piece(#","durationSeconds":"#)
        appendSeconds(facts.durationNanoseconds)
        line.endObject()
    }

    /// Adds an interval, in seconds; `null` where it is not known.
    mutating func appendSeconds(_ nanoseconds: Int64?) {
        if let nanoseconds { line.seconds(nanoseconds: nanoseconds) } else { line.null() }
    }

    private mutating func appendIntegrity(_ integrity: Integrity) {
        guard !integrity.isEmpty else { return line.piece(#","integrity":[]"#) }
        line.piece(#","integrity":["#)
        for (mark, word) in Integrity.words where integrity.contains(mark) { line.string(word) }
        line.endList()
    }
}

extension HTTPVersion {
    /// The version as ALPN names it (RFC 7301 §6).
    fileprivate var protocolName: String {
        switch self {
        case .http09: "http/0.9"
        case .http10: "http/1.0"
        case .http11: "http/1.1"
        case .http2: "h2"
        }
    }

    /// The version as records name it.
    var text: String {
        switch self {
        case .http09: "HTTP/0.9"
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        case .http2: "HTTP/2"
        }
    }
}

extension Span<UInt8> {
    /// The octets as an array of their own.
    fileprivate var copy: [UInt8] {
        var copy: [UInt8] = []
        copy.append(addingCapacity: count) { $0.append(copying: self) }
        return copy
    }
}
