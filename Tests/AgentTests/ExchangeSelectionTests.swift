// Wingmirror · Apache-2.0

import AdminServer
import PacketCapture
import PacketDecoding
import TestSupport
import Testing
import TrafficPipeline

@testable import Agent
@testable import AgentConfiguration

/// Which requests are shown where conditions are given.
@Suite struct ExchangeSelectionTests {
    /// What came of a request before its client left, five seconds on where it had not all of its response.
    private enum Answer { case whole, half, events, none }

    /// Five requests: of an IPv4 client to a host with a port, of an IPv6 client, one that waited five seconds in vain, one whose
    /// response stalled for as long, and an event stream that was as silent before its client ended it.
    private static func exchanges() throws -> [RecentExchange] {
        let objects = try RouteObjects(Configuration(), namesServerPorts: false)
        let recent = RecentBoard()
        var outputs = PipelineOutputs()
        outputs.recent = recent
        var packets: [(packet: PacketBuilder, milliseconds: Int64)] = []
        func send(_ packet: PacketBuilder, after milliseconds: Int64 = 1) {
            packets.append((packet, (packets.last?.milliseconds ?? 1_000) + milliseconds))
        }
        for (client, server, host, answer) in [
            ("10.1.2.3", "10.0.0.1", "Shop.example.com:8080", Answer.whole),
            ("2001:db8::1", "2001:db8::2", "[2001:db8::2]", .whole),
            ("192.0.2.9", "10.0.0.1", "hung.example.com", .none),
            ("2001:db8:5::1", "2001:db8::2", "stalled.example.com", .half),
            ("2001:db8:6::1", "2001:db8::2", "events.example.com", .events),
        ] {
            let client = Endpoint(address: try #require(IPAddress(client)), port: 50_000)
            let server = Endpoint(address: try #require(IPAddress(server)), port: 8080)
            let request = Array("GET /a HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
            let head = "HTTP/1.1 200 OK\r\n"
            let response = Array(
                (answer == .events
                    ? "\(head)Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n"
                    : "\(head)Content-Length: \(answer == .half ? 10 : 0)\r\n\r\n").utf8
            )
            let asked = 101 + UInt32(request.count)
            send(.tcp(from: client, to: server, sequence: 100, flags: [.syn]))
            send(.tcp(from: server, to: client, sequence: 500, acknowledgement: 101, flags: [.syn, .ack]))
            send(.tcp(from: client, to: server, sequence: 101, acknowledgement: 501, payload: request))
            let answered = answer == .none ? [] : response
            let seen = 501 + UInt32(answered.count)
            send(.tcp(from: server, to: client, sequence: 501, acknowledgement: asked, payload: answered))
            if answer != .whole {
                send(
                    .tcp(from: client, to: server, sequence: asked, acknowledgement: seen, flags: [.rst, .ack]),
                    after: 5_000
                )
            }
        }
        var pipeline = TrafficRun(objects, Configuration(), isLive: false, at: 0).makePipeline(outputs: outputs)
        for (packet, milliseconds) in packets {
            let octets = packet.ip().ethernet().octets
            let captured = CapturedPacket(
                time: PacketTime(nanoseconds: milliseconds * 1_000_000),
                linkType: .ethernet,
                interface: 0,
                wireLength: octets.count
            )
            pipeline.packetArrived(captured, octets: octets.span)
        }
        pipeline.captureEnded()
        return recent.unmatched + recent.failed
    }

    private static func hosts(_ name: String, _ value: String) throws -> [String] {
        let question = AdminQuestion(.exchanges, parameters: [.init(name: name, value: value)])
        let selected = try ExchangeSelection(question).select(exchanges())
        return Set(selected.compactMap { $0.request?.authority }).sorted()
    }

    @Test(arguments: [
        ("client", "10.1.2.3", ["Shop.example.com:8080"]), ("client", "10.0.0.0/8", ["Shop.example.com:8080"]),
        ("client", "10.2.0.0/16", []), ("client", "2001:DB8::1", ["[2001:db8::2]"]),
        ("client", "2001:0db8::/48", ["[2001:db8::2]"]),
        ("client", "0.0.0.0/0", ["Shop.example.com:8080", "hung.example.com"]),
        ("host", "shop.example.com", ["Shop.example.com:8080"]),
        ("host", "SHOP.example.com:8080", ["Shop.example.com:8080"]),
        ("host", "shop.example.com:80", []), ("host", "hung.example.com:80", ["hung.example.com"]),
        ("host", "[2001:db8::2]", ["[2001:db8::2]"]),
        ("slower", "1s", ["hung.example.com", "stalled.example.com"]), ("slower", "6s", []),
    ])
    func `a condition is held against what it means, not how it is written`(
        name: String,
        value: String,
        expected: [String]
    ) throws {
        #expect(try Self.hosts(name, value) == expected)
    }

    @Test(arguments: [
        "10.0.0", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "2001:db8::/129", "shop", "", "::ffff:10.0.0.1/200",
    ])
    func `what is no address is refused with a sentence`(text: String) {
        let question = AdminQuestion(.exchanges, parameters: [.init(name: "client", value: text)])
        let refusal = #expect(throws: ExchangeSelection.Refusal.self) { try ExchangeSelection(question) }
        #expect(refusal?.reason.hasPrefix("client: expected an address such as 10.0.0.7 or a prefix such as") == true)
    }

    @Test(arguments: [("path", "products"), ("host", "")])
    func `a condition that nothing can meet is refused`(name: String, value: String) {
        let question = AdminQuestion(.exchanges, parameters: [.init(name: name, value: value)])
        let refusal = #expect(throws: ExchangeSelection.Refusal.self) { try ExchangeSelection(question) }
        #expect(refusal?.reason.hasPrefix("\(name): expected") == true)
    }
}
