// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import Logging
import RouteAttribution
import ServiceLifecycle
import TrafficPipeline
import UnixSignals

// MARK: - Running

extension Agent {
    private typealias GroupedService = ServiceGroupConfiguration.ServiceConfiguration

    /// How long the services may take to end, of the five seconds that a drain may last.
    private static let drainTime: Duration = .seconds(4)

    /// Runs until a signal, or until the savefiles have been read when that is to be the end.
    package func run() async throws {
        DescriptorLimit.raise()
        let logger = logs.logger("agent")
        timeline.add(.started, "agent \(BuildInformation.version) started")
        deadline.watch { [records] in records?.ledger.lossText }
        let (listening, announce) = AsyncStream.makeStream(of: Int.self)
        // They end in the opposite order.
        var services = [GroupedService(service: server(announce, logger))]
        services += recordServices(logger)
        services.append(captureService(listening, logger))
        services += mirrorServices
        services += backgroundServices
        services += clusterServices
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

    private func server(_ announce: AsyncStream<Int>.Continuation, _ logger: Logger) -> AdminServer {
        AdminServer(
            plan.configuration.listeners,
            sources: adminSources,
            credentials: { [configuration] in configuration.current.credentials },
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
    }

    private func recordServices(_ logger: Logger) -> [GroupedService] {
        guard let records else { return [] }
        let service = RecordService(queue: records, configuration: plan.configuration.records, logger: logger)
        return [.init(service: service, failureTerminationBehavior: .gracefullyShutdownGroup)]
    }

    /// Sending ends before the capture does: what is sampled while it drains is dropped and counted.
    private var mirrorServices: [GroupedService] {
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

    private var backgroundServices: [GroupedService] {
        var services: [GroupedService] = [
            .init(service: KeyLogService(keys: keys, logger: logs.logger("keylog"))),
            .init(service: TrafficWatchService(watch: watch, requests: requests)),
            .init(service: ReloadService(loader: loader) { [records] in records?.reopen() }),
        ]
        if let certificate {
            let service = CertificateService(
                certificate: certificate,
                configuration: configuration,
                logger: logs.logger("server")
            )
            services.append(.init(service: service))
        }
        if let locality { services.append(.init(service: NodeLocalityService(locality: locality))) }
        return services
    }

    private var clusterServices: [GroupedService] {
        guard let cluster else { return [] }
        let service = ClusterService(
            cluster: cluster,
            configuration: configuration,
            routes: routes,
            control: capture.control,
            hosts: { [mirroring] in mirroring.clusterChanged($0) },
            logger: logs.logger("kubernetes")
        )
        return [.init(service: service)]
    }

    private func captureService(_ listening: AsyncStream<Int>, _ logger: Logger) -> GroupedService {
        let service = CaptureService(
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
        return .init(
            service: service,
            successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup
        )
    }

    /// Reads the routes, and refuses targets that mirroring must not have; the endpoints are served meanwhile.
    ///
    /// - Returns: `false` when the task was cancelled first.
    private func prepare(_ logger: Logger) async throws -> Bool {
        guard try await loader.loadFirstRoutes() else { return false }
        try await mirroring.refuseForbiddenTargets()
        for warning in mirroring.warnings {
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
}
