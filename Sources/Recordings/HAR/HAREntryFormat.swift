// Wingmirror · Apache-2.0
// HTTP Archive, version 1.2: the objects `entries`, `request`, `response`, `content`, `postData` and `timings`.

internal import JSONSyntax
import OctetText
internal import TrafficModel

/// How an exchange becomes an entry.
struct HAREntryFormat: Sendable {
    let key: RecordingKey
    let redaction: RecordingRedaction
    let decoder: HARWriter.ContentDecoder?

    func entry(of exchange: RecordedExchange, _ note: HARWriter.Note, isLate: Bool) -> [UInt8] {
        var exchange = exchange
        let (request, count) = redaction.applied(to: exchange.request, under: key)
        exchange.request = request
        var replaced = count
        if let response = exchange.response {
            let (response, count) = redaction.applied(to: response, under: key)
            exchange.response = response
            replaced += count
        }
        var text = JSONText()
        text.beginObject()
        text.key("startedDateTime")
        text.time(nanoseconds: exchange.startTime)
        let timings = HARTimings(exchange)
        text.key("time")
        text.milliseconds(timings.total)
        text.key("request")
        appendRequest(exchange, to: &text)
        text.key("response")
        appendResponse(exchange, to: &text)
        text.key("cache")
        text.beginObject()
        text.endObject()
        text.key("timings")
        timings.append(to: &text)
        if !exchange.serverAddress.isEmpty { text.member("serverIPAddress", exchange.serverAddress) }
        if exchange.connection >= 0 { text.member("connection", String(exchange.connection)) }
        append(note, exchange, replaced: replaced, to: &text)
        if isLate { text.member("_late", true) }
        text.endObject()
        return text.octets
    }

    private func append(
        _ note: HARWriter.Note,
        _ exchange: RecordedExchange,
        replaced: Int,
        to text: inout JSONText
    ) {
        if exchange.route != RouteName() {
            text.key("_route")
            text.beginObject()
            text.member("namespace", exchange.route.virtualServiceNamespace)
            text.member("virtualService", exchange.route.virtualService)
            text.member("route", exchange.route.route)
            text.endObject()
        }
        if let policy = note.policy { text.member("_policy", policy) }
        if let target = note.target { text.member("_target", target) }
        if let weight = note.sampleWeight {
            text.key("_sampleWeight")
            text.double(weight)
        }
        if !exchange.integrity.isEmpty {
            text.key("_integrity")
            text.beginList()
            for mark in exchange.integrity { text.string(mark) }
            text.endList()
        }
        let lines = exchange.request.message.fields + (exchange.response?.message.fields ?? [])
        let redactions = lines.count { redaction.covers($0) } + replaced
        if redactions > 0 { text.member("_redactions", redactions) }
    }

    // MARK: - Messages

    private func appendRequest(_ exchange: RecordedExchange, to text: inout JSONText) {
        let request = exchange.request
        let fields = redaction.applied(to: request.message.fields, under: key)
        let location = HARLocation(
            target: request.target,
            host: fields.first { $0.isNamed("host") }?.value ?? [],
            server: (exchange.serverAddress, exchange.serverPort),
            method: request.method,
            isSecured: exchange.isSecured
        )
        text.beginObject()
        text.member("method", request.method)
        text.member("url", location.url)
        text.member("httpVersion", exchange.protocolVersion)
        text.key("cookies")
        append(HARCookie.requestCookies(request.message.fields, redact: cookieRedaction("cookie")), to: &text)
        append(fields, to: &text)
        text.key("queryString")
        text.beginList()
        for parameter in location.parameters {
            text.beginObject()
            text.member("name", parameter.name)
            text.member("value", parameter.value)
            if parameter.isEscaped { text.member("_octetsEscaped", true) }
            text.endObject()
        }
        text.endList()
        if request.message.contentOctets > 0 { appendPostData(request.message, fields, to: &text) }
        appendSizes(request.message, to: &text)
        text.endObject()
    }

    /// Binary content has no encoding in a request of version 1.2, so `text` stays empty and it goes to `_content`.
    private func appendPostData(_ message: RecordedMessage, _ fields: [RecordedField], to text: inout JSONText) {
        text.key("postData")
        text.beginObject()
        text.member("mimeType", mediaType(fields))
        let content = HARContent(message, decoder: decoder)
        switch content.form {
        case .text(let string): text.member("text", string)
        case .octets(let octets):
            text.member("text", "")
            text.member("_encoding", "base64")
            text.key("_content")
            text.base64(octets)
        }
        if let coding = content.remainingCoding { text.member("_contentEncoding", coding) }
        if content.isTruncated { text.member("_truncated", true) }
        text.endObject()
    }

    /// A response that was not seen has the status 0, as other tools write it.
    private func appendResponse(_ exchange: RecordedExchange, to text: inout JSONText) {
        let message = exchange.response?.message ?? RecordedMessage(fields: [])
        let fields = redaction.applied(to: message.fields, under: key)
        let status = exchange.response?.status ?? 0
        text.beginObject()
        text.member("status", status)
        text.member("statusText", ReasonPhrase.text(for: status))
        text.member("httpVersion", exchange.protocolVersion)
        text.key("cookies")
        append(HARCookie.responseCookies(message.fields, redact: cookieRedaction("set-cookie")), to: &text)
        append(fields, to: &text)
        text.key("content")
        appendContent(message, fields, to: &text)
        text.member("redirectURL", fields.first { $0.isNamed("location") }?.text ?? "")
        appendSizes(message, to: &text)
        if exchange.response == nil { text.member("_error", exchange.integrity.first ?? "no_response") }
        text.endObject()
    }

    private func appendContent(_ message: RecordedMessage, _ fields: [RecordedField], to text: inout JSONText) {
        let content = HARContent(message, decoder: decoder)
        text.beginObject()
        text.member("size", content.decodedOctets)
        if let saved = content.savedOctets { text.member("compression", saved) }
        text.member("mimeType", mediaType(fields))
        switch content.form {
        case .text(let string): text.member("text", string)
        case .octets(let octets):
            text.key("text")
            text.base64(octets)
            text.member("encoding", "base64")
        }
        if let coding = content.remainingCoding { text.member("_contentEncoding", coding) }
        if content.isTruncated { text.member("_truncated", true) }
        text.endObject()
    }

    // MARK: - Parts of messages

    private func mediaType(_ fields: [RecordedField]) -> String {
        fields.first { $0.isNamed("content-type") }?.text ?? ""
    }

    private func append(_ fields: [RecordedField], to text: inout JSONText) {
        text.key("headers")
        text.beginList()
        for field in fields {
            text.beginObject()
            text.member("name", field.name)
            if OctetEscapes.areNeeded(for: field.value) {
                text.member("value", OctetEscapes.text(field.value))
                text.member("_octetsEscaped", true)
            } else {
                text.key("value")
                text.string(field.value.span)
            }
            text.endObject()
        }
        text.endList()
    }

    private func append(_ cookies: [HARCookie], to text: inout JSONText) {
        text.beginList()
        for cookie in cookies { cookie.append(to: &text) }
        text.endList()
    }

    /// How many octets a head took is not recorded.
    private func appendSizes(_ message: RecordedMessage, to text: inout JSONText) {
        text.member("headersSize", -1)
        text.member("bodySize", Int(message.contentOctets))
    }

    /// What becomes of cookie values when the field that carries them is redacted.
    private func cookieRedaction(_ name: String) -> ((String) -> String)? {
        guard redaction.covers(name) else { return nil }
        return { String(decoding: redaction.replaced(Array($0.utf8), under: key), as: UTF8.self) }
    }
}

/// Where the time of an exchange went, in nanoseconds; all that was seen of the network is in these three.
struct HARTimings {
    var send: Int64
    var wait: Int64
    var receive: Int64

    init(_ exchange: RecordedExchange) {
        let end = max(0, exchange.durationNanoseconds ?? exchange.firstByteNanoseconds ?? 0)
        let firstByte = min(max(0, exchange.firstByteNanoseconds ?? end), end)
        // A server may answer before it has the whole request, and then nobody waits.
        send = min(max(0, exchange.requestNanoseconds ?? 0), firstByte)
        wait = firstByte - send
        receive = end - firstByte
    }

    var total: Int64 { send + wait + receive }

    func append(to text: inout JSONText) {
        text.beginObject()
        for (name, time) in [("send", send), ("wait", wait), ("receive", receive)] {
            text.key(named: name)
            text.milliseconds(time)
        }
        for name in ["blocked", "dns", "connect", "ssl"] {
            text.key(named: name)
            text.integer(-1)
        }
        text.endObject()
    }
}

extension JSONText {
    /// Writes a time in milliseconds, exactly.
    fileprivate mutating func milliseconds(_ nanoseconds: Int64) {
        millionths(Int(nanoseconds))
    }
}
