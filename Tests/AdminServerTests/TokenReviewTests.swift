// Wingmirror · Apache-2.0

import Synchronization
import TestServers
import Testing

@testable import AdminServer

/// Tokens that an authority is asked about.
@Suite(.timeLimit(.minutes(20)))
struct TokenReviewTests {
    /// An authority that knows one token, and counts what it is asked.
    private final class Authority: Sendable {
        let asked = Mutex<[TokenReviews.Question]>([])
        let isDown = Mutex(false)

        func review(_ question: TokenReviews.Question) -> TokenReview {
            asked.withLock { $0.append(question) }
            if isDown.withLock({ $0 }) { return .unavailable("the API server cannot be asked") }
            guard question.token == "good" else { return .unknown }
            return question.verb == "get" ? .allowed : .denied("ana may not \(question.verb) \(question.path)")
        }

        var count: Int { asked.withLock { $0.count } }
    }

    /// A clock that stands still until it is moved.
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)

        var now: ContinuousClock.Instant { time.withLock { $0 } }

        func advance(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    private let authority = Authority()
    private let clock = Clock()

    private var reviews: TokenReviews {
        TokenReviews(ask: { [authority] in authority.review($0) }, now: { [clock] in clock.now })
    }

    private static let look = TokenReviews.Question(token: "good", verb: "get", path: "/")

    @Test func `an answer is kept for a while, a good one longer than a bad one`() async {
        let reviews = reviews
        let bad = TokenReviews.Question(token: "bad", verb: "get", path: "/")
        for _ in 0..<3 {
            #expect(await reviews.review(Self.look) == .allowed)
            #expect(await reviews.review(bad) == .unknown)
        }
        #expect(authority.count == 2)
        clock.advance(.seconds(11))
        _ = await reviews.review(Self.look)
        _ = await reviews.review(bad)
        #expect(authority.count == 3)
        clock.advance(.seconds(60))
        _ = await reviews.review(Self.look)
        #expect(authority.count == 4)
    }

    @Test func `another path or verb is another question`() async {
        let reviews = reviews
        #expect(await reviews.review(Self.look) == .allowed)
        let reload = TokenReviews.Question(token: "good", verb: "post", path: "/-/reload")
        #expect(await reviews.review(reload) == .denied("ana may not post /-/reload"))
        #expect(authority.count == 2)
    }

    @Test func `an authority that is away is asked again at the next request`() async {
        let reviews = reviews
        authority.isDown.withLock { $0 = true }
        #expect(await reviews.review(Self.look) == .unavailable("the API server cannot be asked"))
        authority.isDown.withLock { $0 = false }
        #expect(await reviews.review(Self.look) == .allowed)
    }

    @Test func `a token of unreasonable length is nobody's, and nobody is asked`() async {
        let long = TokenReviews.Question(token: String(repeating: "x", count: 20_000), verb: "get", path: "/")
        #expect(await reviews.review(long) == .unknown)
        #expect(authority.count == 0)
    }

    @Test func `however many tokens are tried, the answers that are kept are bounded`() async {
        let reviews = reviews
        for number in 0..<3000 {
            _ = await reviews.review(TokenReviews.Question(token: "\(number)", verb: "get", path: "/"))
        }
        #expect(authority.count == 3000)
        #expect(await reviews.review(Self.look) == .allowed)
    }

    // MARK: - Through the server

    @Test func `whoever the authority lets may look, and nobody else`() async throws {
        try await withServer(.fixed(), reviews: reviews) { port in
            let anonymous = try await TestClient.request("GET", "/api/v1/status", port: port)
            #expect(anonymous.status == 401 && anonymous.fields["www-authenticate"]?.hasPrefix("Bearer") == true)
            func status(_ token: String, _ method: String, _ path: String) async throws -> Int {
                let fields = ["Authorization": "Bearer \(token)"]
                return try await TestClient.request(method, path, port: port, fields: fields).status
            }
            #expect(try await status("bad", "GET", "/metrics") == 401)
            #expect(try await status("good", "GET", "/metrics") == 200)
            #expect(try await status("good", "GET", "/api/v1/status") == 200)
            #expect(try await status("good", "POST", "/-/reload") == 403)
            #expect(try await TestClient.request("GET", "/healthz", port: port).status == 200)
        }
        #expect(authority.asked.withLock { $0.contains { $0.path == "/api/v1/status" && $0.verb == "get" } })
    }

    @Test func `while the authority is away the endpoints say so`() async throws {
        authority.isDown.withLock { $0 = true }
        try await withServer(.fixed(), reviews: reviews) { port in
            let fields = ["Authorization": "Bearer good"]
            let answer = try await TestClient.request("GET", "/api/v1/status", port: port, fields: fields)
            #expect(answer.status == 503 && answer.text.contains("cannot be asked"))
        }
    }
}
