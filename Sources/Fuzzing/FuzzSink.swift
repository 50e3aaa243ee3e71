// Wingmirror · Apache-2.0

import HTTPReconstruction
import JSONSyntax
import PacketDecoding
import RouteAttribution
import TCPReassembly
import TrafficModel

/// Takes exchanges as the pipeline does, keeps everything of them, and traps where something cannot be true.
struct FuzzSink: ~Copyable, ExchangeSink {
    typealias Tag = Int32

    private static let table = routes()
    private static let port = table.podPorts.first ?? 0
    private var scratch = RouteScratch()

    init() {}

    /// A table with conditions of every kind.
    private static func routes() -> RouteTable {
        let text = #"""
            [{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"g","namespace":"default"},
              "spec":{"selector":{"istio":"ingressgateway"},
                "servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*"]}]}},
             {"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
              "metadata":{"name":"v","namespace":"default"},
              "spec":{"hosts":["*"],"gateways":["g"],"http":[
                {"match":[{"uri":{"regex":"/a(b|c)*/[0-9]+"}},{"uri":{"prefix":"/p"},"method":{"exact":"POST"}}],
                 "route":[{"destination":{"host":"a"}}]},
                {"match":[{"headers":{"x-a":{"exact":"1"},"cookie":{"regex":".*s=.*"}}},
                          {"queryParams":{"q":{"prefix":"v"}}},{"authority":{"exact":"h"}}],
                 "redirect":{"uri":"/r"}},
                {"match":[{"uri":{"exact":"/E"},"ignoreUriCase":true}],"route":[{"destination":{"host":"b"}}]},
                {"route":[{"destination":{"host":"c"}}]}]}}]
            """#
        guard let value = try? JSONDocument.parse(Array(text.utf8)), case .array(let objects) = value else {
            preconditionFailure("FuzzSink.routes: the objects cannot be read")
        }
        var environment = RouteEnvironment()
        environment.pathNormalization = .decodeAndMergeSlashes
        return RouteTable.compile(RouteResources(decoding: objects), environment: environment).table
    }

    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime,
        retention: inout Retention
    ) -> Int32 {
        retention = Retention(heads: .whole, contentOctets: 4096)
        _ = TraceContext(of: request, allowsB3: true)
        let hosts = Self.table.hostTable(podPort: Self.port)
        precondition(hosts.carriesHTTP)
        return Self.table.route(request, in: hosts, scratch: &scratch).route
    }

    mutating func responseArrivedWithoutRequest(
        on connection: ConnectionFacts,
        retention: inout Retention
    ) -> Int32 {
        retention = Retention(heads: .whole, contentOctets: 4096)
        return -1
    }

    mutating func exchangeCompleted(_ exchange: borrowing Exchange, tag: Int32, on connection: ConnectionFacts) {
        precondition(exchange.request.contentOctets >= 0 && exchange.response.contentOctets >= 0)
        precondition(exchange.hasRequest || exchange.hasResponse || !exchange.interim.isEmpty)
        for message in [exchange.retainedRequest, exchange.retainedResponse] {
            guard let message else { continue }
            precondition(message.content.count <= 4096)
            let ends = message.fields.map(\.value.upperBound) + message.fields.map(\.name.upperBound)
            precondition(ends.allSatisfy { $0 <= message.octets.count })
        }
    }

    mutating func protocolRecognized(_ application: ApplicationProtocol, on connection: ConnectionFacts) {}

    mutating func opaqueOctetsArrived(_ count: Int, _ reason: OpaqueReason, on connection: ConnectionFacts) {
        precondition(count >= 0)
    }

    mutating func connectionClosed(_ end: ConnectionEnd, wasRecognized: Bool, on connection: ConnectionFacts) {}

    mutating func parsingFailed(_ failure: ParseFailure, on connection: ConnectionFacts) {}
}
