// Wingmirror · Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// What a request needs to know of its connection.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The peer's address, without port.
    let peerAddress: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peerAddress = source.channel.remoteAddress?.ipAddress
    }
}

/// Answers requests to the endpoints.
struct AdminResponder: HTTPResponder {
    typealias Context = AdminContext

    private let sources: AdminSources
    private let limits: AdminLimits
    private let access: @Sendable () -> AdminAccess
    private let gate: ScrapeGate

    init(sources: AdminSources, limits: AdminLimits, access: @escaping @Sendable () -> AdminAccess) {
        self.sources = sources
        self.limits = limits
        self.access = access
        gate = ScrapeGate(limit: limits.scrapes)
    }

    func respond(to request: Request, context: AdminContext) async -> Response {
        guard let endpoint = AdminEndpoint(rawValue: request.uri.path) else {
            let known = AdminEndpoint.allCases.map(\.rawValue).joined(separator: " ")
            return .text(.notFound, "not found; there is \(known)")
        }
        guard endpoint.methods.contains(request.method) else {
            let allowed = endpoint.methods.map(\.rawValue).joined(separator: ", ")
            var response = Response.text(.methodNotAllowed, "use \(allowed)")
            response.headers[.allow] = allowed
            return response
        }
        let response = await admitted(request, to: endpoint, context)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func admitted(_ request: Request, to endpoint: AdminEndpoint, _ context: AdminContext) async -> Response {
        let access = access()
        let peer = AdminAccess.Peer(
            address: context.peerAddress,
            authorization: request.headers[.authorization],
            authority: request.head.authority
        )
        switch access.decide(endpoint.exposure, for: peer) {
        case .forbidden(let reason):
            return .text(.forbidden, reason)
        case .unauthenticated:
            var response = Response.text(.unauthorized, "credentials are needed")
            response.headers[values: .wwwAuthenticate] = access.credentials.challenges
            return response
        case .admitted:
            return await answer(request, to: endpoint)
        }
    }

    private func answer(_ request: Request, to endpoint: AdminEndpoint) async -> Response {
        switch endpoint {
        case .metrics: await scrape(request)
        case .health: .probe(sources.health())
        case .readiness: .probe(sources.readiness())
        case .status: .json(.ok, await sources.status())
        case .configuration: .json(.ok, await sources.configuration())
        case .reload: .reload(await sources.reload())
        }
    }

    // MARK: - Scrapes

    private func scrape(_ request: Request) async -> Response {
        let deadline = deadline(of: request)
        let wantsGzip = ContentCoding.acceptsGzip(request.headers[.acceptEncoding])
        let rendered = await gate.admit { () -> (Exposition, compressed: [UInt8]?)? in
            guard let exposition = await sources.exposition(request.headers[.accept], deadline) else { return nil }
            return (exposition, compressed: wantsGzip ? GzipEncoder.compress(exposition.octets) : nil)
        }
        guard let rendered else { return unavailable("\(limits.scrapes) scrapes are being rendered already") }
        guard let (exposition, compressed) = rendered, deadline.map({ ContinuousClock.now < $0 }) ?? true else {
            return unavailable("the metrics could not be rendered within the scraper's timeout")
        }
        sources.scrapeServed(exposition.format, 200)
        var response = Response(
            status: .ok,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: compressed ?? exposition.octets))
        )
        response.headers[.contentType] = exposition.contentType
        response.headers[.vary] = "Accept, Accept-Encoding"
        response.headers[.cacheControl] = "no-store"
        if compressed != nil {
            response.headers[.contentEncoding] = "gzip"
        }
        return response
    }

    private func unavailable(_ reason: String) -> Response {
        sources.scrapeServed("none", 503)
        var response = Response.text(.serviceUnavailable, reason)
        response.headers[.retryAfter] = "1"
        return response
    }

    /// When a scraper that says how long it waits must have its answer.
    private func deadline(of request: Request) -> ContinuousClock.Instant? {
        guard let name = HTTPField.Name("X-Prometheus-Scrape-Timeout-Seconds"),
            let seconds = request.headers[name].flatMap({ Double($0) }), seconds > 0, seconds < 86_400
        else { return nil }
        return .now + max(.seconds(seconds) - limits.scrapeMargin, .zero)
    }
}

// MARK: - Responses

extension Response {
    /// A line of text, never to be cached.
    fileprivate static func text(_ status: HTTPResponse.Status, _ line: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: line + "\n"))
        )
    }

    /// A JSON document, never to be cached.
    fileprivate static func json(_ status: HTTPResponse.Status, _ octets: [UInt8]) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: octets))
        )
    }

    fileprivate static func probe(_ probe: Probe) -> Response {
        .text(probe.isPassing ? .ok : .serviceUnavailable, probe.detail)
    }

    fileprivate static func reload(_ outcome: ReloadOutcome) -> Response {
        switch outcome {
        case .reloaded(let notes): .text(.ok, (["reloaded"] + notes).joined(separator: "\n"))
        case .rejected(let problems): .text(.badRequest, problems.joined(separator: "\n"))
        }
    }
}
