// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import RouteAttribution
import TLSDecryption
import TestSupport
import TrafficMetrics
import TrafficPipeline

/// A connection that carries one request and its answer.
enum Conversation {
    /// The Ethernet frames, from handshake to the last acknowledgement; the client's SYN has the number `origin`.
    static func frames(
        from client: Endpoint,
        to server: Endpoint,
        _ request: String,
        _ response: String,
        origin: UInt32 = 100
    ) -> [[UInt8]] {
        frames(from: client, to: server, Array(request.utf8), Array(response.utf8), origin: origin)
    }

    /// The same of any octets.
    static func frames(
        from client: Endpoint,
        to server: Endpoint,
        _ request: [UInt8],
        _ response: [UInt8],
        origin: UInt32 = 100
    ) -> [[UInt8]] {
        let first = origin + 1
        let asked = first + UInt32(request.count)
        let answered = UInt32(501 + response.count)
        let segments = [
            PacketBuilder.tcp(from: client, to: server, sequence: origin, flags: [.syn]),
            PacketBuilder.tcp(from: server, to: client, sequence: 500, acknowledgement: first, flags: [.syn, .ack]),
            PacketBuilder.tcp(from: client, to: server, sequence: first, acknowledgement: 501, payload: request),
            PacketBuilder.tcp(from: server, to: client, sequence: 501, acknowledgement: asked, payload: response),
            PacketBuilder.tcp(from: client, to: server, sequence: asked, acknowledgement: answered),
        ]
        return segments.map { $0.ip().ethernet().octets }
    }
}

extension CapturedPacket {
    /// A whole Ethernet frame.
    static func ethernet(_ octets: [UInt8], at nanoseconds: Int64) -> CapturedPacket {
        CapturedPacket(
            time: PacketTime(nanoseconds: nanoseconds),
            linkType: .ethernet,
            interface: 0,
            wireLength: octets.count
        )
    }
}

extension TrafficPipeline {
    /// Makes a pipeline with the table of no objects, on one thread.
    init(
        withoutRoutes registry: MetricsRegistry,
        boards: WorkerBoards? = nil,
        limits: PipelineLimits = PipelineLimits(),
        keys: KeyStore? = nil,
        outputs: PipelineOutputs = PipelineOutputs()
    ) {
        let table = RouteTable.compile(RouteResources(), environment: RouteEnvironment()).table
        self.init(
            limits: limits,
            routes: RouteBoard(RouteTables(table), registry: registry, at: 0),
            board: (boards ?? WorkerBoards(registry)).sole,
            keys: keys,
            outputs: outputs
        )
    }

    /// The records of Ethernet frames that are a whole capture, without routes.
    static func records(
        of frames: [[UInt8]],
        _ options: RecordOptions = RecordOptions(),
        recent: RecentBoard? = nil
    ) -> [String] {
        let collector = LineCollector()
        var outputs = PipelineOutputs()
        outputs.records = options
        outputs.recordOutput = { collector.append($0) }
        outputs.recent = recent
        var pipeline = TrafficPipeline(withoutRoutes: MetricsRegistry(), outputs: outputs)
        pipeline.read(frames)
        return collector.lines.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads the rest of a pcap file as a whole capture, `batch` packets at a time.
    mutating func read(_ savefile: inout SavefileReader, batch: Int = .max) throws {
        var packets = 0
        while let packet = try savefile.next() {
            packetArrived(packet, octets: savefile.octets)
            packets += 1
            if packets.isMultiple(of: batch) { batchEnded() }
        }
        captureEnded()
    }

    /// Reads Ethernet frames as a whole capture, one a millisecond.
    mutating func read(_ frames: [[UInt8]]) {
        for (number, frame) in frames.enumerated() {
            packetArrived(.ethernet(frame, at: Int64(number + 1) * 1_000_000), octets: frame.span)
        }
        captureEnded()
    }
}

extension TextExposition {
    /// The samples of a family that are not zero.
    static func samples(of registry: MetricsRegistry, _ family: String) -> [String] {
        var page: [UInt8] = []
        TextExposition(.text).write(registry.snapshot(at: 0), into: &page)
        return String(decoding: page, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix(family + "{") && !$0.hasSuffix(" 0.0") && !$0.hasSuffix(" 0") }
    }
}
