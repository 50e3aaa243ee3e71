// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import ResourceFiles
import RouteAttribution
import TestSupport
import Testing

@testable import TrafficMetrics
@testable import TrafficPipeline

/// gRPC calls and WebSockets of real programs, from packets to metrics.
@Suite struct StreamCountTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "Fixtures/streams"
    )

    private static func run(_ capture: String) throws -> LabRun {
        try LabRun(path: folder.appending(path: capture + ".pcap").path, table())
    }

    private static func table() throws -> RouteTable {
        let objects = try ResourceFileLoader().survey([folder.appending(path: "routes.yaml").path]).objects
        var environment = RouteEnvironment()
        environment.ports = [GatewayPort(pod: 50_051, server: 80), GatewayPort(pod: 8080, server: 80)]
        return RouteTable.compile(RouteResources(decoding: objects.map(\.value)), environment: environment).table
    }

    @Test func `calls are counted by status, and one whose method is missing is an error`() throws {
        let run = try Self.run("lab-grpc-unary")
        let statuses = run.counts(of: MetricCatalogue.grpcResponses, by: ["grpc_response_status"])
        #expect(statuses == ["0": 2, "5": 1, "12": 1])
        let labels = ["request_protocol", "response_code", "error_type"]
        let requests = run.counts(of: MetricCatalogue.httpRequests, by: labels)
        #expect(requests.filter { $0.value > 0 } == ["grpc 200 ": 3, "grpc 200 grpc_error": 1])
        #expect(run.counts(of: MetricCatalogue.grpcMessages, by: ["direction"]) == ["request": 4, "response": 2])
        #expect(run.observations(of: MetricCatalogue.httpRequestDuration) == 4)
        #expect(run.observations(of: MetricCatalogue.grpcStreamDuration) == 0)
    }

    /// One frame of HTTP/2 with fields as literals that are in no table (RFC 7541 §6.2.2), or with octets.
    private static func frame(_ type: UInt8, _ flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }

    private static func fields(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0, UInt8($0.0.utf8.count)] + $0.0.utf8 + [UInt8($0.1.utf8.count)] + $0.1.utf8 }
    }

    /// A call over a connection of its own, whose answer has these trailers, or ends with its message.
    private static func call(trailers: [(String, String)]?) throws -> LabRun {
        let head = [
            (":method", "POST"), (":scheme", "http"), (":path", "/shop.Cart/Get"), (":authority", "shop"),
            ("content-type", "application/grpc"),
        ]
        let message: [UInt8] = [0, 0, 0, 0, 1, 7]
        let request =
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, stream: 0, [])
            + frame(1, 4, stream: 1, fields(head)) + frame(0, 1, stream: 1, message)
        let response =
            frame(4, 0, stream: 0, [])
            + frame(1, 4, stream: 1, fields([(":status", "200"), ("content-type", "application/grpc")]))
            + frame(0, trailers == nil ? 1 : 0, stream: 1, message)
            + (trailers.map { frame(1, 5, stream: 1, fields($0)) } ?? [])
        return LabRun(
            frames: Conversation.frames(
                from: Endpoint(address: try #require(IPAddress("192.0.2.1")), port: 40_000),
                to: Endpoint(address: try #require(IPAddress("192.0.2.2")), port: 50_051),
                request,
                response
            ),
            try table()
        )
    }

    @Test(
        arguments: [
            ([("grpc-status", "0")], "0", ""), ([("grpc-status", "2")], "2", "grpc_error"),
            ([("grpc-status", "17")], "_OTHER", "grpc_error"), ([("grpc-status", "-1")], "_OTHER", "grpc_error"),
            ([("x-other", "0")], "_OTHER", "grpc_error"), (nil, "_OTHER", "grpc_error"),
        ] as [([(String, String)]?, String, String)]
    )
    func `a call that ends without a status that gRPC has is what clients take it for, an error`(
        trailers: [(String, String)]?,
        status: String,
        errorType: String
    ) throws {
        let run = try Self.call(trailers: trailers)
        #expect(run.counts(of: MetricCatalogue.grpcResponses, by: ["grpc_response_status"]) == [status: 1])
        #expect(
            run.counts(of: MetricCatalogue.httpRequests, by: ["response_code", "error_type"]) == ["200 " + errorType: 1]
        )
    }

    @Test func `streaming calls have times of their messages, and no request duration`() throws {
        let run = try Self.run("lab-grpc-streams")
        #expect(run.counts(of: MetricCatalogue.grpcResponses, by: ["grpc_response_status"]) == ["0": 3])
        #expect(run.counts(of: MetricCatalogue.grpcMessages, by: ["direction"]) == ["request": 7, "response": 14])
        #expect(run.observations(of: MetricCatalogue.httpRequestDuration) == 0)
        for family in [
            MetricCatalogue.grpcStreamDuration, MetricCatalogue.grpcStreamFirstMessage,
            MetricCatalogue.grpcStreamLastMessage,
        ] {
            #expect(run.observations(of: family) == 3)
        }
        #expect(run.counts(of: MetricCatalogue.httpStreams, by: ["gateway", "kind"])["default/gateway grpc"] == 3)
    }

    // MARK: - What was broken off

    /// What follows when nothing has come for some milliseconds.
    private struct Closing {
        var isClient: Bool
        var flags: TCPFlags = [.fin, .ack]
        var octets: [UInt8] = []
    }

    /// A request that is captured at 3 ms, the beginning of its response at 4 ms, and then nothing until 10 ms.
    private static func stalled(_ request: [UInt8], _ response: [UInt8], then closing: [Closing]) throws -> LabRun {
        let client = Endpoint(address: try #require(IPAddress("192.0.2.1")), port: 40_000)
        let server = Endpoint(address: try #require(IPAddress("192.0.2.2")), port: 8080)
        var frames = Conversation.frames(from: client, to: server, request, response)
        let silence = try #require(frames.last)
        frames += [[UInt8]](repeating: silence, count: 4)
        var asked = UInt32(101 + request.count)
        var answered = UInt32(501 + response.count)
        for part in closing {
            let segment = PacketBuilder.tcp(
                from: part.isClient ? client : server,
                to: part.isClient ? server : client,
                sequence: part.isClient ? asked : answered,
                acknowledgement: part.isClient ? answered : asked,
                flags: part.flags,
                payload: part.octets
            )
            frames.append(segment.ip().ethernet().octets)
            if part.isClient { asked += UInt32(part.octets.count) } else { answered += UInt32(part.octets.count) }
        }
        return LabRun(frames: frames, try table())
    }

    @Test(arguments: [
        (true, false, "client_closed"), (true, true, "client_closed"), (false, false, "incomplete_response"),
        (false, true, "incomplete_response"),
    ])
    func `a response that stalls lasts until one side breaks it off`(
        isClient: Bool,
        isReset: Bool,
        errorType: String
    ) throws {
        let first = Closing(isClient: isClient, flags: isReset ? [.rst, .ack] : [.fin, .ack])
        let run = try Self.stalled(
            Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8),
            Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".utf8),
            then: isReset ? [first] : [first, Closing(isClient: !isClient)]
        )
        #expect(
            run.counts(of: MetricCatalogue.httpRequests, by: ["response_code", "error_type"]) == ["200 \(errorType)": 1]
        )
        #expect(run.observations(of: MetricCatalogue.httpRequestDuration) == 1)
        #expect(run.sum(of: MetricCatalogue.httpRequestDuration) == 0.007)
    }

    @Test func `a response to a client that sends no more lasts to its last octet`() throws {
        let run = try Self.stalled(
            Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8),
            Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".utf8),
            then: [
                Closing(isClient: true), Closing(isClient: false, flags: [.ack], octets: Array("too".utf8)),
                Closing(isClient: false),
            ]
        )
        #expect(run.observations(of: MetricCatalogue.httpRequestDuration) == 1)
        #expect(run.sum(of: MetricCatalogue.httpRequestDuration) == 0.008)
    }

    @Test func `a streaming call that is silent lasts until its client cancels it`() throws {
        let head = [
            (":method", "POST"), (":scheme", "http"), (":path", "/shop.Cart/Watch"), (":authority", "shop"),
            ("content-type", "application/grpc"),
        ]
        let message: [UInt8] = [0, 0, 0, 0, 1, 7]
        let cancel = Self.frame(3, 0, stream: 1, [0, 0, 0, 8])
        let run = try Self.stalled(
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, 0, stream: 0, [])
                + Self.frame(1, 4, stream: 1, Self.fields(head)) + Self.frame(0, 1, stream: 1, message),
            Self.frame(4, 0, stream: 0, [])
                + Self.frame(
                    1,
                    4,
                    stream: 1,
                    Self.fields([(":status", "200"), ("content-type", "application/grpc")])
                )
                + Self.frame(0, 0, stream: 1, message + message),
            then: [
                Closing(isClient: true, flags: [.ack], octets: cancel), Closing(isClient: true),
                Closing(isClient: false),
            ]
        )
        #expect(
            run.counts(of: MetricCatalogue.httpRequests, by: ["response_code", "error_type"])
                == ["200 client_closed": 1]
        )
        #expect(run.observations(of: MetricCatalogue.grpcStreamDuration) == 1)
        #expect(run.sum(of: MetricCatalogue.grpcStreamDuration) == 0.007)
        #expect(run.sum(of: MetricCatalogue.grpcStreamLastMessage) == 0.001)
    }

    @Test func `a WebSocket is counted when it ends, and is then neither open nor in flight`() throws {
        let run = try Self.run("zeek-websocket-reply-ping-coalesced")
        #expect(
            run.counts(of: MetricCatalogue.websocketMessages, by: ["direction", "kind"]) == [
                "request text": 1, "response text": 1, "response ping": 1, "request pong": 1,
            ]
        )
        #expect(run.counts(of: MetricCatalogue.websocketBytes, by: ["direction"]) == ["request": 17, "response": 18])
        #expect(run.counts(of: MetricCatalogue.websocketCloses, by: ["close_code"]) == ["1000": 1])
        #expect(run.counts(of: MetricCatalogue.websocketUpgrades, by: []) == ["": 1])
        #expect(run.observations(of: MetricCatalogue.websocketDuration) == 1)
        #expect(run.observations(of: MetricCatalogue.websocketPing) == 1)
        for gauge in [MetricCatalogue.websocketsOpen, MetricCatalogue.httpRequestsInFlight] {
            for series in run.snapshot[gauge]?.series ?? [] {
                guard case .number(let value) = series.value else { continue }
                #expect(value == 0)
            }
        }
    }
}

extension LabRun {
    /// The counters of a family that are not zero, by the values of labels.
    fileprivate func counts(of family: MetricFamily, by labels: [String]) -> [String: UInt64] {
        var counts: [String: UInt64] = [:]
        for series in snapshot[family]?.series ?? [] {
            let count: UInt64
            switch series.value {
            case .count(let value): count = value
            case .number(let value): count = UInt64(value)
            case .histogram: continue
            }
            guard count > 0 else { continue }
            let values = labels.map { label in
                (series.shared.labels + series.own.labels).first { $0.name == label }?.value ?? ""
            }
            counts[values.joined(separator: " "), default: 0] += count
        }
        return counts
    }

    /// How many observations the histograms of a family have.
    fileprivate func observations(of family: MetricFamily) -> UInt64 {
        (snapshot[family]?.series ?? []).reduce(0) { total, series in
            guard case .histogram(let histogram) = series.value else { return total }
            return total + histogram.count
        }
    }

    /// The sum of what the histograms of a family observed, in the base unit.
    fileprivate func sum(of family: MetricFamily) -> Double {
        (snapshot[family]?.series ?? []).reduce(0) { total, series in
            guard case .histogram(let histogram) = series.value else { return total }
            return total + histogram.sum
        }
    }
}
