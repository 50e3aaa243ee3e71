// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import AsyncHTTPClient
import Glibc
import JSONSyntax
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a running agent for documents of its JSON API.
struct AgentClient: Sendable {
    /// How long an answer may take.
    private static let patience: TimeAmount = .seconds(5)
    /// The most octets of an answer; a list of 20,000 routes takes some 20 MiB.
    private static let answerLimit = 128 << 20

    /// Where the agent listens.
    let agent: ServerURL
    private let token: String?
    private let client: HTTPClient

    /// Makes a client that has asked nothing.
    ///
    /// - Parameters:
    ///   - agent: Where the agent listens.
    ///   - token: The bearer token that it asks for, if it does.
    init(_ agent: ServerURL, token: String?) {
        self.agent = agent
        self.token = token
        var configuration = HTTPClient.Configuration()
        // A token is for this agent, not for wherever it might point to.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: Self.patience, read: Self.patience)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes the connections.
    func close() async {
        // Nothing is under way that its end could be lost to.
        try? await client.shutdown()
    }

    /// Why an agent gave no answer.
    struct Refusal: Error {
        /// The reason, to follow the agent's address.
        let reason: String

        /// What ends a command that needed the answer.
        func failure(of agent: ServerURL) -> CommandFailure {
            CommandFailure(.failed, "\(agent): \(reason)")
        }
    }

    /// Asks for a document.
    func ask(_ path: String) async throws(Refusal) -> JSONValue {
        var request = HTTPClientRequest(url: agent.description + path)
        request.headers.add(name: "accept", value: "application/json")
        if let token {
            request.headers.add(name: "authorization", value: "Bearer \(token)")
        }
        let status: HTTPResponseStatus
        let octets: [UInt8]
        do {
            let response = try await client.execute(request, timeout: Self.patience)
            status = response.status
            octets = Array((try await response.body.collect(upTo: Self.answerLimit)).readableBytesView)
        } catch {
            throw Refusal(reason: Self.reason(error))
        }
        guard status == .ok else { throw Refusal(reason: Self.reason(status, octets)) }
        do throws(DocumentError) {
            return try JSONDocument.parse(octets)
        } catch {
            throw Refusal(reason: "\(path) is no JSON: \(error)")
        }
    }

    private static func reason(_ status: HTTPResponseStatus, _ body: [UInt8]) -> String {
        switch status {
        case .unauthorized: "the agent asks for a token; name its file with --token-file"
        case .notFound: "there is no such answer; is it an agent, and as new as this program?"
        default:
            "\(status.code): "
                + String(decoding: body.prefix(200), as: UTF8.self)
                .split(whereSeparator: \.isNewline).joined(separator: " ").withVisibleControls
        }
    }

    private static func reason(errorNumber: Int32) -> String {
        guard errorNumber == ECONNREFUSED else { return FileContents.systemMessage(errorNumber) }
        return "no agent answers there; start one with `wingmirror run`, or name it with --agent"
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError {
            return switch error {
            case .connectTimeout, .deadlineExceeded, .readTimeout: "no answer within 5 seconds"
            case .remoteConnectionClosed: "the connection was closed"
            default: "\(error.shortDescription)"
            }
        }
        if let error = error as? IOError { return reason(errorNumber: error.errnoCode) }
        if let error = error as? NIOConnectionError, let first = error.connectionErrors.first?.error as? IOError {
            return reason(errorNumber: first.errnoCode)
        }
        return "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
