// Wingmirror · Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL
import Synchronization

/// Sends requests to an API server over HTTP/1.1 or HTTP/2, with credentials that are read again as they are renewed.
package final class HTTPTransport: APITransport {
    private let access: ClusterAccess
    private let token: RenewedFile?
    private let authority: RenewedFile?
    private let state: Mutex<State>

    /// A client, which closes its connections when nobody uses it any more: neither the transport nor an answer.
    private final class Client: Sendable {
        let http: HTTPClient
        let authority: [UInt8]

        init(_ http: HTTPClient, authority: [UInt8]) {
            self.http = http
            self.authority = authority
        }

        deinit { http.shutdown { _ in } }
    }

    private struct State {
        var client: Client?
    }

    /// Prepares to reach a server; no connection is made before the first request.
    ///
    /// - Parameters:
    ///   - access: Where the server is, and the credentials.
    ///   - now: Nanoseconds since the Unix epoch.
    package init(_ access: ClusterAccess, now: @escaping @Sendable () -> Int64) {
        self.access = access
        token = access.tokenFile.isEmpty ? nil : RenewedFile(access.tokenFile, now: now)
        authority = access.authorityFile.isEmpty ? nil : RenewedFile(access.authorityFile, now: now)
        state = Mutex(State())
    }

    /// Sends a request and returns when the head of the answer has come.
    package func send(_ request: APIRequest) async throws -> APIAnswer {
        let client = try await client()
        do {
            // The time is over once the head has come.
            let response = try await client.http.execute(
                try await message(request),
                deadline: .now() + TimeAmount(request.headLimit)
            )
            // The client stays open as long as somebody holds the answer.
            let body = response.body.map { part in
                withExtendedLifetime(client) { [UInt8](buffer: part) }
            }
            return APIAnswer(
                status: Int(response.status.code),
                retryAfter: response.headers.first(name: "retry-after").flatMap { Int($0) },
                body: body
            )
        } catch {
            let failure = Self.failure(error)
            if failure == .timedOut { giveUp(client) }
            throw failure
        }
    }

    /// Sends later requests over new connections, as those of now may lead nowhere; what is under way on them goes on.
    package func timedOut() {
        guard let client = state.withLock({ $0.client }) else { return }
        giveUp(client)
    }

    private func giveUp(_ client: Client) {
        state.withLock { state in
            if state.client === client { state.client = nil }
        }
        withExtendedLifetime(client) {}
    }

    /// Reads the token again; returns whether another is there to be tried.
    package func credentialsRefused() async -> Bool {
        await token?.reread() ?? false
    }

    /// Closes the connections once no request is under way; a later request would open others.
    package func close() {
        // Given up outside of the lock, as it may be the last use.
        let client = state.withLock { state in
            defer { state.client = nil }
            return state.client
        }
        withExtendedLifetime(client) {}
    }

    private func message(_ request: APIRequest) async throws(APIFailure) -> HTTPClientRequest {
        var message = HTTPClientRequest(url: access.server + request.target)
        message.headers.add(name: "User-Agent", value: access.userAgent)
        message.headers.add(name: "Accept", value: request.accept)
        if request.acceptsGzip { message.headers.add(name: "Accept-Encoding", value: "gzip") }
        if let content = request.content {
            message.method = .POST
            message.headers.add(name: "Content-Type", value: "application/json")
            message.body = .bytes(content)
        }
        if let token = try await currentToken() { message.headers.add(name: "Authorization", value: "Bearer \(token)") }
        return message
    }

    private func currentToken() async throws(APIFailure) -> String? {
        guard let token else { return access.token.isEmpty ? nil : access.token }
        let text = String(decoding: try await token.content(), as: UTF8.self)
        return String(text.split(whereSeparator: \.isWhitespace).first ?? "")
    }

    // MARK: - The client

    /// The client for the authorities of now.
    private func client() async throws(APIFailure) -> Client {
        let authorities = try await authority?.content() ?? access.authority
        let known = state.withLock { $0.client }
        if let known, known.authority == authorities { return known }
        let fresh: Client
        do throws(APIFailure) {
            fresh = Client(try makeClient(authorities), authority: authorities)
        } catch {
            // A bundle that cannot be read is no reason to stop: the connections of before go on.
            guard let known else { throw error }
            return known
        }
        // Others that found none may have made one meanwhile, which is then everybody's.
        let (chosen, replaced) = state.withLock { state -> (Client, Client?) in
            if let present = state.client, present.authority == authorities { return (present, nil) }
            defer { state.client = fresh }
            return (fresh, state.client)
        }
        withExtendedLifetime((replaced, fresh)) {}
        return chosen
    }

    private func makeClient(_ authorities: [UInt8]) throws(APIFailure) -> HTTPClient {
        let isSecured = access.server.lowercased().hasPrefix("https:")
        let tls = isSecured ? try tlsConfiguration(authorities) : .makeClientConfiguration()
        // Watches of many kinds are open at once.
        var pool = HTTPClient.Configuration.ConnectionPool(
            idleTimeout: .seconds(30),
            concurrentHTTP1ConnectionsPerHostSoftLimit: 64
        )
        pool.retryConnectionEstablishment = false
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10)),
            connectionPool: pool,
            decompression: .enabled(limit: .size(1 << 30))
        )
        configuration.httpVersion = .automatic
        configuration.http1_1ConnectionDebugInitializer = Self.keepAlive
        configuration.http2ConnectionDebugInitializer = Self.keepAlive
        return HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: configuration
        )
    }

    /// Has the kernel find out within half a minute that the other end of a connection is gone: a watch sends nothing itself, and a
    /// server that has lost its power says nothing.
    private static func keepAlive(_ channel: any Channel) -> EventLoopFuture<Void> {
        // tcp(7): TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT in seconds, TCP_USER_TIMEOUT in milliseconds.
        let options: [(CInt, Int)] = [(4, 15), (5, 5), (6, 3), (18, 30_000)]
        let settings = options.map { name, value in
            channel.setOption(
                ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: name)),
                value: value
            )
        }
        let switched = channel.setOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
        // A connection of another kind, as through a proxy's TLS, goes on without.
        return EventLoopFuture.andAllComplete(settings + [switched], on: channel.eventLoop)
    }

    /// Whom to trust, and what to prove oneself with.
    private func tlsConfiguration(_ authorities: [UInt8]) throws(APIFailure) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        do {
            if !authorities.isEmpty {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authorities))
            }
            if !access.clientCertificate.isEmpty {
                tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(access.clientCertificate).map {
                    .certificate($0)
                }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: access.clientKey, format: .pem))
            }
        } catch {
            throw .credentials("the certificates cannot be read: \(error)")
        }
        return tls
    }

    // MARK: - Connections that are no requests

    /// What it takes to make a connection to the API server that becomes something else than HTTP.
    struct Entry: Sendable {
        /// Where the server listens.
        let host: String
        /// On which port.
        let port: Int
        /// Whom to trust; `nil` for no TLS.
        let tls: TLSConfiguration?
        /// What is before every path.
        let prefix: String
        /// The bearer token.
        let token: String?
        /// Who asks.
        let userAgent: String

        /// The name in the server's certificate; `nil` for an address.
        var serverName: String? { (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil }

        /// What a Host field says.
        var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
    }

    /// What it takes to make a connection of one's own, with the credentials of now.
    func entry() async throws(APIFailure) -> Entry {
        guard let url = URL(string: access.server), let host = url.host() else {
            throw .connection("\(access.server) is no URL of a server")
        }
        let isSecured = url.scheme == "https"
        let authorities = isSecured ? try await authority?.content() ?? access.authority : []
        return Entry(
            host: host.filter { $0 != "[" && $0 != "]" },
            port: url.port ?? (isSecured ? 443 : 80),
            tls: isSecured ? try tlsConfiguration(authorities) : nil,
            prefix: url.path().hasSuffix("/") ? String(url.path().dropLast()) : url.path(),
            token: try await currentToken(),
            userAgent: access.userAgent
        )
    }

    // MARK: - Failures

    private static func failure(_ error: any Error) -> APIFailure {
        switch error {
        case let failure as APIFailure: failure
        case let error as HTTPClientError where error == .deadlineExceeded: .timedOut
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: .tls("\(error)")
        default: .connection("\(error)")
        }
    }
}
