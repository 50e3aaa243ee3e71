// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import AnswerComparison
import ContentDecoding
import JSONSyntax
import Recordings
import ShadowTesting
import TrafficModel

/// What `mirror report` is to do, when its options have been found to make sense.
struct MirrorReportPlan: Sendable {
    /// Where verdicts come from.
    enum Origin: Sendable, Equatable {
        /// A running agent, and how it is asked.
        case agent(ServerURL, AgentAccess)
        /// Recordings with replayed answers.
        case recordings([String])
    }

    /// Where verdicts come from.
    var origin: Origin
    /// What is printed.
    var output: MirrorOutput
    /// Which verdicts are.
    var selection: MirrorReport.Selection

    /// Checks the options.
    init(_ command: MirrorReportCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        output = MirrorOutput(command.output, &problems)
        selection = MirrorReport.Selection(route: command.route, isFailingOnly: command.failing)
        origin = .recordings(command.recordings)
        if command.recordings.isEmpty {
            let access = command.access.read(&problems)
            if let url = ServerURL.agent(command.agent ?? "http://127.0.0.1:9646", &problems) {
                origin = .agent(url, access)
            }
        } else {
            if command.agent != nil { problems.append(.option("--agent", "recordings are judged here; leave it out")) }
            command.access.refuse("a recording is no agent", &problems)
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    /// Gets the verdicts and prints them.
    ///
    /// - Throws: `CommandFailure` when there are none to be had.
    func execute() async throws {
        var report: MirrorReport
        switch origin {
        case .agent(let url, let access): report = try await Self.ask(url, access)
        case .recordings(let paths): report = try Self.judge(paths)
        }
        report.selection = selection
        var page = OctetOutput.standardOutput()
        switch output {
        case .table: for line in report.lines(Terminal.style(1)) { try page.append(line: line) }
        case .ndjson: for verdict in report.shown { try page.append(verdict.encoded() + [UInt8(ascii: "\n")]) }
        }
        try page.flush()
        if selection.isFailingOnly, !report.shown.isEmpty {
            throw CommandFailure(.failed, "\(report.shown.count) verdicts fail or differ")
        }
    }

    private static func ask(_ url: ServerURL, _ access: AgentAccess) async throws -> MirrorReport {
        let client = AgentClient(url, access)
        let answer: Result<JSONValue, AgentClient.Refusal>
        do throws(AgentClient.Refusal) {
            answer = .success(try await client.ask("/api/v1/mirror"))
        } catch {
            answer = .failure(error)
        }
        await client.close()
        switch answer {
        case .failure(let refusal): throw refusal.failure(of: url)
        case .success(.null):
            throw CommandFailure(.failed, "\(url): nothing is mirrored there; set mirror.enabled and a policy")
        case .success(let document): return MirrorReport(document)
        }
    }

    // MARK: - Recordings

    /// Judges the replayed answers of recordings against the original ones.
    private static func judge(_ paths: [String]) throws(CommandFailure) -> MirrorReport {
        let loaded = try RecordingLoader(paths)
        loaded.recording.losses.report()
        for line in loaded.damage { StandardError.say(line) }
        let judged = judged(loaded.recording)
        if let loss = loaded.recording.entries.loss { throw CommandFailure(.failed, loss) }
        guard let judged else {
            throw CommandFailure(.failed, "\(paths.joined(separator: ", ")): no replayed answers are recorded there")
        }
        if let note = judged.note { StandardError.say(note) }
        return judged.report
    }

    /// Judges the replayed answers of a recording, with what is to be said of those that are not there.
    /// - Returns: `nil` without any replayed answer.
    static func judged(_ recording: Recording) -> (report: MirrorReport, note: String?)? {
        let entries = recording.entries
        var unanswered = 0
        var times: (first: Int64, last: Int64) = (.max, .min)
        for entry in entries {
            if let time = entry.replayed.first?.time {
                times = (min(times.first, time), max(times.last, time))
            } else {
                unanswered += 1
            }
        }
        guard unanswered < entries.count else { return nil }
        let lane = MirrorLane(policy: "recording", target: "replayed")
        var limits = VerdictLimits()
        limits.isComplete = true
        var book = VerdictBook(limits: limits) { coding, content, limit in
            ContentDecoding.freed(coding, content, limit: limit)
        }
        var policy = ComparisonPolicy(name: lane.policy, targets: [lane.target])
        policy.settings.timeBlock = timeBlock(from: times.first, to: times.last)
        // A recording may be replayed days later.
        policy.settings.maximumLag = .nanoseconds(Int64.max)
        book.policyConfigured(policy)
        for (number, entry) in entries.enumerated() {
            book.sampled(lane, route: entry.exchange.route)
            guard let first = entry.replayed.first else {
                // A target that gave no answer leaves no other trace in a recording.
                let isWhole = entry.exchange.response != nil && entry.exchange.integrity.isEmpty
                book.missed(lane, route: entry.exchange.route, reason: isWhole ? .unanswered : .production)
                continue
            }
            let pair = ComparedPair(
                lane: lane,
                keyHash: UInt64(number),
                time: first.time,
                production: entry.exchange,
                candidate: ShadowAnswer(first),
                repeated: entry.replayed.dropFirst().first.map { ShadowAnswer($0) }
            )
            book.compared(pair) { "" }
        }
        let counts = [unanswered, entries.count].map { HumanUnits.count(UInt64($0)) }
        return (
            MirrorReport(verdicts: book.report().map(\.document)),
            unanswered > 0
                ? "\(counts[0]) of \(counts[1]) requests have no replayed response and count as missing" : nil
        )
    }
}

extension MirrorReportPlan {
    /// How many blocks of time a finished recording is cut into.
    ///
    /// What differs must be spread over some of them. A recording is often shorter than the blocks that fit a running agent, and
    /// its end is known.
    private static let blocks = 40

    /// A fortieth of the time between the first and the last replayed answer; at most what an agent takes.
    private static func timeBlock(from first: Int64, to last: Int64) -> Duration {
        let (span, isTooLong) = last.subtractingReportingOverflow(first)
        let block = Duration.nanoseconds(isTooLong ? .max : span / Int64(blocks))
        return min(ComparisonSettings().timeBlock, max(.milliseconds(1), block))
    }
}

extension ShadowAnswer {
    /// An answer that was recorded in a replay.
    fileprivate init(_ replayed: ReplayedAnswer) {
        self.init(
            result: replayed.response.map { .success($0) } ?? .failure(replayed.isCut ? .reset : .malformed),
            intendedTime: replayed.time,
            durationNanoseconds: replayed.roundTripNanoseconds ?? 0
        )
    }
}
