// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import Logging
import PacketCapture
import PacketDecoding
import Redaction
import RouteAttribution
import ShadowTesting
import Synchronization
import TrafficMetrics
import TrafficModel
import TrafficPipeline
import UnixSignals

/// What `mirror plan` is to do, when options and configuration have been found to make sense.
struct MirrorForecastPlan: Sendable {
    /// The configuration, with sources and policies.
    var configuration: Configuration
    /// How long interfaces are looked at.
    var time: Duration = .seconds(30)
    /// What is printed.
    var output: MirrorOutput

    /// Checks the options.
    init(_ command: MirrorPlanCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        let isComplete: Bool
        (configuration, isComplete) = command.sources.configuration(&problems)
        output = MirrorOutput(command.output, &problems)
        configuration.capture.pace = .fast
        if isComplete, configuration.mirror.policies.isEmpty {
            problems.append(.option("--config", "there are no policies: name a file with mirror.policies"))
        }
        if let text = command.time {
            if let time = Duration(text: text), time >= .seconds(1), time <= .seconds(86_400) {
                self.time = time
            } else {
                problems.append(.option("--for", "expected a time from 1s to 1d, found \"\(text)\""))
            }
            if !configuration.capture.savefiles.isEmpty {
                problems.append(.option("--for", "pcap files are read to their end; it goes with --interface"))
            }
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    /// Looks at the traffic and prints the forecast.
    ///
    /// - Throws: `CommandFailure` for what cannot be captured or read, after printing what could.
    func execute() async throws {
        let mirror = configuration.mirror
        let plan: MirrorPlan
        do throws(MirrorPlanError) {
            plan = try MirrorPlan(
                policies: mirror.policies,
                targets: Set(mirror.targets.map(\.name)),
                secret: mirror.samplingSecret
            )
        } catch {
            throw CommandFailure(.usage, "mirror: \(error)")
        }
        var generator = SystemRandomNumberGenerator()
        let key = RedactionKey(using: &generator)
        let forecast = Mutex(MirrorForecast(plan: plan, targets: mirror.targets, node: "plan", key: key))
        let (failures, loss, tables) = try await look { exchange in
            let client = IPAddress(exchange.clientAddress) ?? IPAddress(high: 0, low: 0)
            forecast.withLock { $0.exchangeSeen(exchange, client: (client.high, client.low)) }
        }
        let report = MirrorForecastReport(
            forecast: forecast.withLock { $0 },
            policies: mirror.policies,
            loss: loss,
            isEnabled: mirror.enabled,
            routes: tables.routes.map { RouteName($0) },
            hosts: Array(Set(tables.routes.flatMap(\.hosts)))
        )
        var page = OctetOutput.standardOutput()
        switch output {
        case .table: for line in report.lines(Terminal.style(1)) { try page.append(line: line) }
        case .ndjson: try page.append(report.records)
        }
        try page.flush()
        guard failures.isEmpty else { throw CommandFailure(.failed, failures.map(\.description)) }
    }

    // MARK: - Looking

    /// Takes the traffic through the pipeline, and hands over its exchanges.
    ///
    /// - Returns: What could not be read, how many packets were lost, and the routes.
    private func look(
        _ take: @escaping @Sendable (RecordedExchange) -> Void
    ) async throws -> (failures: [CaptureError], lostPackets: UInt64, tables: RouteTables) {
        for path in configuration.capture.savefiles where path != "-" && FileStatus(at: path) == nil {
            throw CommandFailure(.usage, "\(path): \(FileContents.Failure.missing.reason)")
        }
        let sources = try CaptureSources(configuration, refusesUnknown: true)
        let objects = try RouteObjects(configuration, namesServerPorts: false)
        objects.warnOfErrors()
        let keys = try KeySource(configuration, isLive: sources.isLive)
        let traffic = TrafficRun(objects, configuration, isLive: sources.isLive, at: 0, keys: keys.store)
        let logger = LogSettings(configuration.log).logger("capture")
        let run = CaptureRun(sources, keys: keys.store, logger: logger)
        let following = Task { await keys.follow(logger) }
        defer { following.cancel() }
        let content = configuration.mirror.policies.map(\.maximumContentOctets).max() ?? 0
        let (events, continuation) = AsyncStream.makeStream(of: CaptureRun.Event.self)
        try run.start(
            makePipeline: { _ in
                var outputs = PipelineOutputs()
                outputs.readsTraces = false
                outputs.exchanges = ExchangeOutput(contentOctets: content, take: take)
                return traffic.makePipeline(outputs: outputs)
            },
            report: { event in
                continuation.yield(event)
                if case .ended = event { continuation.finish() }
            }
        )
        let failures = await wait(for: events, of: run, isLive: sources.isLive)
        return (failures, sources.packets(traffic.boards.figures).dropped, objects.tables)
    }

    /// Waits until the sources have been read, the time is over, or somebody interrupts.
    private func wait(for events: AsyncStream<CaptureRun.Event>, of run: CaptureRun, isLive: Bool) async
        -> [CaptureError]
    {
        await withTaskGroup(of: Void.self) { tasks in
            if isLive {
                tasks.addTask {
                    try? await Task.sleep(for: time)
                    run.stop.request()
                }
            }
            tasks.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { run.stop.request() }
            }
            var failures: [CaptureError] = []
            for await case .ended(let errors) in events { failures += errors }
            tasks.cancelAll()
            return failures
        }
    }
}
