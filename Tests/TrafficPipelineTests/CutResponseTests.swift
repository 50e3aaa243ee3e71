// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import Recordings
import Synchronization
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

/// Who is held to have cut a response short, where the capture has lost something of it.
@Suite struct CutResponseTests {
    private static let client = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 40_000)
    private static let server = Endpoint(address: IPAddress(ipv4: 0x0A00_0002), port: 8080)

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }

    /// The record of a request over HTTP/2 whose client closes behind a ping; the end of the response was captured, or was not.
    private static func record(isEndCaptured: Bool) throws -> [String] {
        let ping = [UInt8](repeating: 7, count: 8)
        // :method GET, :scheme http, :path / and :authority h.
        let request = frame(1, 5, 1, [0x82, 0x86, 0x84, 0x41, 1, 0x68])
        let asked = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, []) + request
        let answered = frame(4, 0, 0, []) + frame(1, 4, 1, [0x88])
        let end = frame(0, 1, 1, Array("hello".utf8))
        var sent: UInt32 = 101
        var received: UInt32 = 501
        var segments = [
            PacketBuilder.tcp(from: client, to: server, sequence: 100, flags: [.syn]),
            PacketBuilder.tcp(from: server, to: client, sequence: 500, acknowledgement: 101, flags: [.syn, .ack]),
        ]
        func add(_ isClient: Bool, _ octets: [UInt8], flags: TCPFlags = [.ack]) {
            segments.append(
                PacketBuilder.tcp(
                    from: isClient ? client : server,
                    to: isClient ? server : client,
                    sequence: isClient ? sent : received,
                    acknowledgement: isClient ? received : sent,
                    flags: flags,
                    payload: octets
                )
            )
            if isClient { sent += UInt32(octets.count) } else { received += UInt32(octets.count) }
        }
        add(true, asked)
        add(false, answered)
        add(false, end)
        if !isEndCaptured { segments.removeLast() }
        add(true, frame(6, 0, 0, ping))
        add(false, frame(6, 1, 0, ping))
        add(true, [], flags: [.fin, .ack])
        return TrafficPipeline.records(of: segments.map { $0.ip().ethernet().octets })
    }

    @Test func `a response whose end was not captured is not one that its client cut`() throws {
        let whole = try Self.record(isEndCaptured: true)
        #expect(whole.count == 1 && whole.first?.contains(#""integrity":[]"#) == true)
        let lossy = try Self.record(isEndCaptured: false)
        #expect(lossy.count == 1 && lossy.first?.contains("response_gap") == true)
        #expect(lossy.first?.contains("client_closed") == false)
    }

    // MARK: - Requests whose responses broke

    /// What becomes of a connection behind its client's request.
    enum Break: String, CaseIterable {
        case serverCloses, serverResets, clientResets, halfAnswerThenFIN, halfAnswerThenRST, halfAnswerThenNothing,
            nothing
    }

    /// The exchanges of a connection on which `request` is sent, and then something breaks.
    private static func exchanges(of request: String, then end: Break) -> (list: [RecordedExchange], leftOut: Int) {
        let kept = Mutex(([RecordedExchange](), 0))
        var outputs = PipelineOutputs()
        outputs.exchanges = ExchangeOutput(
            contentOctets: 1024,
            take: { exchange in kept.withLock { $0.0.append(exchange) } },
            leaveOut: { _ in kept.withLock { $0.1 += 1 } }
        )
        var pipeline = TrafficPipeline(withoutRoutes: MetricsRegistry(), outputs: outputs)
        let half = Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".utf8)
        let octets = Array(request.utf8)
        let asked = UInt32(101 + octets.count)
        let answered = UInt32(501 + half.count)
        func segment(_ isClient: Bool, _ flags: TCPFlags, _ payload: [UInt8] = [], behindAnswer: Bool) -> PacketBuilder
        {
            PacketBuilder.tcp(
                from: isClient ? client : server,
                to: isClient ? server : client,
                sequence: isClient ? asked : behindAnswer ? answered : 501,
                acknowledgement: isClient ? (behindAnswer ? answered : 501) : asked,
                flags: flags,
                payload: payload
            )
        }
        var segments = [
            PacketBuilder.tcp(from: client, to: server, sequence: 100, flags: [.syn]),
            PacketBuilder.tcp(from: server, to: client, sequence: 500, acknowledgement: 101, flags: [.syn, .ack]),
            PacketBuilder.tcp(from: client, to: server, sequence: 101, acknowledgement: 501, payload: octets),
        ]
        let answer = segment(false, [.ack], half, behindAnswer: false)
        switch end {
        case .serverCloses: segments.append(segment(false, [.fin, .ack], behindAnswer: false))
        case .serverResets: segments.append(segment(false, [.rst, .ack], behindAnswer: false))
        case .clientResets: segments.append(segment(true, [.rst, .ack], behindAnswer: false))
        case .halfAnswerThenFIN: segments += [answer, segment(false, [.fin, .ack], behindAnswer: true)]
        case .halfAnswerThenRST: segments += [answer, segment(false, [.rst, .ack], behindAnswer: true)]
        case .halfAnswerThenNothing: segments.append(answer)
        case .nothing: break
        }
        pipeline.read(segments.map { $0.ip().ethernet().octets })
        return kept.withLock { ($0.0, $0.1) }
    }

    private static let head = "POST /q HTTP/1.1\r\nHost: h\r\n"

    @Test(arguments: Break.allCases)
    func `a request that was seen to its end is whole, whatever became of its response`(end: Break) throws {
        for framing in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"] {
            let exchanges = Self.exchanges(of: Self.head + framing, then: end).list
            let exchange = try #require(exchanges.first)
            #expect(exchanges.count == 1 && !exchange.integrity.isEmpty)
            #expect(exchange.isRequestSeenWhole, "\(exchange.integrity)")
        }
    }

    @Test(arguments: Break.allCases)
    func `a request that was not seen to its end is not whole`(end: Break) throws {
        for framing in ["Content-Length: 5\r\n\r\nhel", "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n"] {
            let exchange = try #require(Self.exchanges(of: Self.head + framing, then: end).list.first)
            #expect(!exchange.isRequestSeenWhole && !exchange.isRequestUnbroken, "\(exchange.integrity)")
        }
    }

    @Test func `a response whose request was not seen is counted as left out`() throws {
        let kept = Mutex(([RecordedExchange](), [ExchangeOutput.Omission]()))
        let lines = LineCollector()
        var outputs = PipelineOutputs()
        outputs.recordOutput = { lines.append($0) }
        outputs.exchanges = ExchangeOutput(
            contentOctets: 1024,
            take: { exchange in kept.withLock { $0.0.append(exchange) } },
            leaveOut: { omission in kept.withLock { $0.1.append(omission) } }
        )
        var pipeline = TrafficPipeline(withoutRoutes: MetricsRegistry(), outputs: outputs)
        var frames = Conversation.frames(
            from: Self.client,
            to: Self.server,
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        )
        frames.remove(at: 2)
        pipeline.read(frames)
        let (exchanges, omissions) = kept.withLock(\.self)
        #expect(exchanges.isEmpty && omissions == [.noRequest])
        #expect(lines.lines.count == 1, "what is kept and what is left out are as many as there are records")
    }
}
