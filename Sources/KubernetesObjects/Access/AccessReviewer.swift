// Wingmirror · Apache-2.0
// TokenReview of authentication.k8s.io/v1 and SubjectAccessReview of authorization.k8s.io/v1.

import JSONSyntax

/// Asks the API server whose a token is, and whether they may use a path.
///
/// As kube-rbac-proxy does: the path is a non-resource URL, the verb that of the request, so that a ClusterRole with
/// `nonResourceURLs` says who may look at the agent.
package struct AccessReviewer: Sendable {
    /// What came of it.
    package enum Outcome: Sendable, Hashable {
        /// They may.
        case allowed
        /// They may not; the user's name and the authorizer's reason.
        case denied(user: String, reason: String)
        /// The token is unknown to the cluster.
        case unknown
        /// There is no answer; why, as a sentence's end.
        case unavailable(String)
    }

    /// Where token reviews are created.
    package static let tokenReviews = "/apis/authentication.k8s.io/v1/tokenreviews"
    /// Where subject access reviews are created.
    package static let subjectAccessReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

    private let transport: any APITransport

    /// How long one question may take.
    private static let patience: Duration = .seconds(5)
    /// The most octets of an answer, which repeats the question and names the user's groups.
    private static let answerLimit = 1 << 20

    /// Asks over a transport, with the rights that it has: `create` on both kinds of reviews.
    package init(_ transport: some APITransport) { self.transport = transport }

    /// Asks about a token.
    ///
    /// - Parameters:
    ///   - token: The token, as its owner sent it.
    ///   - verb: `get` or `post`.
    ///   - path: The path.
    /// - Returns: What came of it.
    package func review(token: String, verb: String, path: String) async -> Outcome {
        do {
            let asked: JSONValue = [
                "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": ["token": .string(token)],
            ]
            let status = try await ask(Self.tokenReviews, asked)
            guard status["authenticated"]?.boolValue ?? false, let user = status["user"] else { return .unknown }
            return try await review(user, verb: verb, path: path)
        } catch {
            return .unavailable(Self.reason(error))
        }
    }

    private func review(_ user: JSONValue, verb: String, path: String) async throws -> Outcome {
        var spec: [String: JSONValue] = [
            "user": user["username"] ?? "", "groups": user["groups"] ?? [],
            "nonResourceAttributes": ["path": .string(path), "verb": .string(verb)],
        ]
        if let uid = user["uid"] { spec["uid"] = uid }
        if let extra = user["extra"] { spec["extra"] = extra }
        let asked: JSONValue = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": JSONValue(spec),
        ]
        let status = try await ask(Self.subjectAccessReviews, asked)
        if status["allowed"]?.boolValue ?? false { return .allowed }
        return .denied(
            user: user["username"]?.stringValue ?? "",
            reason: status["reason"]?.stringValue ?? status["evaluationError"]?.stringValue ?? ""
        )
    }

    /// An answer that is none.
    private struct Refusal: Error { let status: Int }

    /// Sends a review and returns its status.
    private func ask(_ target: String, _ review: JSONValue) async throws -> JSONValue {
        let request = APIRequest(target, timeLimit: Self.patience, content: review.encoded())
        return try await within(Self.patience) { try await answer(to: request, mayRepeat: true) }
    }

    private func answer(to request: APIRequest, mayRepeat: Bool) async throws -> JSONValue {
        let answer = try await transport.send(request)
        var content: [UInt8] = []
        for try await part in answer.body {
            content += part
            guard content.count <= Self.answerLimit else { throw Refusal(status: answer.status) }
        }
        if answer.status == 401, mayRepeat, await transport.credentialsRefused() {
            return try await self.answer(to: request, mayRepeat: false)
        }
        guard answer.status == 200 || answer.status == 201 else { throw Refusal(status: answer.status) }
        return try JSONDocument.parse(content)["status"] ?? [:]
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let refusal as Refusal where refusal.status == 403:
            "the agent may not create tokenreviews and subjectaccessreviews (403)"
        case let refusal as Refusal: "the API server answers \(refusal.status)"
        case APIFailure.timedOut: "the API server does not answer within 5 seconds"
        case APIFailure.tls: "the API server's certificate is not accepted"
        default: "the API server cannot be asked"
        }
    }
}
