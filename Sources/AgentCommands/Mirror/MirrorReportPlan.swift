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
        /// A running agent, and its token.
        case agent(ServerURL, token: String?)
        /// Recordings with replayed answers.
        case recordings([String])
    }

    /// Where verdicts come from.
    var origin: Origin
    /// What is printed.
    var output: MirrorOutput

    /// Checks the options.
    init(_ command: MirrorReportCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        output = MirrorOutput(command.output, &problems)
        origin = .recordings(command.recordings)
        if command.recordings.isEmpty {
            let token = Self.token(command.tokenFile, &problems)
            if let url = ServerURL(command.agent) {
                origin = .agent(url, token: token)
            } else {
                problems.append(
                    .option("--agent", "expected a URL such as http://127.0.0.1:9646, found \"\(command.agent)\"")
                )
            }
        } else if command.tokenFile != nil {
            problems.append(.option("--token-file", "a recording needs no token"))
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    private static func token(_ path: String?, _ problems: inout [ConfigurationProblem]) -> String? {
        guard let path else { return nil }
        do throws(ConfigurationProblems) {
            return try AgentToken.read(path)
        } catch {
            problems += error.problems
            return nil
        }
    }

    /// Gets the verdicts and prints them.
    ///
    /// - Throws: `CommandFailure` when there are none to be had.
    func execute() async throws {
        let report: MirrorReport
        switch origin {
        case .agent(let url, let token): report = try await Self.ask(url, token)
        case .recordings(let paths): report = try Self.judge(paths)
        }
        var page = OctetOutput.standardOutput()
        switch output {
        case .table: for line in report.lines(Terminal.style(1)) { try page.append(line: line) }
        case .ndjson: for verdict in report.verdicts { try page.append(verdict.encoded() + [UInt8(ascii: "\n")]) }
        }
        try page.flush()
    }

    private static func ask(_ url: ServerURL, _ token: String?) async throws -> MirrorReport {
        let client = AgentClient(url, token: token)
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
        loaded.recording.losses.tell()
        for line in loaded.damage { StandardError.write("wingmirror: \(line)\n") }
        let lane = MirrorLane(policy: "recording", target: "replayed")
        var book = VerdictBook { coding, content, limit in ContentDecoding.whole(coding, content, limit: limit) }
        book.policyConfigured(ComparisonPolicy(name: lane.policy, targets: [lane.target]))
        var pairs = 0
        for entry in loaded.recording.entries {
            guard let first = entry.replayed.first else { continue }
            pairs += 1
            book.sampled(lane, route: entry.exchange.route)
            let answer = ShadowAnswer(first)
            let pair = ComparedPair(
                lane: lane,
                keyHash: UInt64(pairs),
                time: first.time,
                production: entry.exchange,
                candidate: answer,
                repeated: entry.replayed.dropFirst().first.map { ShadowAnswer($0) }
            )
            book.compared(pair) { "" }
        }
        guard pairs > 0 else {
            throw CommandFailure(.failed, "\(paths.joined(separator: ", ")): no replayed answers are recorded there")
        }
        return MirrorReport(verdicts: book.report().map(\.document))
    }
}

extension ShadowAnswer {
    /// An answer that was recorded in a replay.
    fileprivate init(_ replayed: ReplayedAnswer) {
        self.init(
            result: .success(replayed.response),
            intendedTime: replayed.time,
            durationNanoseconds: replayed.roundTripNanoseconds ?? 0
        )
    }
}
