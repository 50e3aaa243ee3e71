// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import HTTPReconstruction
import OctetText
import PacketCapture
import PacketDecoding
import Recordings
import RouteAttribution
import TCPReassembly
import TLSDecryption
import TrafficMetrics
import TrafficPipeline

extension ReadPlan {
    /// Reads the savefiles and prints what was asked for.
    ///
    /// - Throws: `CommandFailure` for what cannot be read, after printing what could; `OctetOutput.Failure` when the
    ///   output cannot be written.
    func execute() async throws {
        let records = output == .ndjson || output.recording != nil ? RecordFile(.standardOutput()) : nil
        let recording = records.flatMap { records in
            output.recording.map {
                RecordingOutput(
                    $0,
                    redaction: configuration.redaction,
                    file: records,
                    within: configuration.limits.memory?.octets
                )
            }
        }
        let objects = try await cluster?.objects(configuration)
        let analysis = try analyse(writingTo: records, recording, cluster: objects)
        recording?.finish().report()
        try records?.finish()
        try print(analysis)
        let problems = analysis.problems
        guard problems.isEmpty else { throw CommandFailure(.failed, problems) }
    }

    /// Reads the savefiles.
    ///
    /// Everything happens on the calling thread, in the order of the packets, so that the same files give the same;
    /// other jobs only decompress.
    /// - Parameters:
    ///   - records: Takes the records; without it none are made.
    ///   - recording: Takes the exchanges in their stead.
    ///   - cluster: Objects of a cluster, besides those of the files.
    /// - Returns: What was counted, and what could not be read.
    /// - Throws: `CommandFailure` when a savefile cannot be opened or the routes cannot be read, and what `records` met.
    func analyse(
        writingTo records: RecordFile?,
        _ recording: RecordingOutput? = nil,
        cluster: ClusterObjects? = nil
    ) throws -> SavefileAnalysis {
        let objects = try RouteObjects(configuration, namesServerPorts: false, cluster: cluster)
        if cluster != nil { try objects.requireWorkload() }
        objects.warnOfErrors()
        // Time is that of packets.
        let keys = try KeyLogFile.savefileKeys(configuration)
        let run = TrafficRun(objects, configuration, isLive: false, at: 0, keys: keys)
        run.addCollectors(ofFiles: configuration.capture.savefiles)
        var outputs = PipelineOutputs()
        outputs.records = configuration.recordOptions
        outputs.readsTraces = configuration.metrics.exemplars
        if let recording {
            let octets = configuration.records.contentBytes.octets
            outputs.exchanges = ExchangeOutput(
                contentOctets: octets > 0 ? octets : RecordsConfiguration.recordingContent.octets,
                take: { recording.append($0) },
                leaveOut: { recording.leaveOut($0) }
            )
        } else if let records {
            outputs.recordOutput = { records.append($0) }
        }
        let failures = try read(into: run.makePipeline(outputs: outputs), keys, records)
        return SavefileAnalysis(
            table: objects.table,
            // What became of named objects has been said already.
            absence: objects.emptiness == nil ? objects.absence : nil,
            registry: run.registry,
            figures: run.boards.figures,
            failures: failures
        )
    }

    /// Takes all packets through the pipeline, and returns what could not be read.
    private func read(
        into pipeline: consuming TrafficPipeline,
        _ keys: KeyStore,
        _ records: RecordFile?
    ) throws -> [CaptureError] {
        try CommandFailure.refuseTerminal(among: configuration.capture.savefiles)
        let stop = StopFlag()
        // A pipe has no end of its own; what came through it so far is what the user wants to see.
        let signals = configuration.capture.savefiles.contains("-") ? StoppingSignals(stop) : nil
        defer { extendLifetime(signals) }
        let progress = ProgressBar(isShown: Terminal.isTerminal(2))
        var worker = CaptureWorker(pipeline)
        var capture: SavefileCapture
        do throws(CaptureError) {
            capture = try SavefileCapture(
                paths: configuration.capture.savefiles,
                filter: configuration.capture.filter.expression,
                secrets: { keys.take(keyLog: $0) },
                jobs: jobs,
                aheadOctets: configuration.readAheadOctets(jobs: jobs),
                stop: stop,
                progressed: { octets in
                    if let octets { progress.advanced(to: octets) } else { records?.flush() }
                    if records?.failure != nil { stop.request() }
                }
            )
        } catch {
            guard error.code == .stopped else { throw CommandFailure(error) }
            return []
        }
        if jobs > 1, !capture.readsAhead {
            StandardError.say("warning: --jobs is of no use here: none of the files is gzipped")
        }
        progress.total = capture.totalOctets
        capture.run(into: &worker, until: stop)
        worker.captureEnded()
        progress.finished()
        if let failure = records?.failure { throw failure }
        return capture.failures
    }

    private func print(_ analysis: SavefileAnalysis) throws {
        for sentence in GatewayAddressing(analysis.figures).sentences { StandardError.say("warning: \(sentence)") }
        if let sentence = analysis.unserved(by: configuration.gateway) { StandardError.say("warning: \(sentence)") }
        if let part = analysis.figures.undecodedPart { StandardError.say("warning: \(part)") }
        for sentence in analysis.figures.damage { StandardError.say("warning: \(sentence)") }
        let clocks = CaptureClocks(analysis.figures, files: configuration.capture.savefiles)
        for sentence in clocks.sentences { StandardError.say("warning: \(sentence)") }
        if analysis.failures.isEmpty, analysis.figures.interfaces.allSatisfy({ $0.packets == 0 }) {
            let filter = configuration.capture.filter.expression.map { " that the filter \"\($0)\" lets through" } ?? ""
            StandardError.say("warning: there are no packets\(filter)")
        }
        // The table has them above its rows.
        if output != .table {
            for sentence in UnseenTraffic(analysis.registry).sentences { StandardError.say("warning: \(sentence)") }
        }
        var page = OctetOutput.standardOutput()
        switch output {
        case .ndjson, .gor, .har: return
        case .table:
            for line in analysis.report.lines(Terminal.style(1)) {
                try page.append(line: line)
            }
        case .metrics: try page.append(analysis.metricsPage)
        }
        try page.flush()
    }
}

/// What reading savefiles gave.
struct SavefileAnalysis: Sendable {
    /// The routes that requests were attributed to.
    let table: RouteTable
    /// Why no request has a route, where no objects were named.
    let absence: String?
    /// What was counted of the traffic.
    let registry: MetricsRegistry
    /// What else the pipeline saw.
    let figures: PipelineFigures
    /// What could not be read.
    let failures: [CaptureError]

    /// What keeps the analysis from being whole.
    var problems: [String] {
        failures.map(\.description) + (figures.undecodedCapture.map { [$0] } ?? [])
    }

    /// What to say where no request came to a port on which a Gateway listens; `nil` elsewhere.
    func unserved(by gateway: GatewayConfiguration) -> String? {
        registry.unserved(figures, by: gateway, in: table)
    }

    /// The table for people.
    var report: RouteTableReport {
        var report = RouteTableReport(routes: table.routes, registry: registry, figures: figures)
        report.absence = absence
        return report
    }

    /// The metrics in text format, as of the last packet.
    var metricsPage: [UInt8] {
        var octets: [UInt8] = []
        let now = figures.latestPacket?.nanoseconds ?? 0
        TextExposition(.text).write(registry.snapshot(at: now), into: &octets)
        return octets
    }
}

extension MetricsRegistry {
    /// What to say where no request came to a port on which a Gateway listens; `nil` elsewhere.
    ///
    /// - Parameters:
    ///   - figures: What the pipeline saw.
    ///   - gateway: The gateway as configured.
    ///   - table: The routes.
    /// - Returns: The sentence.
    func unserved(_ figures: PipelineFigures, by gateway: GatewayConfiguration, in table: RouteTable) -> String? {
        // Adding up all routes takes time, and is rarely asked for.
        guard !figures.unservedPorts.isEmpty else { return nil }
        let matched = routeSummaries().reduce(0) { $0 + $1.requestCount }
        let arrived = unmatchedSummaries().reduce(matched) { $0 + ($1.reason.isArrival ? $1.requestCount : 0) }
        let missed = UnservedTraffic(
            figures,
            arrived: arrived,
            gateway: gateway,
            servers: table.serverPorts,
            pods: table.podPorts
        )
        return missed.sentence
    }
}

extension RecordingLosses {
    /// Says on standard error what a recording lacks.
    func report() {
        for (reason, count) in reasons {
            StandardError.say("not in the recording: \(reason.counted(count))")
        }
    }
}
