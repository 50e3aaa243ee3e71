// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import OctetText
import PacketCapture

extension TapPlan {
    /// How often the agent is asked.
    private static let interval: Duration = .milliseconds(500)
    /// How long an agent may fail to answer before the command gives up: longer than one takes to be replaced.
    private static let patience: Duration = .seconds(120)

    /// Prints requests as they come, until a signal or the limit.
    ///
    /// - Throws: `CommandFailure` when no agent answers; `OctetOutput.Failure` when the output cannot be written.
    func execute() async throws {
        let stop = StopFlag()
        let signals = StoppingSignals(stop)
        defer { extendLifetime(signals) }
        let client = AgentClient(agent, access)
        let outcome: Result<TapCounts, any Error>
        do {
            outcome = .success(try await follow(client, until: stop))
        } catch {
            outcome = .failure(error)
        }
        await client.close()
        StandardError.say("\(try outcome.get().sentence)")
    }

    private func follow(_ client: AgentClient, until stop: StopFlag) async throws -> TapCounts {
        var page = OctetOutput.standardOutput()
        var counts = TapCounts()
        counts.isFiltered = isFiltered
        let style = Terminal.style(1)
        // What was kept before the command began is not followed.
        var latest = try await begin(client, &counts)
        var failedSince: ContinuousClock.Instant?
        // The agent is asked once more after the signal, for what came since the time before.
        var isLast = false
        while !isLast {
            isLast = stop.isRequested
            do {
                var document = try await client.ask("/api/v1/exchanges?\(query)&after=\(latest)")
                let newest = document["latest"]?.numberValue.map { Int64(clamped: $0) } ?? latest
                if failedSince != nil || newest < latest {
                    if failedSince != nil { StandardError.say("\(agent): answers again") }
                    failedSince = nil
                    // An agent that was restarted numbers requests anew, and all that it has are news.
                    if counts.asked(try await client.ask("/api/v1/status")) || newest < latest {
                        latest = -1
                        document = try await client.ask("/api/v1/exchanges?\(query)&after=-1")
                    }
                }
                latest = document["latest"]?.numberValue.map { Int64(clamped: $0) } ?? latest
                for entry in (document["exchanges"]?.arrayValue ?? []).reversed() where isWanted(entry) {
                    try page.append(line: TapLine(entry).text(output, style))
                    counts.shown += 1
                    if let limit, counts.shown >= limit {
                        isLast = true
                        break
                    }
                }
            } catch let refusal as AgentClient.Refusal {
                let now = ContinuousClock.now
                guard now - (failedSince ?? now) < Self.patience else { throw refusal.failure(of: agent) }
                if failedSince == nil, !isLast {
                    StandardError.say("\(agent): \(refusal.reason); tap asks again for 2 minutes")
                }
                failedSince = failedSince ?? now
            }
            try page.flush()
            if !isLast, !stop.isRequested { try? await Task.sleep(for: Self.interval) }
        }
        if let status = try? await client.ask("/api/v1/status") { counts.ended(with: status) }
        return counts
    }

    /// The number of the latest exchange before the command began.
    private func begin(_ client: AgentClient, _ counts: inout TapCounts) async throws(CommandFailure) -> Int64 {
        do throws(AgentClient.Refusal) {
            counts.asked(try await client.ask("/api/v1/status"))
            if let route, let absence = route.absence(in: try await client.ask("/api/v1/routes")) {
                StandardError.say("warning: --route: \(absence)")
            }
            let document = try await client.ask("/api/v1/exchanges?\(query)")
            return document["latest"]?.numberValue.map { Int64(clamped: $0) } ?? -1
        } catch {
            throw error.failure(of: agent)
        }
    }

    private func isWanted(_ entry: JSONValue) -> Bool {
        guard let route else { return true }
        let line = TapLine(entry)
        return route.contains(object: line.object ?? "", label: line.ruleLabel, number: line.ruleNumber)
    }
}

/// How many requests there were, and how many of them were shown.
struct TapCounts: Sendable {
    /// How many were printed.
    var shown = 0
    /// Whether conditions chose what was printed, which the agent's count knows nothing of.
    var isFiltered = false
    /// When the agent was started, in its own words.
    private var start: String?
    private var before: UInt64?
    private var after: UInt64?
    /// How many were printed before the agent was restarted; `nil` while it was not.
    private var shownBeforeRestart: Int?

    /// Notes what the agent has counted; an agent that was restarted begins at 0.
    ///
    /// - Returns: Whether it was restarted since it was asked last.
    @discardableResult
    mutating func asked(_ status: JSONValue) -> Bool {
        let newStart = status["startTime"]?.stringValue
        defer { start = newStart ?? start }
        guard let start else {
            before = Self.requests(status)
            return false
        }
        guard let newStart, newStart != start else { return false }
        before = 0
        shownBeforeRestart = shown
        return true
    }

    /// Notes what the agent had counted when the command ended.
    mutating func ended(with status: JSONValue) {
        asked(status)
        after = Self.requests(status)
    }

    private static func requests(_ status: JSONValue) -> UInt64? {
        guard let requests = status["requests"] else { return nil }
        // Counts of another program, which may be anything.
        return ["matched", "unmatched", "redirected", "elsewhere"].reduce(0) { $0 &+ (requests[$1]?.count ?? 0) }
    }

    /// What was shown, of how much.
    var sentence: String {
        let all = "\(shown) \(shown == 1 ? "request" : "requests") shown"
        let scope = isFiltered ? "of all kinds, without the conditions; " : ""
        let sample = "(\(scope)it keeps a sample of them, up to 20 per second of each kind)"
        guard let before, let after, after >= before else {
            return shownBeforeRestart == nil ? all : "\(all); the agent was restarted meanwhile"
        }
        guard let shownBeforeRestart else { return "\(all); the agent counted \(after - before) meanwhile \(sample)" }
        return "\(all); the agent was restarted meanwhile: \(shown - shownBeforeRestart) since, of \(after) that it "
            + "counted \(sample)"
    }
}
