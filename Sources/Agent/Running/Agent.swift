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
/// A capture thread owns a pipeline and everything in it. Around them, as services that end in turn at a signal: the
/// reloader first, then the capture, which delivers what the kernel still holds, then the writer of records, then the
/// server, so that a last scrape sees the end. Nothing here is on the packet path.
package struct Agent: Sendable {
    /// How long the services may take to end, of the five seconds that a drain may last.
    private static let drainTime: Duration = .seconds(4)

    private let plan: RunPlan
    private let logs: LogSettings
    private let sources: CaptureSources
    private let mirroring: Mirroring
    private let cluster: ClusterSource?
    private let routes: RouteKeeper
    private let configuration: ConfigurationKeeper
    private let traffic: TrafficRun
    private let loader: ConfigurationLoader
    private let capture: CaptureRun
    private let records: RecordQueue?
    private let keys: KeySource
    private let budget: MemoryBudget
    private let collector: AgentCollector
    private let recent: RecentBoard
    private let keptPackets: KeptPackets?
    private let locality: NodeLocality?
    private let watch: TrafficWatch
    private let requests: RequestWatch
    private let web: WebAnswers
    private let certificate: AdminCertificate?
    private let reviews: TokenReviews?
    private let shedding = LoadShedding()
    private let deadline = ShutdownDeadline()
    private let startedAt = WallClock.now()
    private let timeline = Timeline()
    private let ended: @Sendable (CaptureSummary) throws -> Void

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
        if let refusal = chosen.capture.keep.refusal(within: budget) { throw CommandFailure(.usage, refusal) }
        let shared = MemoryBudget.shared(chosen)
        sources = try CaptureSources(chosen, awaitsGateway: chosen.findsGateways)
        cluster = try ClusterSource(chosen, logger: logs.logger("kubernetes"))
        let registry = MetricsRegistry(
            configuration: chosen.metricsSettings,
            shardCount: sources.workers,
            startedAt: WallClock.now()
        )
        mirroring = Mirroring(chosen)
        // Before there is a plan, whose targets would be looked at.
        if cluster != nil { mirroring.clusterChanged(nil) }
        try chosen.mirror.refuseUnusableAuthorities()
        try mirroring.plans.configure(chosen.mirror)
        routes = RouteKeeper(
            chosen.environment,
            places: GatewayPlaces(chosen.gateway),
            registry: registry,
            mirroring: mirroring,
            timeline: timeline
        )
        keys = try KeySource(chosen, isLive: sources.isLive)
        traffic = TrafficRun(
            routes: routes.board,
            limits: chosen.pipelineLimits(isLive: sources.isLive),
            keys: keys.store
        )
        locality = NodeLocality.current(chosen)
        let keep = chosen.capture.keep
        keptPackets =
            keep.bytes.octets > 0 ? KeptPackets(octets: keep.bytes.octets, age: keep.age.nanoseconds) : nil
        capture = CaptureRun(
            sources,
            keys: keys.store,
            logger: logs.logger("capture"),
            timeline: timeline,
            keptPackets: keptPackets,
            shedding: shedding,
            decoding: traffic.limits.decoding
        )
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
        records = chosen.records.file.isEmpty ? nil : RecordQueue(workers: sources.workers, budget: shared.octets)
        collector = AgentCollector(
            configuration: configuration,
            logs: logs,
            routes: routes,
            records: records,
            shedding: shedding,
            memoryLimit: budget.octets
        )
        recent = RecentBoard(
            limits: chosen.recentLimits(within: shared.octets),
            redactedFields: Set(chosen.redaction.fields)
        )
        let clock: TrafficWatch.Clock =
            if sources.isReadFast {
                .packets { [traffic, capture] in
                    // What was incomplete is counted when all packets have come: that is one sample more.
                    let hasEnded = capture.heartbeats.age == nil
                    return traffic.boards.figures.span.map { ($0.first, $0.latest + (hasEnded ? 1 : 0)) }
                }
            } else {
                .wall(since: startedAt)
            }
        let history = MemoryShare.history.octets(of: shared.octets)
        watch = TrafficWatch(registry, clock: clock, octets: history) { [traffic, sources] in
            CaptureReading(traffic.boards.figures, sources: sources, registry: registry)
        }
        requests = RequestWatch(registry, recent: recent)
        web = WebAnswers(
            routes: routes,
            watch: watch,
            recent: recent,
            requests: requests,
            keptPackets: keptPackets,
            boards: traffic.boards
        ) { [mirroring] in
            mirroring.document
        }
        addCollectors(to: registry)
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
        if let cluster { registry.add(ClusterCollector(cluster: cluster, routes: routes)) }
        registry.add(ProcessCollector())
    }

    // MARK: - Running

    /// Runs until a signal, or until the savefiles have been read when that is to be the end.
    package func run() async throws {
        DescriptorLimit.raise()
        let logger = logs.logger("agent")
        timeline.add(.started, "agent \(BuildInformation.version) started")
        deadline.watch { [records] in records?.ledger.lossText }
        let (listening, announce) = AsyncStream.makeStream(of: Int.self)
        let configuration = configuration
        let server = AdminServer(
            plan.configuration.listeners,
            sources: adminSources,
            credentials: { configuration.current.credentials },
            certificate: certificate,
            reviews: reviews,
            logger: logs.logger("server"),
            listening: { [plan] port in
                let pages = plan.configuration.admin.listen ?? plan.configuration.metrics.listen
                let url = pages.pageURL(port, isSecured: !plan.configuration.admin.certificateFile.isEmpty)
                logger.notice("serving", metadata: ["page": "\(url)"])
                if Terminal.isTerminal(2), !plan.endsAfterSavefiles {
                    StandardError.write(StartHints.text(page: url, program: CommandLine.arguments.first ?? ""))
                }
                announce.yield(port)
            }
        )
        var services = [ServiceGroupConfiguration.ServiceConfiguration(service: server)]
        if let records {
            let service = RecordService(queue: records, configuration: plan.configuration.records, logger: logger)
            services.append(.init(service: service, failureTerminationBehavior: .gracefullyShutdownGroup))
        }
        services.append(
            .init(
                service: captureService(listening, logger),
                successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup
            )
        )
        services += mirrorServices
        services.append(.init(service: KeyLogService(keys: keys, logger: logs.logger("keylog"))))
        services.append(.init(service: TrafficWatchService(watch: watch, requests: requests)))
        services.append(.init(service: ReloadService(loader: loader) { [records] in records?.reopen() }))
        if let certificate {
            let service = CertificateService(
                certificate: certificate,
                configuration: configuration,
                logger: logs.logger("server")
            )
            services.append(.init(service: service))
        }
        if let locality { services.append(.init(service: NodeLocalityService(locality: locality))) }
        if let cluster {
            let service = ClusterService(
                cluster: cluster,
                configuration: configuration,
                routes: routes,
                control: capture.control,
                hosts: { [mirroring] in mirroring.clusterChanged($0) },
                logger: logs.logger("kubernetes")
            )
            services.append(.init(service: service))
        }
        services.append(
            .init(
                service: ShutdownService(deadline: deadline),
                successTerminationBehavior: .gracefullyShutdownGroup
            )
        )
        var group = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logs.logger("services")
        )
        group.maximumGracefulShutdownDuration = Self.drainTime
        try await ServiceGroup(configuration: group).run()
    }

    /// Sending ends before the capture does: what is sampled while it drains is dropped and counted.
    private var mirrorServices: [ServiceGroupConfiguration.ServiceConfiguration] {
        let watch = MirrorWatch(
            mirroring: mirroring,
            packets: { [sources, traffic] in sources.packets(traffic.boards.figures) },
            budget: budget,
            shedding: shedding,
            logger: logs.logger("mirror")
        )
        return [
            .init(service: mirroring.dispatcher(logs.logger("mirror"))),
            .init(service: watch),
        ]
    }

    private func captureService(_ listening: AsyncStream<Int>, _ logger: Logger) -> CaptureService {
        CaptureService(
            run: capture,
            makePipeline: makePipeline(ofWorker:),
            listening: listening,
            listenerCount: plan.configuration.listeners.count,
            prepare: { try await prepare(logger) },
            user: plan.configuration.capture.user,
            ended: reportEnd,
            staysAfterEnd: !plan.endsAfterSavefiles,
            logger: logger
        )
    }

    /// Reads the routes, and refuses targets that mirroring must not have; the endpoints are served meanwhile.
    ///
    /// - Returns: `false` when the task was cancelled first.
    private func prepare(_ logger: Logger) async throws -> Bool {
        guard try await loader.loadFirstRoutes() else { return false }
        try await mirroring.refuseForbiddenTargets()
        for warning in mirroring.warnings(for: routes.tables) {
            logger.warning("mirroring", metadata: ["warning": "\(warning)"])
        }
        return true
    }

    /// Makes the pipeline of a worker, on its capture thread.
    private func makePipeline(ofWorker worker: Int) -> TrafficPipeline {
        var outputs = PipelineOutputs()
        outputs.records = plan.configuration.recordOptions
        if let records {
            outputs.recordOutput = { records.append($0, of: worker) }
        }
        outputs.mirror = mirroring.destination
        outputs.shadowArrivals = mirroring.arrivals
        outputs.shedding = shedding
        outputs.recent = recent
        if let locality { outputs.isElsewhere = { locality.isElsewhere($0) } }
        outputs.readsTraces = plan.configuration.metrics.exemplars
        return traffic.makePipeline(ofWorker: worker, outputs: outputs)
    }

    /// Hands over what the capture came to, unless nobody looks at the end of a live capture.
    private func reportEnd() throws {
        let figures = traffic.boards.figures
        if plan.configuration.records.file != "-", !sources.isLive || Terminal.isTerminal(1) {
            try ended(CaptureSummary(routes: routes.tables.routes, registry: routes.registry, figures: figures))
        }
        guard let problem = figures.undecodedCapture else { return }
        guard !plan.endsAfterSavefiles else { throw CommandFailure(.failed, problem) }
        logs.logger("capture").error("nothing could be decoded", metadata: ["reason": "\(problem)"])
    }

    // MARK: - Endpoints

    private var adminSources: AdminSources {
        var sources = AdminSources(
            exposition: { accept, deadline in render(accept, deadline) },
            scrapeServed: { [collector] format, status in collector.scrapeServed(format, status) },
            health: { health },
            readiness: { readiness },
            status: { web.status(status) },
            configuration: { [configuration] in configuration.current.configuration.document.indented() },
            reload: { [loader] in await loader.reload() }
        )
        if plan.configuration.metrics.istioCompat {
            sources.istioExposition = { accept, deadline in render(accept, deadline, asIstio: true) }
        }
        sources.judgeAgain = { [mirroring] policy in mirroring.judgeAgain(policy: policy) }
        sources.expositionFormat = { NegotiatedExposition(accept: $0).contentType }
        sources.pauseMirror = { [mirroring, timeline] isPaused in
            let answer = mirroring.paused(isPaused)
            if case .document = answer {
                timeline.add(.mirroring, isPaused ? "mirroring paused" : "mirroring resumed")
            }
            return answer
        }
        sources.answer = { [web] question in web.answer(question) }
        sources.changes = { web.changes(health: health, status: status) }
        return sources
    }

    /// Renders the metrics, or the same requests in the families of Istio; `nil` when there is no time for it.
    private func render(
        _ accept: String?,
        _ deadline: ContinuousClock.Instant?,
        asIstio: Bool = false
    ) -> Exposition? {
        let started = ContinuousClock.now
        let negotiated = NegotiatedExposition(accept: accept)
        var snapshot = routes.registry.snapshot(at: WallClock.now(), for: negotiated.format)
        if asIstio {
            snapshot = snapshot.istio
        }
        if let deadline, ContinuousClock.now >= deadline {
            return nil
        }
        var octets: [UInt8] = []
        ExpositionWriter(negotiated.format).write(snapshot, into: &octets)
        collector.pageRendered(in: Double((ContinuousClock.now - started).nanoseconds) / 1_000_000_000)
        return Exposition(
            contentType: negotiated.contentType,
            format: negotiated.format.labelText,
            octets: octets
        )
    }

    private var health: Probe {
        guard capture.hasStarted else { return Probe(isPassing: true, detail: "the routes are being read") }
        guard let age = capture.heartbeats.age else {
            return Probe(isPassing: true, detail: "the sources have been read" + recordTrouble)
        }
        let isAlive = age < Heartbeat.limit
        return Probe(isPassing: isAlive, detail: "the capture loop last made progress \(age.text) ago" + recordTrouble)
    }

    /// What keeps records from being written: worth knowing, and no reason to start the agent again.
    private var recordTrouble: String {
        records?.ledger.failure.map { "; records cannot be written: \($0)" } ?? ""
    }

    private var readiness: Probe {
        guard routes.isLoaded else { return Probe(isPassing: false, detail: "the routes are being read and compiled") }
        if let ignorance = cluster?.ignoranceOfPods ?? ignoranceOfRoutes {
            return Probe(isPassing: false, detail: ignorance)
        }
        return capture.isReady
            ? Probe(
                isPassing: true,
                detail: "\(routes.tables.routes.count) routes, and a source is open\(staleness)" + recordTrouble
            )
            : Probe(isPassing: false, detail: "no source is open")
    }

    /// Why the routes of this node's gateway are not known, in words; `nil` where they are, or it runs none.
    private var ignoranceOfRoutes: String? {
        let chosen = configuration.current.configuration.gateway
        return cluster?.ignoranceOfRoutes(isAwaited: routes.isAwaited, orLabels: chosen.isChosen ? chosen.labels : nil)
    }

    /// How far the routes may be out of date, in words to be added to a sentence; an agent without the API server stays ready.
    private var staleness: String {
        guard let cluster else { return "" }
        return cluster.staleness(isSaved: routes.isSaved, at: WallClock.now()).map { "; \($0)" } ?? ""
    }

    private var status: JSONValue {
        AgentStatus(
            startedAt: startedAt,
            configuration: configuration.current,
            sources: sources,
            routes: routes.board.generation,
            absence: routes.absence,
            hasEnded: capture.heartbeats.age == nil,
            figures: traffic.boards.figures,
            shedding: shedding,
            budget: budget,
            latestChange: timeline.entries.last,
            records: records?.ledger,
            keyLog: keys.state,
            keptPackets: keptPackets,
            requests: routes.registry.routedRequestCount,
            unmatched: Dictionary(
                routes.registry.unmatchedSummaries().map { ($0.reason, $0.requestCount) },
                uniquingKeysWith: +
            )
        ).document
    }
}
