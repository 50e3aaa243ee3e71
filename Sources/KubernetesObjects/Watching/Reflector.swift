// Wingmirror · Apache-2.0
// client-go tools/cache/reflector.go: the order of lists and watches.

/// Decides what is asked next of one collection, and when: the loop of list and watch without any input or output.
///
/// It starts with a list from the server's cache, or a streaming list where the server offers that, and then watches from the
/// version that the list bears. Whatever ends a watch, the next one continues from the last version that was seen; a list is
/// made again only if the server does not hold that version any more, for lists are what weighs on an API server.
struct Reflector: Sendable {
    /// How an exchange ended.
    enum Outcome: Sendable, Hashable {
        /// A page of a list was read; the next page's token, if there is one.
        case page(resourceVersion: String, next: String)
        /// A watch ended in good order.
        case watchEnded
        /// A stream ended with an ERROR event.
        case streamFailed(APIStatus)
        /// The answer was no success.
        case refused(APIStatus, retryAfter: Int?)
        /// A 404 for what the API server serves: what stands before it has answered.
        case contradicted(APIStatus)
        /// No answer came, or it was cut short; the connection, TLS, or a time limit.
        case interrupted(APIFailure)
        /// What came cannot be understood.
        case malformed(String)
    }

    /// What came of an exchange before it ended.
    struct Progress: Sendable, Hashable {
        /// The last version from which a watch may continue.
        var resourceVersion: String?
        /// Events other than bookmarks.
        var events = 0
        /// Bookmarks.
        var bookmarks = 0
        /// Of a streaming list: whether the state came whole.
        var isSynchronized = false
        /// Whether the server accepted the watch.
        var hasHead = false
        /// How long the exchange took.
        var duration = Duration.zero
    }

    /// What the caller is to do before the next request.
    struct Step: Sendable, Hashable {
        /// How long to wait.
        var wait = Duration.zero
        /// Whether the list that was read is to take the place of what is held.
        var replaces = false
        /// Whether pages that were read are of no use.
        var discardsPages = false
        /// Whether the kind is not served, so that nothing is held any more.
        var isAbsent = false
        /// Why it is not followed, if it is not.
        var trouble: WatchTrouble?
    }

    /// How many items a page may have; only reads that reach the store have pages.
    static let pageLimit = 500
    /// How often in a row 429 is answered by waiting as long as the server asks.
    static let quickRetries = 10
    /// How long Retry-After may make us wait.
    static let longestRetryAfter = 60

    private var next: CollectionRequest
    private var latest: String?
    private var backoff = WatchBackoff()
    private var refusals = 0
    private var failures = 0
    private var expiredPages = 0
    private var silentWatches = 0
    private var streams: Bool

    /// Begins with a list.
    ///
    /// - Parameter streams: Whether the first list may be a stream.
    init(streams: Bool) {
        self.streams = streams
        next = streams ? .streamingList : .list(.any, token: nil, limit: Self.pageLimit)
    }

    /// What is to be asked next.
    var request: CollectionRequest { next }

    /// Whether streaming lists have failed, so that nobody needs to try them again.
    var refusedStreaming: Bool { !streams }

    /// Takes up how an exchange ended.
    mutating func ended(_ outcome: Outcome, after progress: Progress, random: Double) -> Step {
        if let version = progress.resourceVersion { latest = version }
        if case .streamingList = next, progress.isSynchronized, let latest { next = .watch(after: latest) }
        if case .watch = next, let latest { next = .watch(after: latest) }
        backoff.worked(for: progress.duration)
        if progress.events > 0 || progress.duration >= .seconds(1) { failures = 0 }
        switch outcome {
        case .page(let version, let token): return pageRead(version, token)
        case .watchEnded: return watchEnded(progress, random)
        case .streamFailed(let status): return streamFailed(status, random)
        case .refused(let status, let retryAfter): return refused(status, retryAfter, random)
        case .contradicted: return failedAgain(.refused, random)
        case .interrupted(let failure):
            if case .watch = next, progress.hasHead, progress.duration >= Self.leastIdleTime {
                // What stands before the server cuts connections that are idle; nothing says that the server is unwell. A
                // streaming list that is cut would begin from its first object again.
                backoff = WatchBackoff()
                return Step(wait: .milliseconds(Int64(random * 1000)), trouble: WatchTrouble(failure))
            }
            return Step(wait: backoff.next(random: random), trouble: WatchTrouble(failure))
        case .malformed:
            return failedAgain(.malformed, random)
        }
    }

    /// How long a connection is idle at least before something cuts it for that.
    private static var leastIdleTime: Duration { .seconds(10) }

    // MARK: - What went well

    private mutating func pageRead(_ version: String, _ token: String) -> Step {
        refusals = 0
        guard case .list(let from, _, let limit) = next else { return Step() }
        guard token.isEmpty else {
            next = .list(from, token: token, limit: limit)
            return Step()
        }
        expiredPages = 0
        latest = version
        next = .watch(after: version)
        return Step(replaces: true)
    }

    private mutating func watchEnded(_ progress: Progress, _ random: Double) -> Step {
        refusals = 0
        if case .streamingList = next {
            // It ended before the state was whole: what came of it is of no use.
            return streamingFailed()
        }
        let isEmpty = progress.events == 0 && progress.bookmarks == 0
        if isEmpty, progress.duration < .seconds(1) {
            // Some servers answer an old version with an empty body; asking again at once would be a storm.
            return failedAgain(.emptyWatch, random)
        }
        // Bookmarks come every minute. A version from the future, as after a restored backup, brings none, and no events either.
        silentWatches = isEmpty && progress.duration >= .seconds(240) ? silentWatches + 1 : 0
        if silentWatches >= 2, let latest {
            silentWatches = 0
            next = .list(.notOlderThan(latest), token: nil, limit: Self.pageLimit)
        }
        return Step()
    }

    // MARK: - What went wrong

    private mutating func streamFailed(_ status: APIStatus, _ random: Double) -> Step {
        if case .streamingList = next { return streamingFailed() }
        guard status.isExpired else { return failedAgain(.serverError, random) }
        relist()
        return Step(wait: backoff.next(random: random), trouble: .expired)
    }

    /// Falls back to list and watch, for as long as the process lives.
    private mutating func streamingFailed() -> Step {
        streams = false
        next = .list(.any, token: nil, limit: Self.pageLimit)
        return Step(discardsPages: true)
    }

    /// The same thing failed again: after some times the state itself is in doubt.
    private mutating func failedAgain(_ trouble: WatchTrouble, _ random: Double) -> Step {
        failures += 1
        // Pages are dropped together with the list they belong to.
        if case .list(let version, .some, let limit) = next { next = .list(version, token: nil, limit: limit) }
        if failures >= 3, next.isWatch {
            failures = 0
            relist()
        }
        return Step(wait: backoff.next(random: random), discardsPages: !next.isWatch, trouble: trouble)
    }

    /// Lists again from the store; a cache may be as old as what has just been refused.
    private mutating func relist() {
        // Two lists whose pages expired while they were read: one more in pages would fare no better.
        next = .list(.mostRecent, token: nil, limit: expiredPages >= 2 ? nil : Self.pageLimit)
    }

    private mutating func refused(_ status: APIStatus, _ retryAfter: Int?, _ random: Double) -> Step {
        if status.code != 429 { refusals = status.code == 403 ? refusals + 1 : 0 }
        switch status.code {
        case 429: return asked(toWait: retryAfter ?? status.retryAfter ?? 1, random)
        case 410:
            var wait = Duration.zero
            if case .list(_, .some, _) = next { expiredPages += 1 } else { wait = backoff.next(random: random) }
            relist()
            return Step(wait: wait, discardsPages: true, trouble: .expired)
        case 401: return Step(wait: backoff.next(random: random), trouble: .unauthorized)
        case 403:
            // A server that starts refuses for some hundred milliseconds what it will permit.
            let wait = refusals > 5 ? Duration.seconds(Int64(120 + 120 * random)) : backoff.next(random: random)
            return Step(wait: wait, trouble: .forbidden)
        case 404:
            guard case .list = next else {
                // The stream's version of the kind is gone, or the kind: a list will say.
                relist()
                return Step(trouble: .absent)
            }
            next = .list(.any, token: nil, limit: Self.pageLimit)
            return Step(
                wait: .seconds(Int64(120 + 120 * random)),
                discardsPages: true,
                isAbsent: true,
                trouble: .absent
            )
        case 400..<500:
            if case .streamingList = next { return streamingFailed() }
            return failedAgain(.refused, random)
        default:
            if status.isAheadOfServer {
                relist()
                return Step(discardsPages: true, trouble: .serverError)
            }
            if case .streamingList = next { return streamingFailed() }
            return Step(wait: backoff.next(random: random), trouble: .serverError)
        }
    }

    private mutating func asked(toWait seconds: Int, _ random: Double) -> Step {
        refusals += 1
        guard refusals <= Self.quickRetries else {
            return Step(wait: backoff.next(random: random), trouble: .tooManyRequests)
        }
        let wait = Double(min(max(seconds, 1), Self.longestRetryAfter)) * (1 + random / 4)
        return Step(wait: .milliseconds(Int64(wait * 1000)), trouble: .tooManyRequests)
    }
}

/// Why a collection is not followed for now; the values of the label `reason`.
package enum WatchTrouble: String, Sendable, Hashable, CaseIterable {
    case network
    case tls
    case credentials
    case timeout
    case expired
    case unauthorized
    case forbidden
    case absent
    case tooManyRequests = "too_many_requests"
    case refused
    case serverError = "server_error"
    case emptyWatch = "empty_watch"
    case malformed

    init(_ failure: APIFailure) {
        self =
            switch failure {
            case .connection: .network
            case .tls: .tls
            case .credentials: .credentials
            case .timedOut: .timeout
            }
    }
}
