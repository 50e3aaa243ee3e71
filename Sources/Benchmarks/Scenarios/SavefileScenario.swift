// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import RouteAttribution
import TrafficMetrics
import TrafficPipeline

extension Scenario {
    /// The whole path over a savefile, against reading it with libpcap and nothing else, and beside other programs.
    ///
    /// What is installed of tcpdump and tshark reads the same file: tcpdump prints a line for each packet, tshark reassembles
    /// and counts HTTP requests by host and path. Their start is in their figures, a few tenths of a second for tshark.
    ///
    /// The savefile made here is kinder than traffic: nothing is lost, and heads are much alike, which suits the branch
    /// predictor. What was captured gives the figure to quote.
    static let savefile = Scenario(
        name: "savefile",
        summary: "a savefile in the page cache: --savefile, or one of API traffic made for this",
        item: "packet"
    ) { options in
        if let path = options.savefile { return try savefileRows(SavefileInput(path: path)) }
        let file = try TemporaryFile(TrafficCapture(waves: 24, exchanges: 24).octets)
        return try savefileRows(SavefileInput(path: file.path, file: file))
    }

    private static func savefileRows(_ input: SavefileInput) throws -> [any Measurable] {
        let rows: [any Measurable] = [
            Row(BareLoopWorkload(input)),
            Row(ReaderWorkload(input)),
            Row(try PipelineWorkload("all stages, routes, and the metrics page", input, routes: 100)),
        ]
        let others: [(label: String, program: String, arguments: [String])] = [
            ("tcpdump -nr", "tcpdump", ["-nr", input.path]),
            ("tshark -z http_req,tree", "tshark", ["-nqr", input.path, "-z", "http_req,tree"]),
        ]
        return rows
            + others.compactMap { other in
                ProgramWorkload(
                    other.label,
                    other.program,
                    other.arguments,
                    items: input.totals.packets,
                    octets: input.totals.octets
                )
                .map { Row($0) }
            }
    }
}

/// A savefile, and what a bare loop finds in it.
private struct SavefileInput {
    let path: String
    let totals: BareLoop.Totals
    /// Keeps a temporary file while it is needed.
    private let file: TemporaryFile?

    init(path: String, file: TemporaryFile? = nil) throws {
        self.path = path
        self.file = file
        totals = try BareLoop.read(path)
        guard totals.packets > 0 else { throw BenchmarkFailure("\(path) has no packets") }
    }
}

/// Reads packets and adds up their lengths.
private struct BareLoopWorkload: Workload {
    let label = "pcap_next_ex alone"
    var items: Int { input.totals.packets }
    var octets: Int { input.totals.octets }
    private let input: SavefileInput

    init(_ input: SavefileInput) {
        self.input = input
    }

    func run() throws -> Int { try BareLoop.read(input.path).packets }
}

/// Reads packets as the agent does.
private struct ReaderWorkload: Workload {
    let label = "SavefileReader alone"
    var items: Int { input.totals.packets }
    var octets: Int { input.totals.octets }
    private let input: SavefileInput

    init(_ input: SavefileInput) {
        self.input = input
    }

    func run() throws -> Int {
        var reader = try SavefileReader(path: input.path)
        var totals = BareLoop.Totals()
        while try reader.next() != nil {
            totals.packets += 1
            totals.octets += reader.octets.count
        }
        return totals.octets == input.totals.octets ? totals.packets : 0
    }
}

/// Does all that `wingmirror read --output metrics` does, from opening the savefile to the page.
///
/// There are routes for some hosts and one for every other, so that each request to port 80 or 8080 finds one.
private struct PipelineWorkload: Workload {
    let label: String
    var items: Int { input.totals.packets }
    var octets: Int { input.totals.octets }
    private let input: SavefileInput
    private let table: RouteTable

    private static let batchPackets = 4096

    init(_ label: String, _ input: SavefileInput, routes: Int) throws {
        self.label = label
        self.input = input
        let everyOther = try RouteManifest.virtualService("other", host: "*", rules: [RouteManifest.rule(to: "other")])
        table = try RouteManifest.table(try (0..<routes).map { try RouteManifest.ordinary($0) } + [everyOther])
    }

    func run() throws -> Int {
        let traffic = TrafficRun(routes: RouteBoard(RouteTables(table), registry: MetricsRegistry(), at: 0))
        var pipeline = traffic.makePipeline()
        var reader = try SavefileReader(path: input.path)
        var packets = 0
        while let packet = try reader.next() {
            pipeline.packetArrived(packet, octets: reader.octets)
            packets += 1
            if packets.isMultiple(of: Self.batchPackets) { pipeline.batchEnded() }
        }
        pipeline.captureEnded()
        var page: [UInt8] = []
        let figures = traffic.boards.figures
        TextExposition(.text).write(traffic.registry.snapshot(at: figures.latestPacket?.nanoseconds ?? 0), into: &page)
        return page.isEmpty ? 0 : figures.interfaces.reduce(0) { $0 + $1.packets }
    }
}
