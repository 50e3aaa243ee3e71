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
            if number % 50 == 0 { clock.advance(.seconds(1)) }
            _ = await reviews.review(TokenReviews.Question(token: "\(number)", verb: "get", path: "/"))
        }
        clock.advance(.seconds(1))
        #expect(authority.count == 3000)
        #expect(await reviews.review(Self.look) == .allowed)
    }

    @Test func `made-up tokens never take what a known one was granted`() async {
        let reviews = reviews
        #expect(await reviews.review(Self.look) == .allowed)
        for number in 0..<1400 {
            if number % 50 == 0 { clock.advance(.seconds(1)) }
            _ = await reviews.review(Self.question(number), from: Self.peer(UInt64(number)))
        }
        let asked = authority.asked.withLock { $0.count { $0.token == "good" } }
        #expect(await reviews.review(Self.look) == .allowed)
        #expect(asked == 1)
    }

    @Test func `a grant is renewed before its end, and counts while the authority thinks`() async throws {
        let reviews = reviews
        #expect(await reviews.review(Self.look) == .allowed)
        clock.advance(.seconds(31))
        #expect(await reviews.review(Self.look) == .allowed)
        try await until { authority.count == 2 }
        clock.advance(.seconds(28))
        #expect(await reviews.review(Self.look) == .allowed)
        #expect(authority.count == 2)
        // One that gets no answer ends when it was to end.
        authority.isDown.withLock { $0 = true }
        clock.advance(.seconds(31))
        #expect(await reviews.review(Self.look) == .allowed)
        clock.advance(.seconds(5))
        #expect(await reviews.review(Self.look) == .unavailable("the API server cannot be asked"))
    }

    @Test func `questions about made-up tokens leave a known token its place, and other peers theirs`() async throws {
        let gate = Gate()
        let reviews = TokenReviews(
            ask: { [authority] question in
                if question.token.hasPrefix("made up") { await gate.passed() }
                return authority.review(question)
            },
            now: { [clock] in clock.now }
        )
        #expect(await reviews.review(Self.look) == .allowed)
        clock.advance(.seconds(61))
        try await withThrowingTaskGroup(of: TokenReview.self) { group in
            for number in 0..<24 {
                group.addTask { await reviews.review(Self.question(number), from: Self.peer(1)) }
            }
            // All but two of one peer are refused at once.
            for _ in 0..<22 {
                let review = try await group.next()
                #expect(review == .unavailable("too many credentials are being looked at"))
            }
            for number in 24..<48 {
                group.addTask { await reviews.review(Self.question(number), from: Self.peer(UInt64(number))) }
            }
            for _ in 0..<14 { _ = try await group.next() }
            #expect(await reviews.review(Self.look) == .allowed)
            gate.open()
            try await group.waitForAll()
        }
    }

    @Test func `strangers begin a bounded number of questions a second`() async {
        let reviews = reviews
        for number in 0..<200 { _ = await reviews.review(Self.question(number), from: Self.peer(UInt64(number))) }
        #expect(authority.count == 50)
        clock.advance(.seconds(1))
        #expect(await reviews.review(Self.look) == .allowed)
    }

    private static func question(_ number: Int) -> TokenReviews.Question {
        TokenReviews.Question(token: "made up \(number)", verb: "get", path: "/metrics")
    }

    private static func peer(_ number: UInt64) -> ConnectionPlaces.Peer { .other(network: 1, host: number) }

    private func until(_ isTrue: () -> Bool) async throws {
        while !isTrue() { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// Holds who passes until it is opened.
    private final class Gate: Sendable {
        private let isOpen = Mutex(false)

        func open() { isOpen.withLock { $0 = true } }

        func passed() async {
            while !isOpen.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
        }
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
