// Wingmirror · Apache-2.0

import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle

/// The listener on which metrics, health and control are served, and a second one where scrapers have theirs.
///
/// It runs until its service group shuts down gracefully: then it accepts no more connections, answers the requests in
/// progress and ends. Everything it shows comes from `AdminSources`.
public struct AdminServer: Service {
    /// An address to listen on.
    public struct Address: Sendable, Hashable {
        /// The address or name.
        public var host: String
        /// The port; 0 lets the system choose.
        public var port: Int
        /// Whether scrapers and probes alone are answered there: metrics and health, and nothing else.
        public var isForScrapers: Bool

        /// Makes an address.
        public init(host: String, port: Int, isForScrapers: Bool = false) {
            self.host = host
            self.port = port
            self.isForScrapers = isForScrapers
        }

        /// All addresses of the older family, where those of both were meant and the system has no newer one.
        ///
        /// - Parameter code: What kept the socket from being made, as `errno` says it.
        /// - Returns: The address to listen on instead; `nil` if there is none.
        func replacement(after code: CInt) -> Address? {
            // EAFNOSUPPORT, as the kernel answers when it was started with ipv6.disable=1.
            guard host == "::", code == EAFNOSUPPORT else { return nil }
            return Address(host: "0.0.0.0", port: port, isForScrapers: isForScrapers)
        }
    }

    private let addresses: [Address]
    private let sources: AdminSources
    private let credentials: @Sendable () -> AdminCredentials
    private let certificate: AdminCertificate?
    private let reviews: TokenReviews?
    private let limits: AdminLimits
    private let logger: Logger
    private let listening: @Sendable (Int) async -> Void

    /// Makes a server that is not listening yet.
    ///
    /// - Parameters:
    ///   - addresses: Where to listen.
    ///   - sources: What is shown.
    ///   - credentials: The credentials in force, asked at each request so that a reload can change them.
    ///   - certificate: What connections are secured with; `nil` for plain HTTP.
    ///   - reviews: Says of tokens that are no credentials what their owners may; `nil` where no authority is asked.
    ///   - limits: Bounds on what peers can do.
    ///   - logger: Where the server logs.
    ///   - listening: Called with the port once connections are accepted; for each address.
    public init(
        _ addresses: [Address],
        sources: AdminSources,
        credentials: @escaping @Sendable () -> AdminCredentials = { .none },
        certificate: AdminCertificate? = nil,
        reviews: TokenReviews? = nil,
        limits: AdminLimits = AdminLimits(),
        logger: Logger,
        listening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.addresses = addresses
        self.sources = sources
        self.credentials = credentials
        self.certificate = certificate
        self.reviews = reviews
        self.limits = limits
        self.logger = logger
        self.listening = listening
    }

    /// Listens and serves until shut down.
    ///
    /// - Throws: `AdminServerError` when an address cannot be listened on.
    public func run() async throws {
        let shared = SharedResponses(limits: limits)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                await shared.documentThread.perform {
                    await shared.events.run(every: limits.eventInterval, sources.changes)
                }
            }
            defer { tasks.cancelAll() }
            try await withThrowingTaskGroup(of: Void.self) { listeners in
                for address in addresses { listeners.addTask { try await serve(address, shared) } }
                try await listeners.waitForAll()
            }
        }
    }

    private func serve(_ address: Address, _ shared: SharedResponses) async throws {
        let credentials = credentials
        let listening = listening
        let application = Application(
            responder: AdminResponder(
                sources: sources,
                limits: limits,
                shared: shared,
                isForScrapers: address.isForScrapers,
                reviews: reviews
            ) { [asksAboutTokens = reviews != nil] in
                AdminAccess(credentials: credentials(), asksAboutTokens: asksAboutTokens)
            },
            server: protocols(shared.places),
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? 0) },
            logger: logger
        )
        do {
            try await application.run()
        } catch let error as IOError {
            if let replacement = address.replacement(after: error.errnoCode) {
                logger.notice(
                    "this machine has no IPv6, listening on its IPv4 addresses only",
                    metadata: ["address": "\(replacement.host):\(replacement.port)"]
                )
                return try await serve(replacement, shared)
            }
            throw AdminServerError(address, code: error.errnoCode)
        } catch let error as SocketAddressError {
            throw AdminServerError(address, reason: "\(error)")
        } catch let error as SocketAddressError.UnknownHost {
            throw AdminServerError(address, reason: "the name has no address: \(error.errorDescription)")
        }
    }

    /// What is spoken on a connection: HTTP/1.1, inside TLS where there is a certificate.
    private func protocols(_ places: ConnectionPlaces) -> HTTPServerBuilder {
        let configuration = channelConfiguration(places)
        guard let certificate else { return .http1(configuration: configuration) }
        return HTTPServerBuilder { responder in
            SecuredChannel(
                base: HTTP1Channel(responder: responder, configuration: configuration),
                certificate: certificate
            )
        }
    }

    private func channelConfiguration(_ places: ConnectionPlaces) -> HTTP1Channel.Configuration {
        let limits = limits
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(limits: limits, places: places)],
            idleTimeout: TimeAmount(limits.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.fieldSectionBytes,
                maxHeaderListSize: limits.fieldSectionBytes,
                maxHeaderFieldCount: limits.fieldCount
            )
        )
    }
}
