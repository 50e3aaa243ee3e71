// Wingmirror · Apache-2.0

import HTTPReconstruction
import PacketDecoding
import TrafficModel

/// An exchange as it was told, with the octets in place of where they lie, and without its times.
struct SeenExchange: Equatable {
    var number = 0
    var stream: UInt32 = 0
    var version = HTTPVersion.http11
    var integrity: Integrity = []
    var request: SeenMessage?
    var response: SeenMessage?
    var interim: [Int] = []
    var successor = Exchange.Successor.http
    var grpcStatus: Int?
    /// Who broke it off, and what was cut: `client, response` or `server, unprocessed`.
    var earlyEnd: String?
    /// Messages of a gRPC call, of the request and of the response; -1 where that is not known.
    var messages = [0, 0]
    /// What a WebSocket carried, as `client text 1/5 close 1000 …`.
    var webSocket: String?

    /// A field line of a head.
    struct Field: Equatable {
        let name: String
        let value: String
    }

    /// One message of an exchange.
    struct SeenMessage: Equatable {
        var method = ""
        var target = ""
        var authority: String?
        var status = 0
        var contentCoding: String?
        var fields: [Field] = []
        var content: [UInt8] = []
        var contentOctets = 0
        var trailerCount = 0

        /// The value of the first field of that name.
        func value(of name: String) -> String? {
            fields.first { $0.name.lowercased() == name }?.value
        }
    }

    init(_ exchange: borrowing Exchange) {
        number = exchange.number
        stream = exchange.stream
        version = exchange.version
        integrity = exchange.integrity
        interim = exchange.interim.map { Int($0) }
        successor = exchange.successor
        grpcStatus = exchange.grpcStatus
        earlyEnd = exchange.earlyEnd.map { end in
            var words = ["\(end.side)"]
            if end.cutsRequest { words.append("request") }
            if end.cutsResponse { words.append("response") }
            if end.isUnprocessed { words.append("unprocessed") }
            return words.joined(separator: ", ")
        }
        messages = [exchange.requestMessages.count ?? -1, exchange.responseMessages.count ?? -1]
        webSocket = exchange.webSocket?.figures.summary
        if exchange.hasRequest {
            request = SeenMessage(exchange.retainedRequest, exchange.request)
        }
        if exchange.hasResponse {
            response = SeenMessage(exchange.retainedResponse, exchange.response)
            response?.status = exchange.status
        }
    }

    /// The words of the marks, in the order of exchange records.
    var marks: [String] {
        Integrity.words.filter { integrity.contains($0.mark) }.map(\.word)
    }
}

extension SeenExchange.SeenMessage {
    fileprivate init(_ retained: RetainedMessage?, _ figures: MessageFigures) {
        contentOctets = Int(figures.contentOctets)
        trailerCount = figures.trailerCount
        guard let retained else { return }
        func text(_ range: Range<Int>) -> String { String(decoding: retained.octets[range], as: UTF8.self) }
        method = text(retained.method)
        target = text(retained.target)
        authority = retained.authority.map(text)
        contentCoding = retained.contentCoding.map(text)
        fields = retained.fields.map { SeenExchange.Field(name: text($0.name), value: text($0.value)) }
        content = retained.content
    }
}

extension SeenExchange: CustomStringConvertible {
    /// One line, as short as a test's failure needs it: `GET /a -> 200 (5) [response_gap]`.
    var description: String {
        var text = request.map { "\($0.method) \($0.target)" } ?? "-"
        if let request, request.contentOctets > 0 { text += " (\(request.contentOctets))" }
        if let request, request.trailerCount > 0 { text += " +\(request.trailerCount)" }
        text += " ->"
        for status in interim { text += " \(status)" }
        text += response.map { " \($0.status)" } ?? " -"
        if let response, response.contentOctets > 0 { text += " (\(response.contentOctets))" }
        if let response, response.trailerCount > 0 { text += " +\(response.trailerCount)" }
        if let grpcStatus { text += " grpc \(grpcStatus)" }
        if successor != .http { text += " \(successor)" }
        return marks.isEmpty ? text : text + " [\(marks.joined(separator: " "))]"
    }
}

extension WebSocketFigures {
    /// Both directions and the close, without times.
    var summary: String {
        var text = "client \(request.summary) server \(response.summary)"
        if let close {
            text += " close \(close.code.map { "\($0)" } ?? "-") by \(close.isByClient ? "client" : "server")"
        }
        if !pingNanoseconds.isEmpty { text += " pings \(pingNanoseconds.count)" }
        return text
    }
}

extension WebSocketFigures.Direction {
    /// Frames by opcode as `text.binary.continuation.close.ping.pong`, messages, and octets of payload.
    fileprivate var summary: String {
        let frames = [textFrames, binaryFrames, continuationFrames, closeFrames, pingFrames, pongFrames]
        let counts = frames.map(String.init).joined(separator: ".")
        let marks = (isUncertain ? "?" : "") + (isMalformed ? "!" : "")
        return "\(counts) (\(textMessages)+\(binaryMessages)) \(payloadBytes)\(marks)"
    }
}
