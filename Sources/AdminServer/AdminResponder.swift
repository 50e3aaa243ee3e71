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
    private let events: EventBoard

    init(
        sources: AdminSources,
        limits: AdminLimits,
        events: EventBoard,
        access: @escaping @Sendable () -> AdminAccess
    ) {
        self.sources = sources
        self.limits = limits
        self.access = access
        self.events = events
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
        if request.method == .post, let reason = AdminAccess.reasonToRefuse(request.headers, of: request.head.authority)
        {
            return .text(.forbidden, reason)
        }
        if let subject = endpoint.subject {
            return await answer(request, about: subject)
        }
        let wantsGzip = ContentCoding.acceptsGzip(request.headers[.acceptEncoding])
        switch endpoint {
        case .page: return .page(WebPage(nonce: WebPage.nonce()), compressed: wantsGzip)
        case .metrics: return await scrape(request, sources.exposition)
        case .istioMetrics: return await scrapeIstio(request)
        case .health: return .probe(sources.health())
        case .readiness: return .probe(sources.readiness())
        case .status: return .json(await sources.status(), compressed: wantsGzip)
        case .configuration: return .json(await sources.configuration(), compressed: wantsGzip)
        case .events: return listen()
        case .reload: return .reload(await sources.reload())
        case .mirrorPause: return await pauseMirror(true)
        case .mirrorResume: return await pauseMirror(false)
        case .mirrorJudgeAgain: return await judgeAgain(request)
        case .routes, .exchanges, .explain, .unmatched, .findings, .mirror:
            preconditionFailure("AdminResponder.answer: \(endpoint.rawValue) is a question of the API")
        }
    }

    // MARK: - The JSON API

    private func answer(_ request: Request, about subject: AdminQuestion.Subject) async -> Response {
        let parameters = request.uri.queryParameters.map {
            AdminQuestion.Parameter(name: String($0.key), value: String($0.value))
        }
        var question = AdminQuestion(subject, parameters: parameters)
        if request.method == .post {
            guard let content = try? await request.body.collect(upTo: limits.contentBytes) else {
                return .text(.contentTooLarge, "the content has more than \(limits.contentBytes) bytes")
            }
            question.content = Array(content.readableBytesView)
        }
        switch await sources.answer(question) {
        case .document(let octets):
            return .json(octets, compressed: ContentCoding.acceptsGzip(request.headers[.acceptEncoding]))
        case .refused(let reason): return .text(.badRequest, reason)
        case .missing(let reason): return .text(.notFound, reason)
        }
    }

    private func listen() -> Response {
        guard let listener = events.listen() else {
            var response = Response.text(.serviceUnavailable, "\(limits.listeners) pages are open already")
            response.headers[.retryAfter] = "10"
            return response
        }
        return EventStream(listener: listener).response
    }

    private func pauseMirror(_ isPaused: Bool) async -> Response {
        guard let pauseMirror = sources.pauseMirror else {
            return .text(.notFound, "mirroring is off (mirror.enabled)")
        }
        return .text(.ok, await pauseMirror(isPaused))
    }

    private func judgeAgain(_ request: Request) async -> Response {
        guard let judgeAgain = sources.judgeAgain else {
            return .text(.notFound, "mirroring is off (mirror.enabled)")
        }
        let policy = request.uri.queryParameters.first { $0.key == "policy" }.map { String($0.value) }
        switch await judgeAgain(policy) {
        case .document(let octets): return .text(.ok, String(decoding: octets, as: UTF8.self))
        case .refused(let reason): return .text(.badRequest, reason)
        case .missing(let reason): return .text(.notFound, reason)
        }
    }

    // MARK: - Scrapes

    private func scrapeIstio(_ request: Request) async -> Response {
        guard let exposition = sources.istioExposition else {
            return .text(.notFound, "the families that Istio's proxies also have are off (metrics.istioCompat)")
        }
        return await scrape(request, exposition)
    }

    private func scrape(
        _ request: Request,
        _ exposition: @Sendable (String?, ContinuousClock.Instant?) async -> Exposition?
    ) async -> Response {
        let deadline = deadline(of: request)
        let wantsGzip = ContentCoding.acceptsGzip(request.headers[.acceptEncoding])
        let rendered = await gate.admit { () -> (Exposition, compressed: [UInt8]?)? in
            guard let exposition = await exposition(request.headers[.accept], deadline) else { return nil }
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
