// Wingmirror · Apache-2.0

import AdminServer
import Logging
import ServiceLifecycle
import Synchronization

/// Runs a server on a port of the system's choice while `body` uses it, then shuts it down gracefully.
func withServer(
    _ sources: AdminSources,
    credentials: AdminCredentials = .none,
    certificate: AdminCertificate? = nil,
    reviews: TokenReviews? = nil,
    limits: AdminLimits = .patient,
    addresses: [AdminServer.Address]? = nil,
    _ body: @escaping @Sendable (_ port: Int) async throws -> Void
) async throws {
    let (ports, found) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = AdminServer(
        addresses ?? [AdminServer.Address(host: "127.0.0.1", port: 0)],
        sources: sources,
        credentials: { credentials },
        certificate: certificate,
        reviews: reviews,
        limits: limits,
        logger: logger,
        listening: { port in found.yield(port) }
    )
    let group = ServiceGroup(services: [server], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            // A server that does not come up ends the wait for its port as well.
            defer { found.finish() }
            try await group.run()
        }
        for await port in ports.prefix(1) {
            try await body(port)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

/// What a test saw the server ask and report.
final class Observations: Sendable {
    private let scrapes = Mutex<[String]>([])

    /// The scrapes counted so far, as `format status`.
    var counted: [String] { scrapes.withLock { $0 } }

    func scrapeServed(_ format: String, _ status: Int) {
        scrapes.withLock { $0.append("\(format) \(status)") }
    }
}

extension AdminSources {
    /// Sources that answer with fixed text.
    static func fixed(_ observations: Observations = Observations()) -> AdminSources {
        AdminSources(
            exposition: { accept, _ in
                Exposition(
                    contentType: "text/plain; version=0.0.4",
                    format: "text",
                    octets: Array("up 1 \(accept ?? "none")\n".utf8)
                )
            },
            scrapeServed: { observations.scrapeServed($0, $1) },
            health: { Probe(isPassing: true, detail: "capturing") },
            readiness: { Probe(isPassing: false, detail: "no source is open") },
            status: { Array(#"{"status":1}"#.utf8) },
            configuration: { Array(#"{"log":{}}"#.utf8) },
            reload: { .rejected(["w.yaml:1:1: log: expected a mapping", "w.yaml:2:1: colour: unknown key"]) }
        )
    }
}

extension AdminLimits {
    /// Limits with which no client is cut off for its slowness: beside other tests one may wait long for its next turn.
    static var patient: AdminLimits {
        var limits = AdminLimits()
        limits.headTimeout = .seconds(1200)
        limits.eventTimeout = .seconds(1200)
        return limits
    }
}
