// Wingmirror · Apache-2.0

import JSONSyntax
import Synchronization
import Testing

@testable import KubernetesObjects

/// Whose a token is, and whether they may: asked of a server that is played.
@Suite(.timeLimit(.minutes(20)))
struct AccessReviewerTests {
    /// Answers by the path, and keeps what it was sent.
    private final class Server: APITransport {
        let sent = Mutex<[(target: String, content: JSONValue)]>([])
        private let answers: [String: (status: Int, text: String)]
        let renewals = Mutex(0)

        init(_ answers: [String: (status: Int, text: String)]) { self.answers = answers }

        func send(_ request: APIRequest) async throws -> APIAnswer {
            let content = try JSONDocument.parse(request.content ?? [])
            sent.withLock { $0.append((request.target, content)) }
            guard let kind = content["kind"]?.stringValue, let answer = answers[kind] else {
                throw APIFailure.connection("refused")
            }
            let body = AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.yield(Array(answer.text.utf8))
                continuation.finish()
            }
            return APIAnswer(status: answer.status, retryAfter: nil, body: body)
        }

        func credentialsRefused() async -> Bool {
            renewals.withLock { renewals in
                renewals += 1
                return renewals == 1
            }
        }
    }

    private static let known = """
        {"kind": "TokenReview", "status": {"authenticated": true, "user": {"username": "ana", "uid": "7", \
        "groups": ["operators", "system:authenticated"], "extra": {"scope": ["a"]}}}}
        """

    @Test func `somebody who may is let in, asked for with name, groups and what else is known of them`() async {
        let server = Server([
            "TokenReview": (201, Self.known), "SubjectAccessReview": (201, #"{"status": {"allowed": true}}"#),
        ])
        let outcome = await AccessReviewer(server).review(token: "t", verb: "get", path: "/api/v1/status")
        #expect(outcome == .allowed)
        let sent = server.sent.withLock { $0 }
        #expect(
            sent.map(\.target) == [
                "/apis/authentication.k8s.io/v1/tokenreviews", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            ]
        )
        #expect(sent.first?.content["spec"]?["token"]?.stringValue == "t")
        let spec = sent.last?.content["spec"]
        #expect(spec?["user"] == "ana" && spec?["uid"] == "7" && spec?["groups"]?.arrayValue?.count == 2)
        #expect(spec?["extra"]?["scope"] == ["a"])
        #expect(spec?["nonResourceAttributes"] == ["path": "/api/v1/status", "verb": "get"])
    }

    @Test func `somebody who may not is told why`() async {
        let server = Server([
            "TokenReview": (200, Self.known),
            "SubjectAccessReview": (200, #"{"status": {"allowed": false, "reason": "no rule"}}"#),
        ])
        let outcome = await AccessReviewer(server).review(token: "t", verb: "post", path: "/-/reload")
        #expect(outcome == .denied(user: "ana", reason: "no rule"))
    }

    @Test(arguments: [#"{"status": {"authenticated": false}}"#, #"{"status": {}}"#, "{}", #"{"status": null}"#])
    func `a token that is nobody's is unknown, and no right is asked for`(answer: String) async {
        let server = Server(["TokenReview": (201, answer)])
        #expect(await AccessReviewer(server).review(token: "t", verb: "get", path: "/") == .unknown)
        #expect(server.sent.withLock { $0.count } == 1)
    }

    @Test(arguments: [(403, "may not create"), (500, "answers 500"), (200, "cannot be asked")])
    func `a server that gives no answer lets nobody in, and the reason names what is missing`(
        status: Int,
        words: String
    ) async {
        let server = Server(["TokenReview": (status, status == 200 ? "no JSON" : "{}")])
        let outcome = await AccessReviewer(server).review(token: "t", verb: "get", path: "/")
        guard case .unavailable(let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains(words))
    }

    @Test func `the agent's own token is read again when it is refused, once`() async {
        let server = Server(["TokenReview": (401, "{}")])
        _ = await AccessReviewer(server).review(token: "t", verb: "get", path: "/")
        #expect(server.sent.withLock { $0.count } == 2)
        #expect(server.renewals.withLock { $0 } == 1)
    }
}
