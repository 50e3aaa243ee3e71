// Wingmirror · Apache-2.0

import Logging
import Synchronization
import TestSupport
import Testing

@testable import KubernetesObjects

/// How many requests an API server gets of one watch in an hour that goes badly: of this many agents nobody may be the last straw.
@Suite(.timeLimit(.minutes(20)))
struct LoadTests {
    /// What a server does with every request.
    enum Trouble: String, CaseIterable, Sendable {
        case refusesConnections, refusesTLS, unauthorized, forbidden, gone, overloaded, fails, absent, endsAtOnce
    }

    /// Answers every request in one way, and counts them.
    private final class Server: APITransport {
        private let trouble: Trouble
        let requests = Mutex(0)

        init(_ trouble: Trouble) { self.trouble = trouble }

        func send(_ request: APIRequest) async throws -> APIAnswer {
            requests.withLock { $0 += 1 }
            switch trouble {
            case .refusesConnections: throw APIFailure.connection("refused")
            case .refusesTLS: throw APIFailure.tls("no")
            case .unauthorized: return Self.answer(401)
            case .forbidden: return Self.answer(403)
            case .gone: return Self.answer(410)
            case .overloaded: return Self.answer(429, retryAfter: 1)
            case .fails: return Self.answer(500)
            case .absent: return Self.answer(404)
            case .endsAtOnce:
                let list = #"{"kind":"ServiceList","metadata":{"resourceVersion":"7"},"items":[]}"#
                return Self.answer(200, request.target.contains("watch=") ? "" : list)
            }
        }

        private static func answer(_ status: Int, _ text: String = "{}", retryAfter: Int? = nil) -> APIAnswer {
            let body = AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.yield(Array(text.utf8))
                continuation.finish()
            }
            return APIAnswer(status: status, retryAfter: retryAfter, body: body)
        }

        /// A token file whose content does not change.
        func credentialsRefused() async -> Bool { false }
    }

    @Test(arguments: Trouble.allCases)
    func `an hour of trouble is at most four requests a minute`(trouble: Trouble) async {
        let server = Server(trouble)
        let time = HandClock()
        let end = time.now + 3_600_000_000_000
        let clock = WatchClock(
            now: { time.now },
            pause: { pause in
                let (seconds, attoseconds) = pause.components
                time.advance(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
                // The hour is over: nothing more is asked until the watch is told to end.
                if time.now >= end { try await Task.sleep(for: .seconds(3600)) }
                await Task.yield()
                try Task.checkCancellation()
            },
            expire: { _ in try await Task.sleep(for: .seconds(600)) },
            random: { 0.5 }
        )
        var logger = Logger(label: "watch")
        logger.logLevel = .critical
        let watch = CollectionWatch(
            ResourceCollection(GroupVersionResource(group: "", version: "v1", resource: "services"), kind: "Service"),
            over: server,
            into: ObjectStore(),
            clock: clock,
            streaming: StreamingSupport(isOffered: false),
            logger: logger
        )
        let running = Task { await watch.run() }
        while time.now < end, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
        let count = server.requests.withLock { $0 }
        running.cancel()
        await running.value
        #expect(count <= 4 * 60 && count > 0, "\(trouble.rawValue): \(count) requests in an hour")
    }
}
