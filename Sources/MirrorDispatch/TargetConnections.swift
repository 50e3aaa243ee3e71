// Wingmirror · Apache-2.0

internal import AnswerComparison
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import OctetText
import ShadowTesting
import Synchronization
import TrafficModel

/// The connections to one target at one address that was looked up and checked.
///
/// Whatever the name means by the time a connection is made, it is made to that address; the certificate and the Host field
/// are those of the name.
final class TargetConnections: Sendable {
    /// Who uses the connections.
    private struct Uses {
        var count = 0
        var whenUnused: CheckedContinuation<Void, Never>?
    }

    /// The address, as a number.
    let address: String

    private let client: HTTPClient
    /// Where requests go again that a connection which had been used before did not answer: each has a connection of its own.
    private let fresh: HTTPClient
    /// Where gRPC calls go; `HTTPClient` hands out no trailers.
    private let calls: CallConnections
    private let origin: String
    private let timeout: Duration
    private let connectTimeout: Duration
    private let budget: AnswerBudget
    private let limits: DispatchLimits
    private let uses = Mutex(Uses())
    private let firstHandshakeProblem = Mutex<String?>(nil)

    /// Prepares connections; none is made before the first request.
    init(
        to target: MirrorTarget,
        at address: String,
        on group: any EventLoopGroup,
        sharing budget: AnswerBudget,
        limits: DispatchLimits
    ) {
        self.address = address
        self.budget = budget
        self.limits = limits
        timeout = target.timeout
        connectTimeout = target.connectTimeout
        origin = target.urlOrigin
        calls = CallConnections(to: target, at: address, on: group, sharing: budget, limits: limits)
        let configuration = Self.configuration(target, address: address, limits: limits)
        fresh = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        var watched = configuration
        watched.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture { try ReuseWatch.watch(channel) }
        }
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: watched)
    }

    private static func configuration(
        _ target: MirrorTarget,
        address: String,
        limits: DispatchLimits
    ) -> HTTPClient.Configuration {
        var pool = HTTPClient.Configuration.ConnectionPool(
            idleTimeout: TimeAmount(limits.idleTimeout),
            concurrentHTTP1ConnectionsPerHostSoftLimit: max(target.inFlight, 1)
        )
        // A connection that cannot be made fails its request, which counts, rather than being tried again behind our back.
        pool.retryConnectionEstablishment = false
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: target.usesTLS ? .verifying(target) : nil,
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(target.connectTimeout)),
            connectionPool: pool,
            decompression: .disabled
        )
        configuration.httpVersion = target.allowsHTTP2 ? .automatic : .http1Only
        configuration.dnsOverride = [target.host: address]
        return configuration
    }

    // MARK: - Sending

    /// Sends a request and reads the answer.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - keptOctets: The most octets of the answer's content to keep, as far as the budget has them.
    /// - Returns: The answer without the times of waiting.
    func send(_ request: ShadowRequest, keeping keptOctets: Int) async -> ShadowAnswer {
        uses.withLock { $0.count += 1 }
        defer { useEnded() }
        let start = ContinuousClock.now
        let progress = AnswerProgress()
        let parts = RunningTime.parts(of: timeout, within: connectTimeout)
        let result = await withTaskGroup(of: Result<RecordedResponse, ShadowFailure>.self) { race in
            race.addTask { await self.exchange(request, keeping: keptOctets, progress: progress) }
            race.addTask {
                do {
                    try await RunningTime.wait(for: self.timeout, in: parts) { progress.ran(for: $0) }
                    return .failure(.timeout)
                } catch {
                    return .failure(.cancelled)
                }
            }
            let first = await race.next() ?? .failure(.cancelled)
            race.cancelAll()
            if case .success(let response) = await race.next() {
                // The answer came just as the time was over, and nobody will give back its memory.
                self.budget.release(response.message.content.count)
            }
            return first
        }
        let end = ContinuousClock.now
        let stoodStill = RunningTime.stoodStill(
            for: start.duration(to: end),
            having: progress.runningTime,
            part: timeout / parts,
            limit: connectTimeout
        )
        // A second sending has a time of its own.
        let sent = progress.secondSending ?? start
        var answer = ShadowAnswer(
            result: stoodStill && !progress.hasTargetSpoken ? result.mapError { $0.afterStandstill } : result,
            firstByteNanoseconds: (sent.duration(to: progress.headTime ?? end)).nanoseconds,
            durationNanoseconds: sent.duration(to: end).nanoseconds
        )
        answer.isOfSecondSending = progress.secondSending != nil
        return answer
    }

    private func exchange(
        _ request: ShadowRequest,
        keeping keptOctets: Int,
        progress: AnswerProgress
    ) async -> Result<RecordedResponse, ShadowFailure> {
        if request.isCall {
            do {
                return .success(try await calls.answer(to: request, keeping: keptOctets, progress: progress))
            } catch {
                return .failure(failure(error, progress))
            }
        }
        var reserved = 0
        do {
            let response = try await response(to: request, progress: progress)
            progress.headArrived()
            var content: [UInt8] = []
            var octets: Int64 = 0
            var isOpen = false
            for try await part in response.body {
                octets += Int64(part.readableBytes)
                if octets > limits.answerOctets {
                    isOpen = true
                    // Nobody asks for the rest: the connection is closed, or the stream reset.
                    break
                }
                // Once octets are missing, later ones are of no use either.
                guard octets - Int64(part.readableBytes) == content.count else { continue }
                let wanted = min(part.readableBytes, keptOctets - content.count)
                let kept = budget.reserve(wanted)
                reserved += kept
                // An answer that the agent has no room for is missing, and not shorter than others.
                guard kept == wanted else { throw ShadowFailure.cancelled }
                content += part.readableBytesView.prefix(kept)
            }
            // What a cancelled task has read may be less than all.
            try Task.checkCancellation()
            let fields = response.headers.map { RecordedField(name: $0.name, value: $0.value) }
            var message = RecordedMessage(fields: fields, content: content, contentOctets: octets)
            message.contentIsOpen = isOpen
            return .success(RecordedResponse(status: Int(response.status.code), message: message))
        } catch {
            budget.release(reserved)
            return .failure(failure(error, progress))
        }
    }

    /// What an error of the client means; why TLS failed is remembered.
    private func failure(_ error: any Error, _ progress: AnswerProgress) -> ShadowFailure {
        guard !Task.isCancelled else { return .cancelled }
        if ShadowFailure.isSaidByTarget(error) { progress.targetSpoke() }
        let failure = ShadowFailure(cause: error)
        if failure == .tls {
            firstHandshakeProblem.withLock { $0 = $0 ?? ShadowFailure.handshakeProblem(error) }
        }
        return failure
    }

    /// Why TLS with the target failed the first time, as the end of a sentence; `nil` where it did not.
    var handshakeProblem: String? { firstHandshakeProblem.withLock(\.self) }

    /// The answer's head, and its content to come.
    ///
    /// A server may close a connection that it has answered on, while the next request is on its way: that says nothing of how it
    /// answers (RFC 9112 §9.3.1). Such a request, if its method is safe, is sent once more on a connection of its own.
    private func response(to request: ShadowRequest, progress: AnswerProgress) async throws -> HTTPClientResponse {
        do {
            return try await client.execute(message(request), deadline: .distantFuture)
        } catch is ReusedConnectionClosed where SafeMethods.contains(request.method) && request.content.isEmpty {
            try Task.checkCancellation()
            progress.sentAgain()
            var again = message(request)
            again.headers.replaceOrAdd(name: "connection", value: "close")
            return try await fresh.execute(again, deadline: .distantFuture)
        }
    }

    private func message(_ request: ShadowRequest) -> HTTPClientRequest {
        var message = HTTPClientRequest(url: origin + RequestTargetText.encoded(request.target))
        message.method = HTTPMethod(rawValue: request.method)
        for field in request.fields { message.headers.add(name: field.name, value: field.value) }
        if !request.content.isEmpty { message.body = .bytes(ByteBuffer(bytes: request.content)) }
        return message
    }

    // MARK: - Ending

    private func useEnded() {
        let waiter = uses.withLock { uses in
            uses.count -= 1
            guard uses.count == 0 else { return CheckedContinuation<Void, Never>?.none }
            defer { uses.whenUnused = nil }
            return uses.whenUnused
        }
        waiter?.resume()
    }

    /// Closes the connections once no request is on its way; no new one may begin.
    func close() async {
        await withCheckedContinuation { caller in
            let isUnused = uses.withLock { uses in
                if uses.count > 0 { uses.whenUnused = caller }
                return uses.count == 0
            }
            if isUnused { caller.resume() }
        }
        await calls.close()
        // Fails only for a client that was shut down before, which this one was not.
        try? await client.shutdown()
        try? await fresh.shutdown()
    }
}

/// When the head of an answer came, when the request was sent once more, how long the agent ran meanwhile, and whether the target
/// said that there would be no answer.
final class AnswerProgress: Sendable {
    private let head = Mutex<ContinuousClock.Instant?>(nil)
    private let second = Mutex<ContinuousClock.Instant?>(nil)
    private let running = Mutex(Duration.zero)
    private let spoke = Mutex(false)

    /// How long the agent ran meanwhile, at least.
    var runningTime: Duration { running.withLock(\.self) }
    var headTime: ContinuousClock.Instant? { head.withLock(\.self) }
    var secondSending: ContinuousClock.Instant? { second.withLock(\.self) }

    /// Whether the target refused the connection or the handshake.
    var hasTargetSpoken: Bool { spoke.withLock(\.self) }

    func targetSpoke() {
        spoke.withLock { $0 = true }
    }

    func headArrived() {
        head.withLock { $0 = .now }
    }

    func ran(for duration: Duration) {
        running.withLock { $0 += duration }
    }

    func sentAgain() {
        second.withLock { $0 = .now }
    }
}

extension TLSConfiguration {
    /// What is asked of a target's certificate: that an authority the configuration trusts vouches for its name.
    static func verifying(_ target: MirrorTarget) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        if !target.certificateAuthorities.isEmpty {
            configuration.trustRoots = .file(target.certificateAuthorities)
        }
        return configuration
    }
}

extension MirrorTarget {
    /// Scheme, host and port as a URL has them.
    var urlOrigin: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return "\(usesTLS ? "https" : "http")://\(host):\(port)"
    }
}
