// Wingmirror · Apache-2.0

import PacketDecoding
import RouteAttribution
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

@testable import Agent

/// What is said of a capture of which nothing could be decoded, so that an empty result is no quiet success.
@Suite struct UndecodedCaptureTests {
    private static let segment = PacketBuilder.tcp(
        from: Endpoint(address: IPAddress(ipv4: 0xC000_0209), port: 51_034),
        to: Endpoint(address: IPAddress(ipv4: 0xC000_0201), port: 8080),
        sequence: 1
    ).ip()
    /// A frame that IP lies in, of an EtherType that is not known.
    private static let foreign = segment.encapsulated(in: [0, 0], etherType: 0x9999).ethernet().octets

    private static func problem(_ packets: [(octets: [UInt8], linkType: Int32)]) -> String? {
        figures(packets).undecodedCapture
    }

    private static func figures(
        _ packets: [(octets: [UInt8], linkType: Int32)],
        snapshotLength: Int = .max
    ) -> PipelineFigures {
        let registry = MetricsRegistry()
        let boards = WorkerBoards(registry)
        let table = RouteTable.compile(RouteResources(), environment: RouteEnvironment()).table
        var pipeline = TrafficPipeline(
            routes: RouteBoard(RouteTables(table), registry: registry, at: 0),
            board: boards.sole
        )
        for packet in packets {
            let captured = Array(packet.octets.prefix(snapshotLength))
            pipeline.packetArrived(
                CapturedPacket(
                    time: PacketTime(nanoseconds: 0),
                    linkType: LinkType(rawValue: packet.linkType),
                    interface: 0,
                    wireLength: packet.octets.count
                ),
                octets: captured.span
            )
        }
        pipeline.captureEnded()
        return boards.figures
    }

    @Test func `link types that are not decoded are named by their numbers`() {
        let packet = Self.segment.octets
        #expect(Self.problem([(packet, 147)])?.contains("147") == true)
        let both = Self.problem([(packet, 147), (packet, 162), (packet, 162)])
        #expect(both?.hasPrefix("none of the 3 packets could be decoded (") == true)
        #expect(both?.contains("147") == true && both?.contains("162") == true)
    }

    @Test func `so is an EtherType that hides what is in the frame`() {
        #expect(Self.problem([(Self.foreign, 1)])?.lowercased().contains("0x9999") == true)
    }

    @Test func `one TCP segment makes it an ordinary capture, of which a part is missing`() {
        let packet = Self.segment.octets
        let figures = Self.figures([(packet, 147), (Self.foreign, 1), (Self.segment.ethernet().octets, 1)])
        #expect(figures.undecodedCapture == nil)
        #expect(
            figures.undecodedPart
                == "2 of the 3 packets could not be decoded (link type 147: 1, EtherType 0x9999: 1): what they carry is missing"
        )
        let cut = Self.figures([(Self.segment.ethernet().octets, 1), (Array(packet.prefix(10)), 101)])
        #expect(cut.undecodedCapture == nil && cut.undecodedPart == nil)
        #expect(Self.problem([]) == nil)
    }

    @Test func `an ARP frame beside packets of a format that is not known is no TCP`() {
        let request = PacketBuilder([UInt8](repeating: 0, count: 28), etherType: 0x0806).ethernet().octets
        let problem = Self.problem([(Self.foreign, 1), (Self.foreign, 1), (request, 1)])
        #expect(problem == "there is no TCP, and 2 of the 3 packets could not be decoded (EtherType 0x9999)")
        #expect(Self.problem([(request, 1)]) == nil)
    }

    @Test func `packets that the snapshot length cut are counted, with what captures whole ones`() {
        let frame = Self.segment.ethernet().octets
        let cut = Self.figures([(frame, 1), (frame, 1)], snapshotLength: 40)
        #expect(cut.undecodedCapture == nil)
        #expect(
            cut.damage == [
                "2 of the 2 packets were cut short by the snapshot length: what was cut off is missing "
                    + "(tcpdump -s 0 captures whole packets)"
            ]
        )
        #expect(Self.figures([(frame, 1)]).damage == [])
    }

    @Test func `headers that contradict themselves are a warning where there is no TCP`() {
        let frame = Self.segment.ethernet().octets
        var contradicting = frame
        contradicting[14] = 0x41
        let figures = Self.figures([(contradicting, 1)])
        #expect(figures.damage == ["there is no TCP, and the headers of 1 of the 1 packets contradict themselves"])
        #expect(Self.figures([(contradicting, 1), (frame, 1)]).damage == [])
    }

    @Test func `frames that are encrypted below TCP are not decoded`() {
        let frame = Self.segment.encapsulated(in: [0, 0], etherType: 0x88E5).ethernet().octets
        #expect(Self.problem([(frame, 1), (frame, 1)])?.contains("MACsec") == true)
    }
}
