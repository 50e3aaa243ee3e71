// Wingmirror · Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle

/// The one listener on which metrics, health and control are served.
///
/// It runs until its service group shuts down gracefully: then it accepts no more connections, answers the requests in
/// progress and ends. Everything it shows comes from `AdminSources`.
public struct AdminServer: Service {
    private let host: String
    private let port: Int
    private let sources: AdminSources
    private let credentials: @Sendable () -> AdminCredentials
    private let limits: AdminLimits
    private let logger: Logger
    private let listening: @Sendable (Int) async -> Void

    /// Makes a server that is not listening yet.
    ///
    /// - Parameters:
    ///   - host: The address or name to listen on.
    ///   - port: The port; 0 lets the system choose.
    ///   - sources: What is shown.
    ///   - credentials: The credentials in force, asked at each request so that a reload can change them.
    ///   - limits: Bounds on what peers can do.
    ///   - logger: Where the server logs.
    ///   - listening: Called with the port once connections are accepted.
    public init(
        host: String,
        port: Int,
        sources: AdminSources,
        credentials: @escaping @Sendable () -> AdminCredentials = { .none },
        limits: AdminLimits = AdminLimits(),
        logger: Logger,
        listening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.sources = sources
        self.credentials = credentials
        self.limits = limits
        self.logger = logger
        self.listening = listening
    }

    /// Listens and serves until shut down.
    ///
    /// - Throws: `AdminServerError` when the address cannot be listened on.
    public func run() async throws {
        let credentials = credentials
        let listening = listening
        let events = EventBoard(limit: limits.listeners)
        let application = Application(
            responder: AdminResponder(sources: sources, limits: limits, events: events) {
                AdminAccess(credentials: credentials())
            },
            server: .http1(configuration: channelConfiguration),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: .maximum(limits.connections, logger: logger)
            ),
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? 0) },
            logger: logger
        )
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await events.run(every: limits.eventInterval, sources.changes) }
                defer { tasks.cancelAll() }
                try await application.run()
            }
        } catch let error as IOError {
            throw AdminServerError(host: host, port: port, code: error.errnoCode)
        } catch let error as SocketAddressError {
            throw AdminServerError(host: host, port: port, reason: "\(error)")
        }
    }

    private var channelConfiguration: HTTP1Channel.Configuration {
        let limits = limits
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(limits: limits)],
            idleTimeout: TimeAmount(limits.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.fieldSectionBytes,
                maxHeaderListSize: limits.fieldSectionBytes,
                maxHeaderFieldCount: limits.fieldCount
            )
        )
    }
}
