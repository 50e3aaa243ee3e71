// Wingmirror · Apache-2.0
// Exchange records: design.md section 5.

internal import HTTPMessages
internal import HTTPReconstruction
internal import PacketDecoding

/// Writes exchange records, one line of JSON each.
struct RecordEncoder {
    private let options: RecordOptions
    private(set) var line = JSONLine()

    init(options: RecordOptions) {
        self.options = options
    }

    /// What a record needs of an exchange.
    var retention: Retention {
        Retention(keepsHeads: true, contentOctets: options.contentOctets ?? 0)
    }

    /// How many octets are waiting to be taken.
    var pendingOctets: Int { line.octets.count }

    /// Hands over the lines written so far.
    mutating func takeLines() -> [UInt8] {
        let lines = line.octets
        line.removeAll()
        return lines
    }

    /// Adds the record of an exchange.
    /// - Parameters:
    ///   - exchange: The exchange, with its heads retained.
    ///   - connection: The connection it was seen on.
    ///   - route: The value of the member `route`: the members of an object; empty for `null`.
    mutating func append(_ exchange: borrowing Exchange, on connection: HTTPConnectionIdentity, route: [UInt8]) {
        line.beginObject()
        line.name("client")
        line.string(connection.client.description)
        line.name("server")
        line.string(connection.server.description)
        line.name("connection")
        line.number(connection.number)
        line.name("exchange")
        line.number(exchange.number)
        line.name("startTime")
        line.time(nanoseconds: exchange.startTime.nanoseconds)
        line.name("protocol")
        line.string(exchange.version.text)
        line.name("request")
        appendRequest(exchange)
        line.name("response")
        appendResponse(exchange)
        switch exchange.successor {
        case .webSocket:
            line.name("websocket")
            line.boolean(true)
        case .tunnel:
            line.name("tunnel")
            line.boolean(true)
        case .http, .upgraded: break
        }
        appendTiming(exchange)
        appendIntegrity(exchange.integrity)
        line.name("route")
        if route.isEmpty { line.null() } else { line.object(members: route) }
        line.endObject()
        line.endLine()
    }

    // MARK: - Messages

    private mutating func appendRequest(_ exchange: borrowing Exchange) {
        guard exchange.hasRequest, let message = exchange.retainedRequest else { return line.null() }
        let octets = message.octets
        line.beginObject()
        line.name("method")
        line.string(octets.span.extracting(message.method))
        line.name("target")
        line.string(octets.span.extracting(message.target))
        line.name("scheme")
        line.string("http")
        line.name("authority")
        if let authority = message.authority { line.string(octets.span.extracting(authority)) } else { line.null() }
        appendFigures(exchange.request)
        appendRetained(message, contentOctets: exchange.request.contentOctets)
        line.endObject()
    }

    private mutating func appendResponse(_ exchange: borrowing Exchange) {
        guard exchange.hasResponse, let message = exchange.retainedResponse else { return line.null() }
        line.beginObject()
        line.name("status")
        line.number(exchange.status)
        appendFigures(exchange.response)
        if let coding = message.contentCoding {
            line.name("contentEncoding")
            let octets = message.octets
            line.string(octets.span.extracting(coding))
        }
        line.name("interim")
        line.beginArray()
        for status in exchange.interim { line.number(Int(status)) }
        line.endArray()
        appendRetained(message, contentOctets: exchange.response.contentOctets)
        line.endObject()
    }

    private mutating func appendFigures(_ figures: MessageFigures) {
        line.name("fieldCount")
        line.number(figures.fieldCount)
        line.name("contentBytes")
        line.number(Int(figures.contentOctets))
        line.name("trailerCount")
        line.number(figures.trailerCount)
    }

    private mutating func appendRetained(_ message: RetainedMessage, contentOctets: Int64) {
        if options.includesFields {
            line.name("fields")
            line.beginArray()
            let octets = message.octets
            for field in message.fields {
                line.beginArray()
                line.string(octets.span.extracting(field.name))
                if isRedacted(octets.span.extracting(field.name)) {
                    line.string("[redacted]")
                } else {
                    line.string(octets.span.extracting(field.value))
                }
                line.endArray()
            }
            line.endArray()
        }
        if options.contentOctets != nil {
            line.name("content")
            let content = message.content
            line.base64(content.span)
            line.name("contentTruncated")
            line.boolean(Int64(message.content.count) < contentOctets)
        }
    }

    private func isRedacted(_ name: Span<UInt8>) -> Bool {
        var lowercased: [UInt8] = []
        lowercased.reserveCapacity(name.count)
        for index in 0..<name.count {
            let octet = name[index]
            lowercased.append(octet &- 0x41 < 26 ? octet | 0x20 : octet)
        }
        return options.redactedFields.contains(String(decoding: lowercased, as: UTF8.self))
    }

    // MARK: - Timing and integrity

    private mutating func appendTiming(_ exchange: borrowing Exchange) {
        line.name("timing")
        line.beginObject()
        line.name("responseFirstByteSeconds")
        appendSeconds(exchange.responseFirstByteNanoseconds)
        line.name("durationSeconds")
        appendSeconds(exchange.durationNanoseconds)
        line.endObject()
    }

    private mutating func appendSeconds(_ nanoseconds: Int64?) {
        if let nanoseconds { line.seconds(nanoseconds: nanoseconds) } else { line.null() }
    }

    private mutating func appendIntegrity(_ integrity: Integrity) {
        line.name("integrity")
        line.beginArray()
        if !integrity.isEmpty {
            for (mark, word) in Integrity.words where integrity.contains(mark) { line.string(word) }
        }
        line.endArray()
    }
}

extension HTTPVersion {
    /// The version as records name it.
    fileprivate var text: StaticString {
        switch self {
        case .http09: "HTTP/0.9"
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        case .http2: "HTTP/2"
        }
    }
}
