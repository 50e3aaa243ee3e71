// Wingmirror · Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import JSONSyntax
import NIOCore
import NIOHTTP1
import Synchronization

/// The figures of a running agent, asked of its API.
final class AgentTopSource: TopSource {
    /// How long an answer may take.
    private static let patience: TimeAmount = .seconds(5)
    /// The most octets of an answer; a list of 20,000 routes takes some 20 MiB.
    private static let answerLimit = 128 << 20

    private let agent: ServerURL
    private let token: String?
    private let window: Duration
    private let client: HTTPClient
    private let latest: Mutex<TopFrame>

    /// Makes a source that has asked nothing.
    ///
    /// - Parameters:
    ///   - agent: Where the agent listens.
    ///   - token: The bearer token that it asks for, if it does.
    ///   - window: How far back the figures of a row go.
    init(_ agent: ServerURL, token: String?, window: Duration) {
        self.agent = agent
        self.token = token
        self.window = window
        var configuration = HTTPClient.Configuration()
        // A token is for this agent, not for wherever it might point to.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: Self.patience, read: Self.patience)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        latest = Mutex(TopFrame(source: agent.description))
    }

    /// Closes the connections.
    func close() async {
        // Nothing is under way that its end could be lost to.
        try? await client.shutdown()
    }

    /// Why an agent gave no figures.
    struct Refusal: Error {
        let reason: String
    }

    func frame() async -> TopFrame {
        do throws(Refusal) {
            let routes = try await ask("/api/v1/routes?window=\(window.text)")
            let status = try await ask("/api/v1/status")
            let frame = TopFrame(source: agent.description, routes: routes, status: status)
            latest.withLock { $0 = frame }
            return frame
        } catch {
            var frame = latest.withLock { $0 }
            let since = frame.time.map { "; these are the figures of \($0)" } ?? ""
            frame.problem = "\(agent): \(error.reason)\(since)"
            return frame
        }
    }

    func detail(of id: String) async -> TopDetail {
        do throws(Refusal) {
            // The id came from the agent; as it goes into an address, only what an id is made of is taken.
            guard id.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }) else {
                throw Refusal(reason: "the route has an id that is none")
            }
            return TopDetail(id: id, try await ask("/api/v1/routes?route=\(id)&window=10m"))
        } catch {
            return TopDetail(id: id, problem: "\(agent): \(error.reason)")
        }
    }

    /// Asks for a document.
    private func ask(_ path: String) async throws(Refusal) -> JSONValue {
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

    private static func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError {
            return switch error {
            case .connectTimeout, .deadlineExceeded, .readTimeout: "no answer within 5 seconds"
            case .remoteConnectionClosed: "the connection was closed"
            default: "\(error.shortDescription)"
            }
        }
        if let error = error as? IOError { return FileContents.systemMessage(error.errnoCode) }
        return "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

extension WallClock {
    /// The time that a text names as RFC 3339 has it, to a microsecond; `nil` for anything else.
    static func nanoseconds(text: String) -> Int64? {
        guard let date = try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text) else { return nil }
        return Int64((date.timeIntervalSince1970 * 1e6).rounded()) * 1000
    }
}
