// Wingmirror · Apache-2.0

import HTTPReconstruction
import PacketDecoding
import TCPReassembly
import TrafficModel

/// Keeps everything that reconstruction tells.
struct RecordingSink: ExchangeSink {
    var exchanges: [SeenExchange] = []
    var protocols: [ApplicationProtocol] = []
    var opaqueOctets: [OpaqueReason: Int] = [:]
    var failures: [ParseFailure] = []
    var identities: Set<ConnectionFacts> = []
    var closings = 0
    /// From the first octet of the request to the last of the response, in nanoseconds, of each exchange; 0 without either.
    var durations: [Int64] = []
    /// What the field lines of each request were said to hold.
    var traits: [RequestTraits] = []
    /// The heads of responses, interim ones too, as `status name=value …`.
    var responseHeads: [String] = []
    /// The trailer sections, as `response name=value …`.
    var trailerSections: [String] = []
    /// What the sink was told that cannot be: numbers or tags out of order, content that is missing without a mark.
    var complaints: [String] = []
    /// What the sink asks to be kept of each exchange.
    var kept = Retention(heads: .whole, contentOctets: 1 << 20)
    /// Whether exchanges of odd numbers are taken without what is known of their connection.
    var countsOdd = false
    private var tagsGiven: UInt64 = 0
    private var tagsOfRequests: [UInt64] = []
    private var tagsTold: [UInt64] = []

    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime,
        retention: inout Retention
    ) -> UInt64 {
        identities.insert(connection)
        tagsGiven += 1
        tagsOfRequests.append(tagsGiven)
        traits.append(request.traits)
        retention = kept
        return tagsGiven
    }

    mutating func responseArrivedWithoutRequest(
        on connection: ConnectionFacts,
        retention: inout Retention
    ) -> UInt64 {
        identities.insert(connection)
        tagsGiven += 1
        retention = kept
        return tagsGiven
    }

    mutating func exchangeCounted(_ exchange: borrowing Exchange, tag: UInt64) -> Bool {
        guard countsOdd, exchange.number % 2 == 1 else { return false }
        take(exchange, tag: tag)
        return true
    }

    mutating func exchangeCompleted(_ exchange: borrowing Exchange, tag: UInt64, on connection: ConnectionFacts) {
        identities.insert(connection)
        take(exchange, tag: tag)
    }

    private mutating func take(_ exchange: borrowing Exchange, tag: UInt64) {
        let seen = SeenExchange(exchange)
        if exchange.hasRequest { tagsTold.append(tag) }
        if seen.integrity.isEmpty { complaints += seen.contradictions }
        if exchange.hasRequest, exchange.hasResponse, exchange.response.lastOctet < exchange.response.firstOctet,
            !exchange.integrity.contains(.clockUnreliable)
        {
            complaints.append("\(seen) ends before it begins")
        }
        let isPair = exchange.hasRequest && exchange.hasResponse
        durations.append(isPair ? exchange.response.lastOctet.nanoseconds(since: exchange.request.firstOctet) : 0)
        exchanges.append(seen)
    }

    mutating func responseArrived(
        _ response: borrowing ResponseView,
        tag: inout UInt64,
        on connection: ConnectionFacts,
        at time: PacketTime
    ) {
        identities.insert(connection)
        if tag == 0 || tag > tagsGiven { complaints.append("a response has the tag \(tag), which was not given") }
        var text = "\(response.status)"
        for index in response.fields.indices {
            let field = response.fields[index]
            text += " \(Self.text(response.octets, field.name))=\(Self.text(response.octets, field.value))"
        }
        responseHeads.append(text)
    }

    mutating func trailersArrived(
        _ trailers: borrowing TrailerView,
        tag: inout UInt64,
        on connection: ConnectionFacts
    ) {
        if tag == 0 || tag > tagsGiven { complaints.append("trailers have the tag \(tag), which was not given") }
        var text = trailers.isOfResponse ? "response" : "request"
        for index in trailers.fields.indices {
            let field = trailers.fields[index]
            text += " \(Self.text(trailers.octets, field.name))=\(Self.text(trailers.octets, field.value))"
        }
        trailerSections.append(text)
    }

    private static func text(_ octets: Span<UInt8>, _ range: Range<Int>) -> String {
        var copied: [UInt8] = []
        for index in range { copied.append(octets[index]) }
        return String(decoding: copied, as: UTF8.self)
    }

    mutating func protocolRecognized(_ application: ApplicationProtocol, on connection: ConnectionFacts) {
        protocols.append(application)
    }

    mutating func opaqueOctetsArrived(_ count: Int, _ reason: OpaqueReason, on connection: ConnectionFacts) {
        opaqueOctets[reason, default: 0] += count
    }

    mutating func parsingFailed(_ failure: ParseFailure, on connection: ConnectionFacts) {
        failures.append(failure)
    }

    /// Checks what must hold when a connection is over.
    mutating func connectionClosed(_ end: ConnectionEnd, wasRecognized: Bool, on connection: ConnectionFacts) {
        closings += 1
        if wasRecognized == protocols.isEmpty { complaints.append("what it carries was not told as it is said") }
        // Streams of HTTP/2 end in any order.
        let isOrdered = !protocols.contains(.http2)
        let numbers = isOrdered ? exchanges.map(\.number) : exchanges.map(\.number).sorted()
        if numbers != Array(exchanges.indices) { complaints.append("exchanges have the numbers \(numbers)") }
        let tags = isOrdered ? tagsTold : tagsTold.sorted()
        if tags != tagsOfRequests { complaints.append("requests \(tagsOfRequests) were told as \(tags)") }
        if identities.count > 1 { complaints.append("the connection changed its ends") }
    }
}

extension SeenExchange {
    /// What contradicts that the exchange was seen whole.
    fileprivate var contradictions: [String] {
        guard let request, let response else { return ["\(self) lacks a message and no mark says so"] }
        var found: [String] = []
        if request.content.count != request.contentOctets { found.append("\(self) lacks request content") }
        if successor == .http, response.content.count != response.contentOctets {
            found.append("\(self) lacks response content")
        }
        return found
    }
}
