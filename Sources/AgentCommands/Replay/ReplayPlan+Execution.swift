// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
internal import AnswerComparison
import MirrorDispatch
import PacketDecoding
import Recordings
import Redaction
import ShadowTesting
import Synchronization
import TrafficModel
import UnixSignals

extension ReplayPlan {
    /// Reads the recordings, sends what may be sent, and prints what became of it.
    ///
    /// - Throws: `CommandFailure` for what cannot be read or sent to, and after the summary for a recording that is
    ///   damaged or a target that answered nothing; `OctetOutput.Failure` when the output cannot be written.
    func execute() async throws {
        let lines = output == .ndjson ? RecordFile(.standardOutput()) : nil
        let (summary, damage) = try await replay(writingTo: lines, isShown: Terminal.isTerminal(2))
        try print(summary, lines)
        try judge(summary, damage)
    }

    /// Reads the recordings and sends what may be sent.
    ///
    /// - Parameters:
    ///   - lines: Takes a line for each request; without it none are written.
    ///   - isShown: Whether progress is shown on standard error.
    /// - Returns: What became of it, and what is wrong with the recordings.
    /// - Throws: `CommandFailure` for what cannot be read or sent to.
    func replay(
        writingTo lines: RecordFile? = nil,
        isShown: Bool = false
    ) async throws(CommandFailure) -> (summary: ReplaySummary, damage: [String]) {
        var reading = Configuration()
        if let filter { reading.capture.filter = .expression(filter) }
        reading.tls.keyLog = keyLog
        let loader = try RecordingLoader(recordings, reading)
        var generator = SystemRandomNumberGenerator()
        let builder = ShadowRequestBuilder(
            policy: policy,
            target: target,
            node: Self.node,
            key: RedactionKey(using: &generator)
        )
        let selection = try choose(from: loader, builder)
        try checkOrder(of: selection.chosen)
        let client = try await connect(loader.recording, selection.chosen)
        for notice in loader.notices { StandardError.say("warning: \(notice)") }
        warn()
        let ledger = ReplayLedger(summary(of: selection, loader.recording), lines: lines, isShown: isShown)
        let run = ReplayRun(
            entries: selection.chosen,
            schedule: ReplaySchedule(times: selection.chosen.startTimes, pace: pace),
            loops: loops,
            inFlight: target.inFlight,
            isOrdered: isOrdered,
            builder: builder,
            client: TargetReplayClient(client: client, keptOctets: policy.comparison.maximumContentOctets),
            comparison: ReplayComparison(policy: policy, target: target, unknownFields: selection.unknownFields),
            clock: ContinuousClock(),
            completed: { ledger.completed($0) },
            isHopeless: { ledger.isHopeless }
        )
        let (elapsed, isInterrupted) = await Self.untilSignal { await run.run() }
        var summary = ledger.finished(elapsed: elapsed, isInterrupted: isInterrupted)
        summary.handshakeProblem = client.handshakeProblem
        await client.close()
        return (summary, loader.damage + (selection.chosen.loss.map { [$0] } ?? []))
    }

    /// The name in the marker: that of the node, where whoever started the program says it.
    private static var node: String {
        Terminal.environment("NODE_NAME") ?? Terminal.environment("HOSTNAME") ?? "replay"
    }

    // MARK: - Before

    private func choose(
        from loader: RecordingLoader,
        _ builder: ShadowRequestBuilder
    ) throws(CommandFailure) -> ReplaySelection {
        let recording = loader.recording
        let selection: ReplaySelection
        do throws(MirrorPlanError) {
            selection = try ReplaySelection(of: recording, policy: policy, builder: builder)
        } catch {
            throw CommandFailure(.usage, error.message)
        }
        guard selection.chosen.isEmpty else { return selection }
        let reasons =
            selection.filtered.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue) \($0.value)" }
            + (selection.notSampled > 0 ? ["not sampled \(selection.notSampled)"] : [])
            + recording.losses.reasons.map { $0.reason.counted($0.count) } + loader.notices
        let why = reasons.isEmpty ? "the recording holds no request" : reasons.joined(separator: ", ")
        throw CommandFailure(.failed, "there is nothing to send: \(why)")
    }

    /// Refuses an order that the recording does not have, and says of how many requests it is not known.
    private func checkOrder(of entries: RecordingEntries) throws(CommandFailure) {
        guard isOrdered else { return }
        let unknown = entries.count { $0.exchange.connection < 0 }
        guard unknown < entries.count else {
            throw CommandFailure(
                .usage,
                "--ordered: the recording does not say which requests came on one connection; .gor files never do"
            )
        }
        guard unknown > 0 else { return }
        StandardError.say(
            "warning: --ordered: of \(unknown) requests the connection is not known; they wait for no other"
        )
    }

    /// Says which unsafe methods will be sent.
    private func warn() {
        guard !policy.methods.isEmpty else { return }
        let methods = policy.methods.joined(separator: ", ")
        StandardError.say("\(methods) may change what the target keeps, and are sent as --methods asks")
    }

    private func connect(
        _ recording: Recording,
        _ chosen: RecordingEntries
    ) async throws(CommandFailure) -> TargetClient {
        var target = target
        // What came over HTTP/2 goes out over it, if the target agrees to it (ALPN).
        target.allowsHTTP2 =
            target.usesTLS && chosen.contains { ["HTTP/2", "HTTP/3"].contains($0.exchange.protocolVersion) }
        let guardian = ProductionGuard(recording, target: target)
        // The name alone may say enough, and a refusal is a better answer than that it has no address.
        if let reason = guardian.refusal(of: target, at: []) { throw CommandFailure(.usage, "--target: \(reason)") }
        do throws(TargetClient.Failure) {
            return try await TargetClient(to: target) { guardian.refusal(of: $0, at: $1) }
        } catch {
            switch error {
            case .refused(let reason): throw CommandFailure(.usage, "--target: \(reason)")
            case .unresolved(let reason): throw CommandFailure(.failed, "\(target.host): cannot be found: \(reason)")
            }
        }
    }

    private func summary(of selection: ReplaySelection, _ recording: Recording) -> ReplaySummary {
        var summary = ReplaySummary()
        summary.recorded = recording.entries.count
        summary.filtered = selection.filtered
        summary.notSampled = selection.notSampled
        summary.placeholders = selection.placeholders
        summary.withoutCredentials = selection.withoutCredentials
        summary.losses = recording.losses
        summary.planned = selection.chosen.count * loops
        return summary
    }

    // MARK: - Meanwhile

    /// Does the work until it is done, or cancels it at an interrupt and waits until it has ended.
    private static func untilSignal(_ work: @escaping @Sendable () async -> Duration) async -> (Duration, Bool) {
        await withTaskGroup(of: Duration?.self) { tasks in
            tasks.addTask { await work() }
            tasks.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
                return nil
            }
            var elapsed = Duration.zero
            var isInterrupted = false
            for await result in tasks {
                if let result { elapsed = result } else if elapsed == .zero { isInterrupted = true }
                tasks.cancelAll()
            }
            return (elapsed, isInterrupted)
        }
    }

    // MARK: - After

    private func print(_ summary: ReplaySummary, _ lines: RecordFile?) throws {
        let report = ReplayReport(summary: summary, target: target.url)
        if let lines {
            lines.append(report.line)
            try lines.finish()
        } else {
            var page = OctetOutput.standardOutput()
            for line in report.lines { try page.append(line: line) }
            try page.flush()
        }
    }

    private func judge(_ summary: ReplaySummary, _ damage: [String]) throws(CommandFailure) {
        var lines = damage
        if summary.isHopeless, summary.unsent > 0, !summary.isInterrupted {
            let problem = summary.handshakeProblem.map { "TLS fails: \($0)" } ?? "accepts no connection"
            lines.append("\(target.url): \(problem); given up after \(summary.sent) requests")
        } else if summary.answered == 0, summary.sent > 0, !summary.isInterrupted {
            let reasons = summary.failed.sorted { $0.key.rawValue < $1.key.rawValue }
            lines.append(
                "no request was answered: " + reasons.map { "\($0.key.rawValue) \($0.value)" }.joined(separator: ", ")
                    + (summary.handshakeProblem.map { "; \($0)" } ?? "")
            )
        }
        guard lines.isEmpty else { throw CommandFailure(.failed, lines) }
    }
}
