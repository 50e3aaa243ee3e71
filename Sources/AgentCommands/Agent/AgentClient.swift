// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import AsyncHTTPClient
import Glibc
import JSONSyntax
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks a running agent for documents of its JSON API.
struct AgentClient: Sendable {
    /// How long an answer may take.
    private static let patience: TimeAmount = .seconds(5)
    /// The most octets of an answer; a list of 20,000 routes takes some 20 MiB.
    static let answerLimit = 128 << 20

    /// Where the agent listens.
    let agent: ServerURL
    private let access: AgentAccess
    private let client: HTTPClient

    /// Makes a client that has asked nothing.
    ///
    /// - Parameters:
    ///   - agent: Where the agent listens.
    ///   - access: How it is asked.
    init(_ agent: ServerURL, _ access: AgentAccess) {
        self.agent = agent
        self.access = access
        var configuration = HTTPClient.Configuration(tlsConfiguration: access.tlsConfiguration)
        // The name is asked for, and the connection is made to where the URL says.
        if let name = access.serverName { configuration.dnsOverride = [name: agent.host] }
        // A token is for this agent, not for wherever it might point to.
        configuration.redirectConfiguration = .disallow
        // An agent that is not there is reported at once; what asks again does so by itself.
        configuration.connectionPool.retryConnectionEstablishment = false
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

    /// A file, and a sentence on what is in it.
    struct File: Sendable {
        /// Its content.
        let octets: [UInt8]
        /// The sentence; empty without one.
        let note: String
    }

    /// Asks for a document.
    func ask(_ path: String) async throws(Refusal) -> JSONValue {
        try Self.document(path, try await askFile(path).octets)
    }

    /// Asks for a file.
    func askFile(_ path: String) async throws(Refusal) -> File {
        var request = HTTPClientRequest(url: "\(agent.named(access.serverName ?? agent.host))\(path)")
        // An agent that asks for no token answers whoever calls it by an address.
        request.headers.add(name: "host", value: agent.authority)
        request.headers.add(name: "accept", value: "application/json, */*;q=0.5")
        if let token = access.token {
            request.headers.add(name: "authorization", value: "Bearer \(token)")
        }
        let status: HTTPResponseStatus
        let octets: [UInt8]
        let note: String
        do {
            let response = try await client.execute(request, timeout: Self.patience)
            status = response.status
            note = response.headers.first(name: "wingmirror-note")?.withVisibleControls ?? ""
            octets = Array((try await response.body.collect(upTo: Self.answerLimit)).readableBytesView)
        } catch {
            throw Refusal(reason: reason(error))
        }
        return File(octets: try Self.content(Int(status.code), octets), note: note)
    }

    // MARK: - Answers, however they came

    /// The content of an answer.
    ///
    /// - Parameters:
    ///   - status: The status code.
    ///   - octets: What came as content.
    /// - Returns: The content of a success.
    /// - Throws: Why it is none, where the status says so.
    static func content(_ status: Int, _ octets: [UInt8]) throws(Refusal) -> [UInt8] {
        guard status == 200 else { throw Refusal(reason: reason(status, octets)) }
        return octets
    }

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - path: What was asked for.
    ///   - octets: The content.
    /// - Returns: The document.
    /// - Throws: Why it is none.
    static func document(_ path: String, _ octets: [UInt8]) throws(Refusal) -> JSONValue {
        do throws(DocumentError) {
            return try JSONDocument.parse(octets)
        } catch {
            throw Refusal(reason: "\(path) is no JSON: \(error)")
        }
    }

    /// Why TLS failed with an agent; `nil` for errors of other kinds.
    static func certificateReason(_ error: any Error) -> String? {
        guard error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError else { return nil }
        return reason(tls: line(error))
    }

    /// Why TLS failed, by the words of the library.
    static func reason(tls words: String) -> String {
        // What answered the hello is no TLS record.
        guard !words.contains("WRONG_VERSION_NUMBER") else { return "it speaks no TLS: use http://" }
        return
            "its certificate is not accepted, or it speaks no TLS: name the authority with --ca-file and the name in "
            + "the certificate with --tls-server-name (\(words))"
    }

    private static func reason(_ status: Int, _ body: [UInt8]) -> String {
        let sentence = String(decoding: body.prefix(300), as: UTF8.self)
            .split(whereSeparator: \.isNewline).joined(separator: " ").withVisibleControls
        return switch status {
        case 401: "the agent asks for a token; name its file with --token-file"
        // As Prometheus, Grafana and web servers answer.
        case 404 where sentence.hasPrefix("404") || sentence.hasPrefix("<"):
            "this is no agent (404): name the one of wingmirror run, port 9646"
        // An agent that knows the question says what it does not have; others have no such answer at all.
        case 404 where !sentence.isEmpty && !sentence.hasPrefix("not found"): sentence
        case 404: "there is no such answer; is it an agent, and as new as this program?"
        default: "\(status): \(sentence)"
        }
    }

    private static func reason(errorNumber: Int32) -> String {
        guard errorNumber == ECONNREFUSED else { return FileContents.systemMessage(errorNumber) }
        return "no agent answers there; start one with `wingmirror run`, or name it with --agent"
    }

    /// Why a host's name led nowhere, by the number and the words of getaddrinfo(3).
    static func reason(lookup errorCode: Int, _ words: String) -> String {
        errorCode == Int(EAI_AGAIN)
            ? "the host cannot be looked up now: \(words)" : "no such host; check the name in --agent"
    }

    private func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError {
            return switch error {
            case .connectTimeout, .deadlineExceeded, .readTimeout: "no answer within 5 seconds"
            case .remoteConnectionClosed where !agent.usesTLS:
                "the connection was closed; if the agent has a certificate (admin.tls), write https://"
            case .remoteConnectionClosed: "the connection was closed"
            default: "\(error.shortDescription)"
            }
        }
        if let reason = Self.certificateReason(error) { return reason }
        if let error = error as? IOError { return Self.reason(errorNumber: error.errnoCode) }
        if let error = error as? NIOConnectionError,
            let unknown = (error.dnsAError ?? error.dnsAAAAError) as? SocketAddressError.UnknownHost
        {
            return Self.reason(lookup: unknown.errorCode, unknown.errorDescription)
        }
        if let error = error as? NIOConnectionError, let first = error.connectionErrors.first?.error as? IOError {
            return Self.reason(errorNumber: first.errnoCode)
        }
        return Self.line(error)
    }

    /// What an error says of itself, in one line.
    static func line(_ error: any Error) -> String {
        "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
