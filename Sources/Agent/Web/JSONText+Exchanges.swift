// Wingmirror · Apache-2.0
// Exchange records: the guide Records.

import AgentConfiguration
import HTTPReconstruction
package import JSONSyntax
import OctetText
import PacketDecoding
import RouteAttribution
import TrafficMetrics
import TrafficModel
package import TrafficPipeline

/// Exchanges that were kept to be looked at, as exchange records have them.
extension JSONText {
    /// Writes an exchange.
    ///
    /// - Parameters:
    ///   - exchange: The exchange.
    ///   - catalogue: Where the id of its route is found, if the table still has it.
    package mutating func exchange(_ exchange: RecentExchange, _ catalogue: RouteCatalogue) {
        object { json in
            json.member("number", integer: exchange.number)
            json.member("client", string: exchange.facts.connection.client.description)
            json.member("server", string: exchange.facts.connection.server.description)
            json.member("connection", integer: exchange.facts.connection.number)
            json.member("exchange", integer: exchange.facts.number)
            json.member("startTime", time: exchange.facts.startTime.nanoseconds)
            json.member("protocol", string: exchange.facts.version.recordText)
            if exchange.facts.connection.isSecured {
                json.member("tls") { $0.member("sni", string: exchange.serverName) }
            }
            let pod = exchange.facts.connection.server.port
            let ports = catalogue.tables.tables[catalogue.workload(of: exchange)].environment.ports
            json.member("serverPort", integer: Int(ports.first { $0.pod == pod }?.server ?? pod))
            json.writeRequest(exchange)
            json.writeResponse(exchange)
            if exchange.facts.contentKind.isGRPC { json.writeCall(exchange.facts) }
            json.member("timing") { json in
                json.member("responseFirstByteSeconds", seconds: exchange.facts.firstByteNanoseconds)
                json.member("durationSeconds", seconds: exchange.facts.durationNanoseconds)
                json.member("unansweredSeconds", seconds: exchange.facts.unansweredNanoseconds)
                json.member("brokenOffSeconds", seconds: exchange.facts.brokenOffNanoseconds)
            }
            json.member("integrity", strings: exchange.facts.integrity.recordWords)
            json.member("errorType", string: exchange.facts.errorType)
            json.member("isAnswerSeen", bool: exchange.facts.isAnswerSeen)
            json.member("reason", string: exchange.reason.label)
            json.key("route")
            guard let route = exchange.route else { return json.null() }
            json.object { json in
                let id = RouteLabels(route).id
                json.member("id", string: catalogue[id: id] == nil ? nil : id)
                json.member("label", string: route.label)
                json.rendered(route.record)
            }
        }
    }

    private mutating func writeRequest(_ exchange: RecentExchange) {
        guard let message = exchange.request else { return member("request", string: nil) }
        member("request") { json in
            let escapes = json.beginEscapes(of: message)
            json.member("method", string: message.method)
            json.member("target", string: Self.text(message.targetOctets, escapes))
            json.member("scheme", string: exchange.facts.connection.isSecured ? "https" : "http")
            json.member("authority", string: message.authorityOctets.map { Self.text($0, escapes) })
            json.member("contentBytes", integer: exchange.facts.request.contentOctets)
            json.writeFields(message, escapes)
        }
    }

    private mutating func writeResponse(_ exchange: RecentExchange) {
        guard exchange.facts.hasResponse else { return member("response", string: nil) }
        member("response") { json in
            let escapes = exchange.response.map { json.beginEscapes(of: $0) } ?? false
            json.member("status", integer: exchange.facts.status)
            json.member("contentBytes", integer: exchange.facts.response.contentOctets)
            if let message = exchange.response { json.writeFields(message, escapes) }
        }
    }

    /// Says of a message, as exchange records do, that its strings have escapes for octets that are no UTF-8, where it needs them.
    private mutating func beginEscapes(of message: RecentMessage) -> Bool {
        guard message.losesOctets else { return false }
        member("octetsEscaped", bool: true)
        return true
    }

    private static func text(_ octets: [UInt8], _ escapes: Bool) -> String {
        escapes ? OctetEscapes.text(octets) : String(decoding: octets, as: UTF8.self)
    }

    /// Writes the status and the messages of a gRPC call; what is not known is `null`.
    private mutating func writeCall(_ facts: ExchangeFacts) {
        member("grpcStatus", count: facts.grpcStatus)
        member("grpcMessages") { json in
            json.member("request", count: facts.requestMessages.count)
            json.member("response", count: facts.responseMessages.count)
        }
    }

    private mutating func member(_ name: String, count: Int?) {
        key(named: name)
        if let count { integer(count) } else { null() }
    }

    private mutating func writeFields(_ message: RecentMessage, _ escapes: Bool) {
        member("fields", list: message.fields) { json, field in
            json.beginList()
            json.string(field.name)
            json.string(field.octets.map { Self.text($0, escapes) } ?? RedactedValue.text)
            json.endList()
        }
        member("fieldsCut", bool: message.isCut)
    }

    private mutating func member(_ name: String, seconds nanoseconds: Int64?) {
        key(named: name)
        if let nanoseconds { seconds(nanoseconds: nanoseconds) } else { null() }
    }
}

extension HTTPVersion {
    /// The version as records name it.
    fileprivate var recordText: String {
        switch self {
        case .http09: "HTTP/0.9"
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        case .http2: "HTTP/2"
        }
    }
}

extension Integrity {
    /// The words of exchange records for what is set.
    fileprivate var recordWords: [String] {
        Integrity.words.filter { contains($0.mark) }.map(\.word)
    }
}
