// Wingmirror · Apache-2.0

import PacketDecoding
import RouteAttribution
import TestSupport
import Testing
import TrafficMetrics

@testable import TrafficPipeline

/// Requests that come to ports on which no Gateway listens are counted by port.
@Suite struct UnservedPortsTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `the report has the busiest port first, and is renewed once a second`() {
        var ports = UnservedPorts()
        ports.requestArrived(at: 9000)
        ports.batchEnded(at: 1)
        for _ in 0..<3 { ports.requestArrived(at: 18080) }
        ports.batchEnded(at: 2)
        #expect(ports.report.map(\.port) == [9000])
        ports.batchEnded(at: 1 + Self.second)
        #expect(ports.report.map(\.port) == [18080, 9000])
        #expect(ports.report.map(\.requests) == [3, 1])
    }

    @Test func `a scan of ports passes through one place, and of two ports alike the lower is first`() {
        var ports = UnservedPorts()
        for port in (1...2000).reversed() { ports.requestArrived(at: UInt16(port)) }
        ports.captureEnded()
        #expect(ports.report.map(\.port) == [1] + Array(1986...2000))
    }

    @Test func `a scan hides no port that is asked again, before it or behind it`() {
        var ports = UnservedPorts()
        for _ in 0..<2 { ports.requestArrived(at: 9000) }
        for port in 1...2000 { ports.requestArrived(at: UInt16(port)) }
        for _ in 0..<3 { ports.requestArrived(at: 18080) }
        ports.captureEnded()
        #expect(ports.report.prefix(2).map(\.port) == [18080, 9000])
        #expect(ports.report.count == 16)
    }

    @Test(arguments: [Int64.min, -1, 0])
    func `a clock that is set back does not keep the report from being renewed`(time: Int64) {
        var ports = UnservedPorts()
        ports.requestArrived(at: 9000)
        ports.batchEnded(at: .max)
        ports.requestArrived(at: 18080)
        ports.batchEnded(at: time)
        #expect(ports.report.map(\.port) == [9000, 18080])
    }

    @Test func `what several workers saw is added up`() {
        var figures = PipelineFigures()
        for ports in [[9000: 2, 18080: 1], [18080: 4]] {
            var part = PipelineFigures()
            part.unservedPorts = ports.map { port, requests in
                var unserved = UnservedPort(UInt16(port))
                unserved.requests = requests
                return unserved
            }
            figures.add(part)
        }
        #expect(figures.unservedPorts.map(\.port) == [18080, 9000])
        #expect(figures.unservedPorts.map(\.requests) == [5, 2])
    }

    @Test(arguments: [UInt16(8080), 18080])
    func `only requests past the gateway's ports are among them`(port: UInt16) throws {
        let registry = MetricsRegistry()
        let tables = RouteTables(try RouteTable.onPort8080(yaml: OneGateway.manifest))
        let boards = WorkerBoards(registry)
        var pipeline = TrafficPipeline(
            routes: RouteBoard(tables, places: GatewayPlaces(), registry: registry, at: 0),
            board: boards.sole
        )
        let frames = Conversation.frames(
            from: Endpoint(address: IPAddress(ipv4: 0xC000_0209), port: 20_000),
            to: Endpoint(address: IPAddress(ipv4: 0x0A01_0007), port: port),
            "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        )
        for (number, octets) in frames.enumerated() {
            pipeline.packetArrived(.ethernet(octets, at: Int64(number + 1) * 1_000_000), octets: octets.span)
        }
        pipeline.batchEnded()
        pipeline.captureEnded()
        #expect(boards.figures.unservedPorts.map(\.port) == (port == 8080 ? [] : [port]))
    }
}
