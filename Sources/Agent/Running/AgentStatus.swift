// Wingmirror · Apache-2.0

import AgentConfiguration
import AnswerComparison
import JSONSyntax
import PacketCapture
import PacketDecoding
import RouteAttribution
import TCPReassembly
import TLSDecryption
import TrafficMetrics
import TrafficPipeline

/// What `/api/v1/status` shows.
struct AgentStatus {
    /// When the agent started, in nanoseconds since the Unix epoch.
    let startedAt: Int64
    /// The configuration in force and its reloads.
    let configuration: ConfigurationKeeper.State
    /// Where packets come from.
    let sources: CaptureSources
    /// The routes in force.
    let routes: RouteGeneration
    /// Why the table has no routes, where it has none.
    let absence: String?
    /// Whether nothing will be captured any more, because savefiles have been read.
    let hasEnded: Bool
    /// What the pipeline has seen.
    let figures: PipelineFigures
    /// What is left out for want of memory.
    let shedding: LoadShedding
    /// What memory use is held against.
    let budget: MemoryBudget
    /// The latest change of the agent or of what it goes by.
    let latestChange: Timeline.Entry?
    /// The latest change of the routes; `nil` while those of the start are in force.
    let latestRoutesChange: Timeline.Entry?
    /// The filter that was given to a running capture last; `nil` while it has that of its start.
    let filter: CaptureFilter?
    /// What the answers of targets say; empty where nothing is compared.
    let verdicts: [RouteVerdict]
    /// What became of the records, where they are written.
    let records: RecordLedger?
    /// What became of the key log, where one is followed.
    let keyLog: KeyLogState?
    /// The packets that are kept, where they are.
    let keptPackets: KeptPackets?
    /// Requests that a route took.
    let requests: UInt64
    /// Requests without one, by reason.
    let unmatched: [UnmatchedReason: UInt64]

    /// Requests without a route for reasons of a kind.
    private func count(of isWanted: (UnmatchedReason) -> Bool) -> UInt64 {
        unmatched.reduce(0) { $0 + (isWanted($1.key) ? $1.value : 0) }
    }

    /// The status as JSON.
    var document: JSONValue {
        [
            "version": .string(BuildInformation.version),
            "startTime": .string(WallClock.text(startedAt)),
            "time": .string(WallClock.text(WallClock.now())),
            "configuration": [
                "sha256": .string(configuration.digest),
                "readTime": .string(WallClock.text(configuration.readAt)),
                "reloads": JSONValue(configuration.reloads.accepted),
                "rejectedReloads": JSONValue(configuration.reloads.rejected),
                "latestReloadSuccessful": .bool(configuration.reloads.isLatestGood),
            ],
            "links": Self.document(configuration.configuration.admin.links),
            "tls": [
                "decryption": .bool(!configuration.configuration.tls.keyLog.isEmpty),
                "problem": keyLog?.problem.map { .string($0) } ?? .null,
                "connections": JSONValue(figures.tls.connections),
                "decryptedConnections": JSONValue(figures.tls.decryptedConnections),
                "waitingConnections": JSONValue(figures.tls.waitingConnections),
                "longestKeyDelaySeconds": .double(Double(figures.tls.longestKeyDelay) / 1e9),
            ],
            "routes": [
                "generation": JSONValue(routes.number),
                "hash": .string(routes.hash),
                "routes": JSONValue(routes.tables.routes.count),
                "gateways": JSONValue(routes.tables.gateways),
                "notice": absence.map { .string($0) } ?? .null,
                "reloads": JSONValue(configuration.routeReloads.accepted),
                "rejectedReloads": JSONValue(configuration.routeReloads.rejected),
                "latestReloadSuccessful": .bool(configuration.routeReloads.isLatestGood),
            ],
            "requests": [
                "matched": JSONValue(requests),
                "unmatched": JSONValue(count(of: \.isMistaken)),
                "redirected": JSONValue(count { $0 == .httpsRedirect }),
                "elsewhere": JSONValue(count { !$0.isArrival }),
            ],
            "connections": [
                "tracked": JSONValue(figures.reassembly.entries),
                "opened": JSONValue(figures.reassembly.connectionsOpened),
            ],
            "memory": [
                "usedBytes": JSONValue(shedding.used),
                "limitBytes": JSONValue(budget.octets),
                "limitFrom": .string(budget.origin),
                "sheddingLevel": JSONValue(shedding.level.rawValue),
                "leftOut": .string(shedding.level.leavesOut),
            ],
            "latestChange": latestChange?.document ?? .null,
            "latestRoutesChange": latestRoutesChange?.document ?? .null,
            "verdicts": JSONValue(
                Dictionary(verdicts.map { ($0.verdict.rawValue, 1) }, uniquingKeysWith: +).mapValues { JSONValue($0) }
            ),
            "records": records.map(Self.document) ?? .null,
            "keptPackets": keptPackets.map(Self.document) ?? .null,
            "sources": .array(sourceDocuments),
            "capture": [
                "ended": .bool(hasEnded),
                "firstPacketTime": figures.span.map { .string(WallClock.text($0.first)) } ?? .null,
                "latestPacketTime": figures.span.map { .string(WallClock.text($0.latest)) } ?? .null,
            ],
            "clockOffsets": .array(clockOffsetDocuments),
            "gatewayServers": GatewayAddressing(figures).document,
            "gatewayNotices": .array(gatewayNotices.map { .string($0) }),
        ]
    }

    /// What the traffic, and the objects, say of the gateway's addresses and ports, a sentence each.
    private var gatewayNotices: [String] {
        let arrived = unmatched.reduce(requests) { $0 + ($1.key.isArrival ? $1.value : 0) }
        let ports = GatewayPortNotices(
            configuration.configuration,
            figures,
            arrived: arrived,
            servers: Set(routes.tables.tables.flatMap(\.serverPorts)).sorted(),
            pods: Set(routes.tables.tables.flatMap(\.podPorts)).sorted()
        )
        return ports.sentences + GatewayAddressing(figures).sentences
    }

    /// Where the page leads to.
    private static func document(_ links: AdminConfiguration.Links) -> JSONValue {
        ["grafana": .string(links.grafana), "runbooks": .string(links.runbooks), "trace": .string(links.trace)]
    }

    private static func document(_ records: RecordLedger) -> JSONValue {
        [
            "written": JSONValue(records.written),
            "dropped": JSONValue(
                Dictionary(
                    uniqueKeysWithValues: RecordLedger.Loss.allCases.map { ($0.rawValue, JSONValue(records.lost($0))) }
                )
            ),
            "failure": records.failure.map { .string($0) } ?? .null,
        ]
    }

    private static func document(_ kept: KeptPackets) -> JSONValue {
        let extent = kept.extent
        return [
            "packets": JSONValue(extent.packets),
            "bytes": JSONValue(extent.octets),
            "limitBytes": JSONValue(kept.octets),
            "limitSeconds": .double(Double(kept.age) / 1_000_000_000),
            "missed": JSONValue(extent.missed),
        ]
    }

    /// How far the clocks of interfaces are apart, as far as handshakes bound it from both sides.
    private var clockOffsetDocuments: [JSONValue] {
        let names = sources.names
        return figures.reassembly.clockOffsets.compactMap { offset in
            guard let estimate = offset.estimate, offset.second < names.count else { return nil }
            return [
                "interface": .string(names[offset.second]),
                "reference": .string(names[offset.first]),
                "seconds": .double(Double(estimate) / 1_000_000_000),
                "toleranceSeconds": .double(Double(offset.highest - estimate) / 1_000_000_000),
                "handshakes": JSONValue(offset.handshakes),
                "differs": .bool(offset.differs),
            ]
        }
    }

    private var sourceDocuments: [JSONValue] {
        switch sources {
        case .live(let configuration, let counters):
            counters.interfaces.filter(\.isWanted).map { interface in
                [
                    "interface": .string(interface.name),
                    "up": .bool(interface.isUp),
                    "problem": CaptureSources.problem(of: interface).map { .string($0) } ?? .null,
                    "filter": .string((filter ?? configuration.filter).plainText),
                    "ringBytes": JSONValue(interface.ringOctets),
                    "packets": JSONValue(interface.packetsReceived),
                    "droppedByKernelBuffer": JSONValue(interface.packetsDroppedByKernelBuffer),
                    "droppedByInterface": JSONValue(interface.packetsDroppedByInterface),
                ]
            }
        case .savefiles(let paths, let pace, let filter, let loops):
            paths.enumerated().map { number, path in
                let packets = number < figures.interfaces.count ? figures.interfaces[number].packets : 0
                return [
                    "savefile": .string(path), "pace": .string(pace.rawValue), "loop": .bool(loops),
                    "packets": JSONValue(packets), "filter": filter.map { .string($0) } ?? .null,
                ]
            }
        }
    }
}

extension PipelineFigures {
    /// The times of the first packet and of the latest, in nanoseconds since the Unix epoch; `nil` before the first.
    package var span: (first: Int64, latest: Int64)? {
        guard let firstPacket, let latestPacket else { return nil }
        return (firstPacket.nanoseconds, max(firstPacket.nanoseconds, latestPacket.nanoseconds))
    }
}
