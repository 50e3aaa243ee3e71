// Wingmirror · Apache-2.0

import HTTPReconstruction
import PacketDecoding
import TCPReassembly
import TrafficModel

extension Scenario {
    /// Exchanges from streams.
    static let heads = Scenario(
        name: "heads",
        summary: "HTTP/1.1 streams to exchanges without content; 64 connections in turn",
        item: "exchange"
    ) { options in
        let turns = options.repetitions(2048)
        let request = RequestHead.apiLike(target: "/ratings/68793", host: "ratings.example.com").octets
        let response = ResponseHead.apiLike(contentLength: 0)
        let smallRequest = Array("GET /1 HTTP/1.1\r\nHost: a.b\r\n\r\n".utf8)
        let smallResponse = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
        return [
            Row(HeadWorkload("request", request, "answer", response, turns: turns)),
            Row(HeadWorkload("request", request, "answer", response, turns: turns, cutsHeads: true)),
            Row(HeadWorkload("request", smallRequest, "answer", smallResponse, turns: turns)),
        ]
    }
}

/// Sends the same request and response on connections that stay open.
private struct HeadWorkload: ~Copyable, Workload {
    let label: String
    let items: Int
    var octets: Int { items * (request.count + response.count) }
    private let request: [UInt8]
    private let response: [UInt8]
    /// Whether each head comes in two segments.
    private let cutsHeads: Bool
    private var reconstructor = HTTPReconstructor(sink: ExchangeCounter())
    private var time = PacketTime(nanoseconds: 1_795_406_760_000_000_000)
    /// How far each connection's two streams are: all are at the same place.
    private var sent: (requests: Int64, responses: Int64) = (0, 0)

    private let turns: Int

    private static let connections = 64

    init(
        _ requestName: String,
        _ request: [UInt8],
        _ responseName: String,
        _ response: [UInt8],
        turns: Int,
        cutsHeads: Bool = false
    ) {
        let how = cutsHeads ? ", each in two segments" : ""
        label = "\(requestName) \(request.count) octets, \(responseName) \(response.count)\(how)"
        self.request = request
        self.response = response
        self.cutsHeads = cutsHeads
        self.turns = turns
        items = Self.connections * turns
        for slot in 0..<Self.connections {
            reconstructor.connectionOpened(.ofOneClient(slot, at: time))
        }
    }

    mutating func run() -> Int {
        let before = reconstructor.sink.wholeExchanges
        for _ in 0..<turns {
            for slot in 0..<Self.connections {
                deliver(request, .fromOriginator, at: sent.requests, acknowledged: sent.responses, slot)
                let answered = sent.requests + Int64(request.count)
                deliver(response, .fromResponder, at: sent.responses, acknowledged: answered, slot)
            }
            sent.requests += Int64(request.count)
            sent.responses += Int64(response.count)
        }
        return reconstructor.sink.wholeExchanges - before
    }

    private mutating func deliver(
        _ head: [UInt8],
        _ direction: StreamDirection,
        at offset: Int64,
        acknowledged: Int64,
        _ slot: Int
    ) {
        let cut = cutsHeads ? head.count / 2 : 0
        for range in [0..<cut, cut..<head.count] where !range.isEmpty {
            time = time.advanced(byNanoseconds: 1000)
            let position = StreamPosition(
                direction: direction,
                offset: offset + Int64(range.lowerBound),
                time: time,
                acknowledged: acknowledged,
                startsSegment: true
            )
            reconstructor.octetsArrived(head.span.extracting(range), at: position, slot: slot)
        }
    }
}

extension ConnectionIntroduction {
    /// One of the connections of a client to a server, seen from its start.
    static func ofOneClient(_ slot: Int, at time: PacketTime) -> ConnectionIntroduction {
        ConnectionIntroduction(
            slot: slot,
            number: slot,
            originator: Endpoint(address: IPAddress(ipv4: 0xC612_0001), port: UInt16(32_768 + slot)),
            responder: Endpoint(address: IPAddress(ipv4: 0xC613_0001), port: 8080),
            time: time,
            sawHandshake: true
        )
    }
}

/// Counts the exchanges that were seen whole.
struct ExchangeCounter: ExchangeSink {
    private(set) var wholeExchanges = 0

    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime,
        retention: inout Retention
    ) -> Int {
        0
    }

    mutating func responseArrivedWithoutRequest(
        on connection: ConnectionFacts,
        retention: inout Retention
    ) -> Int {
        0
    }

    mutating func exchangeCompleted(_ exchange: borrowing Exchange, tag: Int, on connection: ConnectionFacts) {
        if exchange.hasRequest, exchange.hasResponse, exchange.integrity.isEmpty { wholeExchanges += 1 }
    }

    mutating func protocolRecognized(_ application: ApplicationProtocol, on connection: ConnectionFacts) {}
    mutating func opaqueOctetsArrived(_ count: Int, _ reason: OpaqueReason, on connection: ConnectionFacts) {}
    mutating func connectionClosed(_ end: ConnectionEnd, wasRecognized: Bool, on connection: ConnectionFacts) {}
    mutating func parsingFailed(_ failure: ParseFailure, on connection: ConnectionFacts) {}
}
