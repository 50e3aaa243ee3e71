// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import JSONSyntax
import Logging
import OctetText
import PacketCapture
import RouteAttribution
import ServiceLifecycle
import TrafficMetrics
import TrafficPipeline
import UnixSignals

/// A running agent: the capture threads and the services around them.
///
/// A capture thread owns a pipeline and everything in it. Around them, as services that end in turn at a signal: first what
/// follows the cluster, the configuration and the key log, then mirroring, then the capture, which delivers what the kernel
/// still holds, then the writer of records, then the server, so that a last scrape sees the end. Nothing here is on the packet
/// path.
package struct Agent: Sendable {
    let plan: RunPlan
    let logs: LogSettings
    let sources: CaptureSources
    let mirroring: Mirroring
    let cluster: ClusterSource?
    let routes: RouteKeeper
    let configuration: ConfigurationKeeper
    let traffic: TrafficRun
    let loader: ConfigurationLoader
    let capture: CaptureRun
    let records: RecordQueue?
    let keys: KeySource
    let budget: MemoryBudget
    let collector: AgentCollector
    let recent: RecentBoard
    let keptPackets: KeptPackets?
    let locality: NodeLocality?
    let watch: TrafficWatch
    let requests: RequestWatch
    let web: WebAnswers
    let certificate: AdminCertificate?
    let reviews: TokenReviews?
    let shedding = LoadShedding()
    let deadline = ShutdownDeadline()
    let startedAt = WallClock.now()
    let timeline = Timeline()
    let ended: @Sendable (CaptureSummary) throws -> Void

    /// Reads credentials and chooses the sources; opens nothing yet.
    ///
    /// - Parameters:
    ///   - plan: What the agent is to do.
    ///   - ended: Prints what the capture came to, when nothing will be captured any more.
    /// - Throws: `CommandFailure` or `ConfigurationProblems` for whatever is wrong with them.
    package init(_ plan: RunPlan, ended: @escaping @Sendable (CaptureSummary) throws -> Void) throws {
        self.plan = plan
        self.ended = ended
        let chosen = plan.configuration
        logs = LogSettings(chosen.log)
        let credentials = try chosen.admin.credentials()
        certificate = try chosen.admin.servedCertificate()
        reviews = try ClusterSource.tokenReviews(chosen)
        budget = MemoryBudget.current(chosen.limits)
        let keep = chosen.capture.keep
        if let refusal = keep.refusal(within: budget) { throw CommandFailure(.usage, refusal) }
        let shared = MemoryBudget.shared(chosen).octets
        sources = try CaptureSources(chosen, awaitsGateway: chosen.findsGateways)
        cluster = try ClusterSource(chosen, logger: logs.logger("kubernetes"))
        let registry = Self.registry(chosen, workers: sources.workers)
        mirroring = try Self.mirroring(chosen, followsCluster: cluster != nil)
        routes = Self.routes(chosen, registry, mirroring, timeline)
        keys = try KeySource(chosen, isLive: sources.isLive)
        let limits = chosen.pipelineLimits(isLive: sources.isLive)
        traffic = TrafficRun(routes: routes.board, limits: limits, keys: keys.store)
        locality = NodeLocality.current(chosen)
        keptPackets = Self.keptPackets(keep, workers: sources.workers)
        let captureLogger = logs.logger("capture")
        capture = Self.capture(sources, traffic, keptPackets, shedding, timeline, captureLogger)
        configuration = ConfigurationKeeper(
            plan,
            credentials: credentials,
            routes: routes,
            mirroring: mirroring,
            cluster: cluster,
            control: capture.control,
            shedding: shedding,
            certificate: certificate,
            logs: logs
        )
        loader = ConfigurationLoader(configuration: configuration, routes: routes)
        records = chosen.records.file.isEmpty ? nil : RecordQueue(workers: sources.workers, budget: shared)
        collector = AgentCollector(
            configuration: configuration,
            logs: logs,
            routes: routes,
            records: records,
            shedding: shedding,
            memoryLimit: budget.octets
        )
        let recentLimits = chosen.recentLimits(within: shared)
        recent = RecentBoard(limits: recentLimits, redactedFields: Set(chosen.redaction.fields))
        let history = MemoryShare.history.octets(of: shared)
        let clock = Self.clock(sources, traffic, capture, startedAt)
        watch = TrafficWatch(registry, clock: clock, octets: history) { [traffic, sources] in
            CaptureReading(traffic.boards.figures, sources: sources, registry: registry)
        }
        requests = RequestWatch(registry, recent: recent)
        web = Self.web(routes, watch, recent, requests, keptPackets, traffic, mirroring)
        addCollectors(to: registry)
    }

    private static func registry(_ chosen: Configuration, workers: Int) -> MetricsRegistry {
        MetricsRegistry(configuration: chosen.metricsSettings, shardCount: workers, startedAt: WallClock.now())
    }

    private static func mirroring(_ chosen: Configuration, followsCluster: Bool) throws -> Mirroring {
        let mirroring = Mirroring(chosen)
        // Before there is a plan, whose targets would be looked at.
        if followsCluster { mirroring.clusterChanged(nil) }
        try chosen.mirror.refuseUnusableAuthorities()
        try mirroring.plans.configure(chosen.mirror)
        return mirroring
    }

    private static func routes(
        _ chosen: Configuration,
        _ registry: MetricsRegistry,
        _ mirroring: Mirroring,
        _ timeline: Timeline
    ) -> RouteKeeper {
        RouteKeeper(
            chosen.environment,
            places: GatewayPlaces(chosen.gateway),
            registry: registry,
            mirroring: mirroring,
            timeline: timeline
        )
    }

    private static func keptPackets(_ keep: CaptureConfiguration.Keep, workers: Int) -> KeptPackets? {
        guard keep.bytes.octets > 0 else { return nil }
        return KeptPackets(octets: keep.bytes.octets, age: keep.age.nanoseconds, workers: workers)
    }

    private static func capture(
        _ sources: CaptureSources,
        _ traffic: TrafficRun,
        _ keptPackets: KeptPackets?,
        _ shedding: LoadShedding,
        _ timeline: Timeline,
        _ logger: Logger
    ) -> CaptureRun {
        CaptureRun(
            sources,
            keys: traffic.keys,
            logger: logger,
            timeline: timeline,
            keptPackets: keptPackets,
            shedding: shedding,
            decoding: traffic.limits.decoding
        )
    }

    private static func web(
        _ routes: RouteKeeper,
        _ watch: TrafficWatch,
        _ recent: RecentBoard,
        _ requests: RequestWatch,
        _ keptPackets: KeptPackets?,
        _ traffic: TrafficRun,
        _ mirroring: Mirroring
    ) -> WebAnswers {
        WebAnswers(
            routes: routes,
            watch: watch,
            recent: recent,
            requests: requests,
            keptPackets: keptPackets,
            boards: traffic.boards
        ) { [mirroring] in
            mirroring.document
        }
    }

    /// The clock of the history: that of the packets where files are read as fast as can be.
    private static func clock(
        _ sources: CaptureSources,
        _ traffic: TrafficRun,
        _ capture: CaptureRun,
        _ startedAt: Int64
    ) -> TrafficWatch.Clock {
        guard sources.isReadFast else { return .wall(since: startedAt) }
        return .packets {
            // What was incomplete is counted when all packets have come: that is one sample more.
            let hasEnded = capture.heartbeats.age == nil
            return traffic.boards.figures.span.map { ($0.first, $0.latest + (hasEnded ? 1 : 0)) }
        }
    }

    private func addCollectors(to registry: MetricsRegistry) {
        switch sources {
        case .live(_, let counters):
            let boards = traffic.boards
            let names: @Sendable () -> [String] = { [sources] in sources.names }
            registry.add(PipelineCollector(boards: boards, sources: names, limits: traffic.limits.reassembly))
            registry.add(TLSCollector(boards: boards))
            registry.add(LiveCollector(counters: counters, boards: boards, heartbeats: capture.heartbeats))
        case .savefiles(let paths, _, _, _): traffic.addCollectors(ofFiles: paths)
        }
        registry.add(KeyLogCollector(keys: keys))
        registry.add(GatewayCollector(boards: traffic.boards))
        registry.add(collector)
        registry.add(mirroring.collector)
        registry.add(HistoryCollector(watch: watch))
        registry.add(KeptPacketsCollector(kept: keptPackets))
        if let cluster { registry.add(ClusterCollector(cluster: cluster, routes: routes)) }
        registry.add(ProcessCollector())
    }
}
