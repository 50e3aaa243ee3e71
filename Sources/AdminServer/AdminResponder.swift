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
    /// The connection.
    let channel: any Channel
    /// Holds what the response is made of until it has been read.
    let holder = ResponseHolder()

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        peerAddress = channel.remoteAddress?.ipAddress
    }
}

/// Answers requests to the endpoints.
struct AdminResponder: HTTPResponder {
    typealias Context = AdminContext

    private let sources: AdminSources
    private let limits: AdminLimits
    private let access: @Sendable () -> AdminAccess
    private let reviews: TokenReviews?
    private let shared: SharedResponses
    private let isForScrapers: Bool

    /// Makes a responder.
    ///
    /// - Parameters:
    ///   - sources: What is shown.
    ///   - limits: Bounds on what peers can do.
    ///   - shared: What all listeners of the agent share.
    ///   - isForScrapers: Whether it answers scrapers and probes alone.
    ///   - reviews: Says of tokens what their owners may; `nil` where no authority is asked.
    ///   - access: Who may use what, asked at each request.
    init(
        sources: AdminSources,
        limits: AdminLimits,
        shared: SharedResponses,
        isForScrapers: Bool,
        reviews: TokenReviews? = nil,
        access: @escaping @Sendable () -> AdminAccess
    ) {
        self.sources = sources
        self.limits = limits
        self.access = access
        self.reviews = reviews
        self.shared = shared
        self.isForScrapers = isForScrapers
    }

    private var endpoints: [AdminEndpoint] {
        AdminEndpoint.allCases.filter { !isForScrapers || $0.isForScrapers }
    }

    func respond(to request: Request, context: AdminContext) async -> Response {
        let response = await response(to: request, context)
        shared.places.hold(context.holder, on: context.channel)
        return response
    }

    private func response(to request: Request, _ context: AdminContext) async -> Response {
        if let refusal = refusal(of: request.headers) { return refusal }
        guard let endpoint = AdminEndpoint(rawValue: request.uri.path), !isForScrapers || endpoint.isForScrapers else {
            let known = endpoints.map(\.rawValue).joined(separator: " ")
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

    /// Refuses what proxies and this server could read in different ways, and content that no endpoint takes.
    private func refusal(of fields: HTTPFields) -> Response? {
        // The first Host field became the authority; one that is left is a second one (RFC 9112 §3.2).
        if fields.contains(.host) { return .text(.badRequest, "there is more than one Host header") }
        if let coding = fields[.transferEncoding], coding.lowercased() != "chunked" {
            return .text(.notImplemented, "the transfer coding is not known; use chunked")
        }
        guard let length = fields[.contentLength].flatMap({ Int($0) }), length > limits.contentBytes else { return nil }
        return .text(.contentTooLarge, "the content has more than \(limits.contentBytes) bytes")
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
            return unauthenticated(access)
        case .undecided(let token):
            return await reviewed(token, access, request, to: endpoint, context)
        case .admitted:
            return await answer(request, to: endpoint, context)
        }
    }

    private func unauthenticated(_ access: AdminAccess) -> Response {
        var response = Response.text(.unauthorized, "credentials are needed")
        var challenges = access.credentials.challenges
        let bearer = AuthorizationField.bearerChallenge
        if access.asksAboutTokens, !challenges.contains(bearer) { challenges.append(bearer) }
        response.headers[values: .wwwAuthenticate] = challenges
        return response
    }

    /// Answers where an authority lets the owner of a token.
    private func reviewed(
        _ token: String,
        _ access: AdminAccess,
        _ request: Request,
        to endpoint: AdminEndpoint,
        _ context: AdminContext
    ) async -> Response {
        // Looking at the head alone takes the same right as reading.
        let verb = request.method == .post ? "post" : "get"
        let question = TokenReviews.Question(token: token, verb: verb, path: endpoint.rawValue)
        let asker = ConnectionPlaces.Peer(of: context.channel)
        switch await reviews?.review(question, from: asker) ?? .unknown {
        case .allowed: return await answer(request, to: endpoint, context)
        case .denied(let reason): return .text(.forbidden, reason)
        case .unknown: return unauthenticated(access)
        case .unavailable(let reason): return busy(reason)
        }
    }

    private func answer(
        _ request: Request,
        to endpoint: AdminEndpoint,
        _ context: AdminContext
    ) async -> Response {
        // An explanation changes nothing, and a page of another origin cannot read it.
        if endpoint.methods == [.post],
            let reason = AdminAccess.reasonToRefuse(request.headers, of: request.head.authority)
        {
            return .text(.forbidden, reason)
        }
        if endpoint.methods == [.post], let reason = Self.unknownParameter(request, of: endpoint) {
            return .text(.badRequest, reason)
        }
        switch endpoint {
        case .metrics: return await scrape(request, endpoint, context, sources.exposition)
        case .istioMetrics: return await scrapeIstio(request, context)
        case .health: return .probe(sources.health())
        case .readiness: return .probe(sources.readiness())
        case .events: return listen()
        case .reload: return .reload(await sources.reload())
        case .mirrorPause: return await pauseMirror(isPaused: true)
        case .mirrorResume: return await pauseMirror(isPaused: false)
        case .mirrorJudgeAgain: return await judgeAgain(request)
        case .page, .status, .configuration, .routes, .exchanges, .explain, .unmatched, .findings, .mirror, .timeline,
            .packets:
            return await shared.documentThread.perform { await document(request, of: endpoint, context) }
        }
    }

    // MARK: - Documents

    private func document(
        _ request: Request,
        of endpoint: AdminEndpoint,
        _ context: AdminContext
    ) async -> Response {
        let wantsGzip = ContentCoding.acceptsGzip(request.headers[.acceptEncoding])
        let response =
            if let subject = endpoint.subject {
                await answer(request, about: subject, compressed: wantsGzip)
            } else if endpoint == .page {
                Response.page(WebPage(nonce: WebPage.nonce()), compressed: wantsGzip)
            } else if endpoint == .status {
                Response.json(await sources.status(), compressed: wantsGzip)
            } else {
                Response.json(await sources.configuration(), compressed: wantsGzip)
            }
        guard let share = shared.documents.hold(response.body.contentLength ?? 0) else {
            return busy("documents of \(limits.documentBytes >> 20) MiB wait to be read already")
        }
        context.holder.hold(share)
        return response
    }

    private func answer(_ request: Request, about subject: AdminQuestion.Subject, compressed: Bool) async -> Response {
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
        case .document(let octets): return .json(octets, compressed: compressed)
        case .file(let file): return .file(file)
        case .refused(let reason): return .text(.badRequest, reason)
        case .missing(let reason): return .text(.notFound, reason)
        }
    }

    private func listen() -> Response {
        guard let listener = shared.events.listen() else {
            return busy("\(limits.listeners) pages are open already", retryAfter: 10)
        }
        return EventStream(listener: listener).response
    }

    // MARK: - Mirroring

    /// Not on the thread of documents, as sending must stop also while one of them takes long.
    private func pauseMirror(isPaused: Bool) async -> Response {
        .sentence(await sources.pauseMirror(isPaused))
    }

    /// What is wrong with the parameters of a request that changes something; `nil` for nothing.
    ///
    /// Without a policy all verdicts begin anew: a slip in the name of the parameter must not do so.
    private static func unknownParameter(_ request: Request, of endpoint: AdminEndpoint) -> String? {
        let parameters = request.uri.queryParameters
        guard endpoint == .mirrorJudgeAgain else {
            return parameters.first.map { "there is no parameter \"\($0.key)\"; leave it out" }
        }
        if let unknown = parameters.first(where: { $0.key != "policy" }) {
            return "there is no parameter \"\(unknown.key)\"; there is policy"
        }
        return parameters.count > 1 ? "policy: name one, or none for all" : nil
    }

    private func judgeAgain(_ request: Request) async -> Response {
        let policy = request.uri.queryParameters.first { $0.key == "policy" }.map { String($0.value) }
        return await shared.documentThread.perform { [sources] in .sentence(await sources.judgeAgain(policy)) }
    }

    // MARK: - Scrapes

    private func scrapeIstio(_ request: Request, _ context: AdminContext) async -> Response {
        guard let exposition = sources.istioExposition else {
            return .text(.notFound, "the families that Istio's proxies also have are off (metrics.istioCompat)")
        }
        return await scrape(request, .istioMetrics, context, exposition)
    }

    private func scrape(
        _ request: Request,
        _ endpoint: AdminEndpoint,
        _ context: AdminContext,
        _ exposition: @escaping @Sendable (String?, ContinuousClock.Instant?) async -> Exposition?
    ) async -> Response {
        let deadline = deadline(of: request)
        let accept = request.headers[.accept]
        let wantsGzip = ContentCoding.acceptsGzip(request.headers[.acceptEncoding])
        let key = ScrapePages.Key(
            endpoint: endpoint,
            format: sources.expositionFormat(accept),
            isCompressed: wantsGzip
        )
        // Others share the page, for whom it must not end with the time of one who waits for a moment.
        let end = deadline.map { max($0, .now + limits.leastRenderTime) }
        let outcome = await shared.pages.page(key, for: ConnectionPlaces.Peer(of: context.channel)) {
            await shared.scrapeThread.perform {
                await exposition(accept, end).map { ScrapePages.Content($0, compressed: wantsGzip) }
            }
        }
        switch outcome {
        case .busy:
            return unavailable("\(limits.scrapes) pages of metrics are being rendered or read already")
        case .page(let reading) where deadline.map({ ContinuousClock.now < $0 }) ?? true:
            sources.scrapeServed(reading.content.format, 200)
            reading.whenGivenUp { [channel = context.channel] in channel.close(promise: nil) }
            context.holder.hold(reading)
            return .page(reading.content)
        case .page, .late:
            return unavailable("the metrics could not be rendered within the scraper's timeout")
        }
    }

    private func unavailable(_ reason: String) -> Response {
        sources.scrapeServed("none", 503)
        return busy(reason)
    }

    private func busy(_ reason: String, retryAfter seconds: Int = 1) -> Response {
        var response = Response.text(.serviceUnavailable, reason)
        response.headers[.retryAfter] = "\(seconds)"
        return response
    }

    /// When a scraper that says how long it waits must have its answer.
    private func deadline(of request: Request) -> ContinuousClock.Instant? {
        guard let name = HTTPField.Name("X-Prometheus-Scrape-Timeout-Seconds"),
            let seconds = request.headers[name].flatMap({ Double($0) }), seconds > 0, seconds < 86_400
        else { return nil }
        // Of a short time the margin is half at most, or nothing could be answered in it.
        return .now + max(.seconds(seconds) - limits.scrapeMargin, .seconds(seconds / 2))
    }
}

extension HTTPField.Name {
    /// The field that names the host of an HTTP/1 request (RFC 9110 §7.2).
    fileprivate static var host: Self {
        guard let name = Self("Host") else { preconditionFailure("HTTPField.Name: a token") }
        return name
    }
}
