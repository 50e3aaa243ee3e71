// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

/// Packets of which the capture does not say when they came.
@Suite struct TimelessPacketsTests {
    private static let client = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 40_000)
    private static let server = Endpoint(address: IPAddress(ipv4: 0x0A00_0002), port: 8080)

    /// The fragments of a segment.
    private static func fragments(of segment: PacketBuilder) -> [[UInt8]] {
        var (first, last) = (segment, segment)
        first.octets = Array(segment.octets.prefix(24))
        last.octets = Array(segment.octets.dropFirst(24))
        return [
            first.ipv4(identification: 7, fragmentField: 0x2000).ethernet().octets,
            last.ipv4(identification: 7, fragmentField: 3).ethernet().octets,
        ]
    }

    /// The records of an exchange whose response has no time, and comes whole or in fragments.
    private static func records(inFragments: Bool) -> (lines: [String], packetsWithoutTime: Int) {
        let collector = LineCollector()
        var outputs = PipelineOutputs()
        outputs.recordOutput = { collector.append($0) }
        let registry = MetricsRegistry()
        let boards = WorkerBoards(registry)
        var pipeline = TrafficPipeline(withoutRoutes: registry, boards: boards, outputs: outputs)
        let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        let timed = Conversation.frames(from: client, to: server, request, response).prefix(3)
        for (number, frame) in timed.enumerated() {
            pipeline.packetArrived(.ethernet(frame, at: Int64(number + 1) * 1_000_000), octets: frame.span)
        }
        let answer = PacketBuilder.tcp(
            from: server,
            to: client,
            sequence: 501,
            acknowledgement: UInt32(101 + request.utf8.count),
            payload: Array(response.utf8)
        )
        for frame in inFragments ? fragments(of: answer) : [answer.ip().ethernet().octets] {
            let packet = CapturedPacket(
                time: PacketTime(nanoseconds: 3_000_000),
                linkType: .ethernet,
                interface: 0,
                wireLength: frame.count,
                origin: CapturedPacket.withoutClock
            )
            pipeline.packetArrived(packet, octets: frame.span)
        }
        pipeline.captureEnded()
        return (collector.lines.map { String(decoding: $0, as: UTF8.self) }, boards.figures.packetsWithoutTime)
    }

    @Test(arguments: [false, true])
    func `a response that has no time gives no duration, whole or in fragments`(inFragments: Bool) {
        let (lines, packetsWithoutTime) = Self.records(inFragments: inFragments)
        #expect(lines.count == 1)
        #expect(lines.first?.contains(#""durationSeconds":null"#) == true)
        #expect(lines.first?.contains("clock_unreliable") == true)
        #expect(packetsWithoutTime == 1)
    }
}
