// Wingmirror · Apache-2.0

import AnswerComparison
import Recordings
import ShadowTesting
import Synchronization
import TestSupport
import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite(.timeLimit(.minutes(20)))
struct ReplayRunTests {
    /// Runs a replay to its end on a clock that waits for nobody.
    private static func replay(
        _ entries: [RecordingEntry],
        pace: ReplaySchedule.Pace = .speed(1),
        loops: Int = 1,
        inFlight: Int = 1,
        clock: SteppingClock = SteppingClock(),
        script: @escaping @Sendable (ShadowRequest) -> (takes: Duration, Result<RecordedResponse, ShadowFailure>)
    ) async -> (summary: ReplaySummary, client: ScriptedClient, outcomes: [ReplayOutcome]) {
        let policy = ReplaySamples.policy()
        let client = ScriptedClient(clock, script)
        let outcomes = Mutex<[ReplayOutcome]>([])
        let run = ReplayRun(
            entries: RecordingEntries(entries),
            schedule: ReplaySchedule(times: entries.map(\.exchange.startTime), pace: pace),
            loops: loops,
            inFlight: inFlight,
            builder: ReplaySamples.builder(policy),
            client: client,
            comparison: ReplayComparison(policy: policy, target: ReplaySamples.target, unknownFields: []),
            clock: clock,
            completed: { outcome in outcomes.withLock { $0.append(outcome) } }
        )
        var summary = ReplaySummary()
        summary.planned = entries.count * loops
        summary.elapsed = await run.run()
        let all = outcomes.withLock(\.self)
        for outcome in all { summary.add(outcome) }
        return (summary, client, all)
    }

    private static let threeRequests = [0, 100, 250].map { ReplaySamples.entry("GET", "/\($0)", at: $0) }

    @Test func `requests are sent when they are due`() async {
        let (summary, client, _) = await Self.replay(Self.threeRequests) { _ in
            (.milliseconds(5), .success(ReplaySamples.response()))
        }
        #expect(client.requests.map(\.at) == [.zero, .milliseconds(100), .milliseconds(250)])
        #expect(client.requests.map(\.request.target) == ["/0", "/100", "/250"])
        #expect(summary.sent == 3)
        #expect(summary.answered == 3)
        #expect(summary.lateness.longest == .zero)
        #expect(summary.latency.longest == .milliseconds(5))
        #expect(summary.comparisons == [.same: 3])
        #expect(summary.elapsed == .milliseconds(255))
    }

    @Test func `lateness does not pile up and is told apart from latency`() async {
        // The first answer takes so long that the second request is late; the third is due after it and is on time.
        let (summary, client, outcomes) = await Self.replay(Self.threeRequests) { request in
            (request.target == "/0" ? .milliseconds(180) : .milliseconds(10), .success(ReplaySamples.response()))
        }
        #expect(client.requests.map(\.at) == [.zero, .milliseconds(180), .milliseconds(250)])
        #expect(outcomes.map(\.lateness) == [.zero, .milliseconds(80), .zero])
        #expect(outcomes.map(\.latency) == [.milliseconds(180), .milliseconds(10), .milliseconds(10)])
        #expect(summary.lateness.longest == .milliseconds(80))
        #expect(summary.latencyFromDue.quantile(0.5) ?? .zero >= .milliseconds(88))
    }

    @Test func `rounds repeat the recording and each copy is its own`() async {
        let entry = ReplaySamples.entry("GET", "/", fields: [("Idempotency-Key", "k1")])
        let (summary, client, _) = await Self.replay([entry], pace: .rate(10), loops: 3) { _ in
            (.zero, .success(ReplaySamples.response()))
        }
        #expect(client.requests.map(\.at) == [.zero, .milliseconds(100), .milliseconds(200)])
        #expect(Set(client.requests.map { $0.request.firstValue(of: "traceparent") }).count == 3)
        #expect(Set(client.requests.map { $0.request.firstValue(of: "idempotency-key") }).count == 3)
        #expect(summary.planned == 3)
        #expect(summary.unsent == 0)
    }

    @Test func `every request bears the marker`() async {
        let (_, client, _) = await Self.replay(Self.threeRequests) { _ in (.zero, .failure(.reset)) }
        #expect(client.requests.allSatisfy { $0.request.firstValue(of: "wingmirror-shadow") == "node-1;hops=1" })
    }

    @Test func `everything that was sent is counted once`() async {
        let entries = (0..<60).map { ReplaySamples.entry("GET", "/\($0)", at: $0) }
        let (summary, _, _) = await Self.replay(entries, loops: 2) { request in
            let number = Int(request.target.dropFirst()) ?? 0
            return switch number % 4 {
            case 0: (.zero, .success(ReplaySamples.response()))
            case 1: (.zero, .success(ReplaySamples.response(500, "oops")))
            case 2: (.zero, .failure(.timeout))
            default: (.zero, .success(ReplaySamples.response(200, "other")))
            }
        }
        #expect(summary.sent == 120)
        #expect(summary.answered == 90)
        #expect(summary.failed == [.timeout: 30])
        #expect(summary.sent == summary.answered + summary.failed.values.reduce(0, +))
        #expect(summary.statusClasses == [2: 60, 5: 30])
        #expect(summary.comparisons == [.same: 30, .statusDiffers: 60, .bodyDiffers: 30])
        #expect(summary.mismatches == 90)
        #expect(summary.differences[.status] == 30)
        #expect(summary.differences[.outcome] == 30)
    }

    @Test func `content that could not be read, or not whole, is not called the same`() async {
        @Sendable func response(_ content: String, _ fields: [(String, String)] = [], octets: Int64? = nil)
            -> RecordedResponse
        {
            RecordedResponse(
                status: 200,
                message: RecordedMessage(
                    fields: fields.map { RecordedField(name: $0.0, value: $0.1) },
                    content: Array(content.utf8),
                    contentOctets: octets
                )
            )
        }
        let zstd = [("Content-Encoding", "zstd")]
        let long = response("begins alike", octets: 3 << 20)
        let entries = [response("one", zstd), response("same", zstd), long, long].enumerated().map { number, recorded in
            ReplaySamples.entry("GET", "/\(number)", response: recorded, at: Int64(number))
        }
        let (summary, _, _) = await Self.replay(entries) { request in
            let answer =
                switch request.target {
                case "/0": response("two", zstd)
                case "/1": response("same", zstd)
                case "/2": response("begins alike", octets: 3 << 20)
                default: response("begins otherwise", octets: 3 << 20)
                }
            return (.zero, .success(answer))
        }
        #expect(summary.comparisons == [.unread: 1, .same: 1, .cut: 1, .bodyDiffers: 1])
        #expect(summary.mismatches == 1)
        let text = ReplayReport(summary: summary, target: "t").lines.joined(separator: "\n")
        #expect(text.contains("same 1 · body_differs 1 · unread 1 · cut 1"))
        #expect(text.contains("not the same for certain: 1 in a coding that is not read · 1 longer than is compared"))
    }

    @Test func `a timeout where the recorded answer took as long is not compared`() async {
        var entries = [9, 2].map { ReplaySamples.entry("GET", "/\($0)", at: $0) }
        entries[0].exchange.durationNanoseconds = 9_000_000_000
        entries[1].exchange.durationNanoseconds = 2_000_000_000
        let (summary, _, _) = await Self.replay(entries) { _ in (.seconds(10), .failure(.timeout)) }
        #expect(summary.comparisons == [.skipped: 1, .statusDiffers: 1])
    }

    @Test func `an exchange without a whole recorded answer is not compared`() async {
        let entries = [
            ReplaySamples.entry(response: nil, integrity: ["no_response"]),
            ReplaySamples.entry(response: ReplaySamples.response(), at: 1, integrity: ["response_gap"]),
        ]
        let (summary, _, _) = await Self.replay(entries) { _ in (.zero, .success(ReplaySamples.response(500))) }
        #expect(summary.comparisons == [.skipped: 2])
        #expect(summary.mismatches == 0)
    }

    @Test(arguments: [(true, 20), (false, 60)], [ShadowFailure.connect, .tls])
    func `a target that accepts no connection at all is given up, and nothing is compared`(
        _ expected: (Bool, Int),
        failure: ShadowFailure
    ) async {
        let (isDead, sent) = expected
        let entries = (0..<60).map { ReplaySamples.entry("GET", "/\($0)", at: $0) }
        let policy = ReplaySamples.policy()
        let clock = SteppingClock()
        var planned = ReplaySummary()
        planned.planned = entries.count
        let ledger = ReplayLedger(planned, lines: nil, isShown: false)
        let run = ReplayRun(
            entries: RecordingEntries(entries),
            schedule: ReplaySchedule(times: entries.map(\.exchange.startTime), pace: .speed(1)),
            loops: 1,
            inFlight: 1,
            builder: ReplaySamples.builder(policy),
            client: ScriptedClient(clock) { request in
                let isAnswered = !isDead && request.target == "/3"
                return (.zero, isAnswered ? .success(ReplaySamples.response()) : .failure(failure))
            },
            comparison: ReplayComparison(policy: policy, target: ReplaySamples.target, unknownFields: []),
            clock: clock,
            completed: { ledger.completed($0) },
            isHopeless: { ledger.isHopeless }
        )
        let summary = ledger.finished(elapsed: await run.run(), isInterrupted: false)
        #expect(summary.sent == sent)
        #expect(summary.isHopeless == isDead)
        #expect(summary.comparisons[.skipped] == summary.failed[failure])
        #expect(summary.mismatches == 0)
    }

    @Test func `no more requests are in flight than allowed`() async {
        struct CountingClient: ReplayClient {
            let flight: @Sendable (Int) -> Void
            let total: @Sendable () -> Int
            let full: ChangeBell
            func answer(to request: ShadowRequest) async -> Result<RecordedResponse, ShadowFailure> {
                flight(1)
                // The first ones wait until as many as may are in flight with them.
                await full.wait { total() >= 7 }
                flight(-1)
                return .success(ReplaySamples.response())
            }
        }
        let entries = (0..<200).map { ReplaySamples.entry(at: $0) }
        let policy = ReplaySamples.policy()
        let counter = FlightCounter()
        let run = ReplayRun(
            entries: RecordingEntries(entries),
            schedule: ReplaySchedule(times: entries.map(\.exchange.startTime), pace: .speed(1)),
            loops: 1,
            inFlight: 7,
            builder: ReplaySamples.builder(policy),
            client: CountingClient(
                flight: { counter.change(by: $0) },
                total: { counter.total },
                full: counter.bell
            ),
            comparison: ReplayComparison(policy: policy, target: ReplaySamples.target, unknownFields: []),
            clock: SteppingClock(),
            completed: { _ in }
        )
        _ = await run.run()
        #expect(counter.most == 7)
        #expect(counter.total == 200)
    }

    /// The many others are more than there are connections of which the order remembers that nothing is under way.
    @Test(arguments: [true, false], [0, 2000])
    func `requests of one connection wait for each other when asked to, those of another, or of an unknown one, do not`(
        isKnown: Bool,
        others: Int
    ) async {
        /// Answers the first request only after that of the other connection has come.
        struct GatedClient: ReplayClient {
            let events: EventList
            let bell: ChangeBell

            func answer(to request: ShadowRequest) async -> Result<RecordedResponse, ShadowFailure> {
                guard request.target != "/other" else { return .success(ReplaySamples.response()) }
                events.append("begin \(request.target)")
                bell.ring()
                if request.target == "/a1" { await bell.wait { events.value.contains("begin /b1") } }
                events.append("end \(request.target)")
                bell.ring()
                return .success(ReplaySamples.response())
            }
        }
        let targets = ["/a1"] + [String](repeating: "/other", count: others) + ["/a2", "/b1"]
        var entries = targets.enumerated().map { ReplaySamples.entry("GET", $1, at: Int64($0)) }
        for place in entries.indices.dropFirst().prefix(others) { entries[place].exchange.connection = 3 + place }
        entries[others + 2].exchange.connection = isKnown ? 2 : -1
        let policy = ReplaySamples.policy()
        let client = GatedClient(events: EventList(), bell: ChangeBell())
        let run = ReplayRun(
            entries: RecordingEntries(entries),
            schedule: ReplaySchedule(times: entries.map(\.exchange.startTime), pace: .speed(1)),
            loops: 1,
            inFlight: 8,
            isOrdered: true,
            builder: ReplaySamples.builder(policy),
            client: client,
            comparison: ReplayComparison(policy: policy, target: ReplaySamples.target, unknownFields: []),
            clock: SteppingClock(),
            completed: { _ in }
        )
        _ = await run.run()
        let events = client.events.value
        #expect(events.count == 6)
        #expect((events.firstIndex(of: "end /a1") ?? 9) < (events.firstIndex(of: "begin /a2") ?? 0))
        #expect((events.firstIndex(of: "begin /b1") ?? 9) < (events.firstIndex(of: "end /a1") ?? 0))
    }

    @Test func `a cancelled replay sends nothing more and gives up what is in flight`() async {
        struct EndlessClient: ReplayClient {
            let counter: FlightCounter
            func answer(to request: ShadowRequest) async -> Result<RecordedResponse, ShadowFailure> {
                counter.change(by: 1)
                await counter.bell.wait { false }
                return .failure(.cancelled)
            }
        }
        let counter = FlightCounter()
        let failures = Mutex<[ShadowFailure?]>([])
        let policy = ReplaySamples.policy()
        let entries = (0..<50).map { ReplaySamples.entry(at: $0) }
        let run = ReplayRun(
            entries: RecordingEntries(entries),
            schedule: ReplaySchedule(times: entries.map(\.exchange.startTime), pace: .speed(1)),
            loops: 1,
            inFlight: 3,
            builder: ReplaySamples.builder(policy),
            client: EndlessClient(counter: counter),
            comparison: ReplayComparison(policy: policy, target: ReplaySamples.target, unknownFields: []),
            clock: SteppingClock(),
            completed: { outcome in failures.withLock { $0.append(outcome.result.failure) } }
        )
        let task = Task { await run.run() }
        await counter.bell.wait { counter.total >= 3 }
        task.cancel()
        _ = await task.value
        #expect(counter.total == 3)
        #expect(failures.withLock(\.self) == [.cancelled, .cancelled, .cancelled])
    }
}

/// What happened, in order.
private final class EventList: Sendable {
    private let events = Mutex<[String]>([])

    var value: [String] { events.withLock(\.self) }

    func append(_ event: String) { events.withLock { $0.append(event) } }
}

/// Counts requests in flight, and rings at each change.
private final class FlightCounter: Sendable {
    let bell = ChangeBell()
    private let state = Mutex((now: 0, most: 0, total: 0))

    var most: Int { state.withLock { $0.most } }
    var total: Int { state.withLock { $0.total } }

    func change(by change: Int) {
        state.withLock { state in
            state.now += change
            state.most = max(state.most, state.now)
            if change > 0 { state.total += change }
        }
        bell.ring()
    }
}
