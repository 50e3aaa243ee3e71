// Wingmirror · Apache-2.0

import AnswerComparison
import Recordings
import Redaction
import ShadowTesting
import Synchronization
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// A clock on which time passes only when somebody sleeps or says so.
final class SteppingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let state = Mutex(Duration.seconds(1000))

    var now: Instant { Instant(offset: state.withLock(\.self)) }
    var minimumResolution: Duration { .nanoseconds(1) }

    /// Time passes.
    func advance(by duration: Duration) {
        state.withLock { $0 += duration }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock { $0 = max($0, deadline.offset) }
    }
}

/// Answers requests without a network, each after a time that passes on the clock.
final class ScriptedClient: ReplayClient {
    private let clock: SteppingClock
    private let script: @Sendable (ShadowRequest) -> (takes: Duration, Result<RecordedResponse, ShadowFailure>)
    private let sent = Mutex<[(request: ShadowRequest, at: Duration)]>([])

    init(
        _ clock: SteppingClock,
        _ script: @escaping @Sendable (ShadowRequest) -> (takes: Duration, Result<RecordedResponse, ShadowFailure>)
    ) {
        self.clock = clock
        self.script = script
    }

    /// What was sent, and when since the clock began.
    var requests: [(request: ShadowRequest, at: Duration)] { sent.withLock(\.self) }

    func answer(to request: ShadowRequest) async -> Result<RecordedResponse, ShadowFailure> {
        let time = clock.now.offset - .seconds(1000)
        sent.withLock { $0.append((request, time)) }
        let (takes, result) = script(request)
        clock.advance(by: takes)
        return result
    }
}

/// Recorded exchanges for tests of replaying.
enum ReplaySamples {
    static func response(_ status: Int = 200, _ content: String = "ok") -> RecordedResponse {
        RecordedResponse(status: status, message: RecordedMessage(fields: [], content: Array(content.utf8)))
    }

    static func entry(
        _ method: String = "GET",
        _ target: String = "/",
        fields: [(String, String)] = [],
        content: String = "",
        response: RecordedResponse? = response(),
        at milliseconds: Int64 = 0,
        client: String = "192.0.2.1",
        integrity: [String] = []
    ) -> RecordingEntry {
        let fields = [("Host", "shop.example.com")] + fields
        let message = RecordedMessage(
            fields: fields.map { RecordedField(name: $0.0, value: $0.1) },
            content: Array(content.utf8)
        )
        return RecordingEntry(
            exchange: RecordedExchange(
                request: RecordedRequest(method: method, target: Array(target.utf8), message: message),
                response: response,
                clientAddress: client,
                startTime: 1_763_870_000_000_000_000 + milliseconds * 1_000_000,
                integrity: integrity
            )
        )
    }

    static let target = MirrorTarget(name: "replay", host: "127.0.0.1", port: 9000)

    static func policy(_ change: (inout MirrorPolicy) -> Void = { _ in }) -> MirrorPolicy {
        var policy = MirrorPolicy(name: "replay", targets: ["replay"])
        policy.percent = 100
        change(&policy)
        return policy
    }

    static func builder(_ policy: MirrorPolicy) -> ShadowRequestBuilder {
        ShadowRequestBuilder(policy: policy, target: target, node: "node-1", key: RedactionKey(high: 1, low: 2))
    }
}
