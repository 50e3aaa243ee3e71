// Wingmirror · Apache-2.0

import JSONSyntax
internal import Logging
import Synchronization

/// Keeps one collection in a store equal to that of the API server, until its task is cancelled.
struct CollectionWatch: Sendable {
    /// After how many seconds the server is asked to end a watch: within the range that client-go takes.
    private static let watchSeconds = 300...600
    /// How long discovery may take where a list is not there.
    private static let discoveryTime: Duration = .seconds(60)

    private let collection: ResourceCollection
    private let transport: any APITransport
    private let store: ObjectStore
    private let clock: WatchClock
    private let streaming: StreamingSupport
    private let logger: Logger

    /// Makes a watch.
    ///
    /// - Parameters:
    ///   - collection: What is watched.
    ///   - transport: Sends the requests.
    ///   - store: Where the objects are put.
    ///   - clock: What is known of time.
    ///   - streaming: Whether the server offers streaming lists; shared by all watches of it.
    ///   - logger: Where troubles are logged.
    init(
        _ collection: ResourceCollection,
        over transport: any APITransport,
        into store: ObjectStore,
        clock: WatchClock,
        streaming: StreamingSupport,
        logger: Logger
    ) {
        self.collection = collection
        self.transport = transport
        self.store = store
        self.clock = clock
        self.streaming = streaming
        self.logger = logger
    }

    /// Lists and watches until the task is cancelled.
    func run() async {
        store.begin(collection)
        var reflector = Reflector(streams: streaming.isOffered)
        var pages = Pages()
        var hasRetriedCredentials = false
        var logged: WatchTrouble?
        while !Task.isCancelled {
            let request = reflector.request
            count(request)
            var result = await exchange(request)
            guard !Task.isCancelled else { return }
            if case .refused(let status, _) = result.outcome, status.code == 404, await isContradicted(request) {
                result.outcome = .contradicted(status)
            }
            if case .interrupted(.timedOut) = result.outcome { transport.timedOut() }
            if case .refused(let status, _) = result.outcome, status.code == 401, !hasRetriedCredentials {
                hasRetriedCredentials = true
                if await transport.credentialsRefused() { continue }
            } else {
                hasRetriedCredentials = false
            }
            let wasStreaming = request == .streamingList
            let step = reflector.ended(result.outcome, after: result.progress, random: clock.random())
            if case .list = request { pages.add(result.pages) }
            if step.replaces {
                store.replace(collection, with: pages.objects, passingOver: pages.passedOver, at: clock.now())
                pages = Pages()
            }
            if step.discardsPages { pages = Pages() }
            if step.isAbsent { store.becameAbsent(collection, at: clock.now()) }
            if wasStreaming, reflector.refusedStreaming { streaming.refused() }
            if let trouble = step.trouble {
                store.troubled(collection, trouble, at: clock.now())
                if trouble != logged { log(trouble, result.outcome) }
            }
            logged = step.trouble
            if step.wait > .zero {
                do { try await clock.pause(step.wait) } catch { return }
            }
        }
    }

    /// Whether a 404 says nothing of what is served: no API server is without the core kinds, and of what is held discovery
    /// is asked first, so that what stands before the server empties no table.
    private func isContradicted(_ request: CollectionRequest) async -> Bool {
        if collection.resource.group.isEmpty { return true }
        guard case .list = request, store[collection]?.objects.isEmpty == false else { return false }
        let discovery = APIDiscovery(over: transport)
        let isServed = try? await within(Self.discoveryTime) { [collection] in
            try await discovery.serves(collection.resource)
        }
        return isServed ?? true
    }

    private func count(_ request: CollectionRequest) {
        store.count(collection) { counts in
            counts.requests += 1
            switch request {
            case .list(_, nil, _), .streamingList: counts.lists += 1
            default: break
            }
        }
    }

    private func log(_ trouble: WatchTrouble, _ outcome: Reflector.Outcome) {
        let level: Logger.Level =
            switch trouble {
            case .absent, .expired, .timeout, .tooManyRequests: .info
            default: .warning
            }
        logger.log(
            level: level,
            "kubernetes watch",
            metadata: [
                "resource": "\(collection.resource.resource).\(collection.resource.group)",
                "reason": "\(trouble.rawValue)", "detail": "\(outcome.detail)",
            ]
        )
    }

    // MARK: - One exchange

    private struct ExchangeResult: Sendable {
        var outcome: Reflector.Outcome
        var progress = Reflector.Progress()
        var pages = Pages()
    }

    /// What the pages of one list held so far.
    private struct Pages: Sendable {
        var objects: [ObjectKey: StoredObject] = [:]
        var passedOver: [ObjectKey: String] = [:]

        mutating func add(_ other: Pages) {
            objects.merge(other.objects) { $1 }
            passedOver.merge(other.passedOver) { $1 }
        }
    }

    /// Sends one request and takes in the answer, within the request's time limit.
    private func exchange(_ request: CollectionRequest) async -> ExchangeResult {
        let spread = Double(Self.watchSeconds.upperBound - Self.watchSeconds.lowerBound)
        let seconds = Self.watchSeconds.lowerBound + Int(spread * clock.random())
        let message = APIRequest(request, of: collection, watchSeconds: seconds)
        let started = clock.now()
        var result = await withTaskGroup(of: ExchangeResult?.self) { race in
            race.addTask { await self.answer(to: message, request) }
            race.addTask {
                try? await clock.expire(message.timeLimit)
                return nil
            }
            let first = await race.next() ?? nil
            race.cancelAll()
            if let first { return first }
            // The time is over. What came meanwhile has been taken in, and the next watch continues behind it.
            var late = await race.next().flatMap { $0 } ?? ExchangeResult(outcome: .interrupted(.timedOut))
            late.outcome = .interrupted(.timedOut)
            return late
        }
        result.progress.duration = .nanoseconds(max(0, clock.now() - started))
        return result
    }

    private func answer(to message: APIRequest, _ request: CollectionRequest) async -> ExchangeResult {
        do {
            let answer = try await transport.send(message)
            guard answer.status == 200 else {
                let content = try await RefusalContent(beginning: answer.body).octets
                return ExchangeResult(
                    outcome: .refused(APIStatus(code: answer.status, content: content), retryAfter: answer.retryAfter)
                )
            }
            return request.isWatch ? await watch(answer, request) : try await list(answer)
        } catch {
            return ExchangeResult(outcome: Self.outcome(of: error))
        }
    }

    private static func outcome(of error: any Error) -> Reflector.Outcome {
        switch error {
        case let failure as APIFailure: .interrupted(failure)
        case let problem as DocumentError: .malformed(problem.description)
        default: .interrupted(.connection("\(error)"))
        }
    }

    private func list(_ answer: APIAnswer) async throws -> ExchangeResult {
        var splitter = ListSplitter()
        var result = ExchangeResult(outcome: .malformed("the list has no end"))
        for try await octets in answer.body {
            try splitter.append(octets) { item in
                if let (key, object) = StoredObject.slimmed(item, of: collection) { result.pages.objects[key] = object }
            }
        }
        for object in splitter.unreadable {
            if let key = object.key { result.pages.passedOver[key] = object.reason }
        }
        countOversized(splitter.oversizedItems + splitter.unreadable.count)
        guard splitter.head.isComplete, !splitter.head.resourceVersion.isEmpty else { return result }
        result.outcome = .page(resourceVersion: splitter.head.resourceVersion, next: splitter.head.next)
        store.confirmed(collection, at: clock.now())
        return result
    }

    private func countOversized(_ number: Int) {
        if number > 0 { store.count(collection) { $0.oversized += UInt64(number) } }
    }

    /// Takes in events; what was understood before something goes wrong counts.
    private func watch(_ answer: APIAnswer, _ request: CollectionRequest) async -> ExchangeResult {
        var events = EventTaker(collection, store, clock, isInitial: request == .streamingList)
        // The server continues from the version that is held, so what is held is up to date.
        if request != .streamingList { store.confirmed(collection, at: clock.now()) }
        var splitter = EventSplitter()
        do {
            for try await octets in answer.body {
                try splitter.append(octets) { try events.take($0) }
                countOversized(splitter.takeOversized())
                if let failure = events.failure {
                    return ExchangeResult(outcome: .streamFailed(failure), progress: events.progress)
                }
            }
            if splitter.hasPartOfEvent {
                // A last event without a line end counts if it can be read; half of one does not.
                try? splitter.finish { try events.take($0) }
            }
        } catch {
            return ExchangeResult(outcome: Self.outcome(of: error), progress: events.progress)
        }
        countOversized(splitter.takeOversized())
        if let failure = events.failure {
            return ExchangeResult(outcome: .streamFailed(failure), progress: events.progress)
        }
        return ExchangeResult(outcome: .watchEnded, progress: events.progress)
    }
}

/// Whether an API server offers streaming lists; one answer for all watches of a process.
final class StreamingSupport: Sendable {
    private let offered: Atomic<Bool>

    /// Starts from what the server's version suggests.
    init(isOffered: Bool) {
        offered = Atomic(isOffered)
    }

    /// Whether they may be asked for.
    var isOffered: Bool { offered.load(ordering: .relaxed) }

    /// One was refused, or failed.
    func refused() { offered.store(false, ordering: .relaxed) }

    /// The version says that the server offers them.
    func found() { offered.store(true, ordering: .relaxed) }
}

/// Puts the events of one watch into a store.
private struct EventTaker {
    private let collection: ResourceCollection
    private let store: ObjectStore
    private let clock: WatchClock
    /// The state that a streaming list sends first; `nil` once it is whole.
    private var initial: [ObjectKey: StoredObject]?
    /// What of it could not be read.
    private var initiallyPassedOver: [ObjectKey: String] = [:]
    /// What came so far.
    private(set) var progress = Reflector.Progress()
    /// The ERROR event that ended the stream.
    private(set) var failure: APIStatus?

    init(_ collection: ResourceCollection, _ store: ObjectStore, _ clock: WatchClock, isInitial: Bool) {
        self.collection = collection
        self.store = store
        self.clock = clock
        initial = isInitial ? [:] : nil
        progress.isSynchronized = !isInitial
        progress.hasHead = true
    }

    mutating func take(_ line: [UInt8]) throws(DocumentError) {
        guard failure == nil else { return }
        let event: WatchEvent
        do throws(DocumentError) {
            event = try WatchEvent(parsing: line)
        } catch {
            guard let unreadable = UnreadableEvent(line, error) else { throw error }
            return passOver(unreadable)
        }
        store.count(collection) { $0.events[event.typeName, default: 0] += 1 }
        switch event {
        case .present(let object, _): present(object)
        case .gone(let object): gone(object)
        case .bookmark(let version, let endsInitialEvents): bookmark(version, endsInitialEvents)
        case .failed(let status): failure = status
        }
    }

    /// One object that cannot be read keeps no other from being followed: the watch goes on behind its version.
    private mutating func passOver(_ event: UnreadableEvent) {
        guard let key = event.object.key else { return }
        store.count(collection) { counts in
            counts.events[event.typeName, default: 0] += 1
            counts.oversized += 1
        }
        progress.events += 1
        guard initial == nil else {
            initiallyPassedOver[key] = event.isGone ? nil : event.object.reason
            return
        }
        saw(event.object.resourceVersion)
        if event.isGone {
            store.remove(key, uid: event.object.uid, from: collection, at: clock.now())
        } else {
            store.passOver(key, event.object.reason, in: collection, at: clock.now())
        }
    }

    private mutating func present(_ object: JSONValue) {
        guard let (key, stored) = StoredObject.slimmed(object, of: collection) else { return }
        progress.events += 1
        guard initial == nil else {
            // These come in no order of versions: none of them is one to continue from.
            initial?[key] = stored
            return
        }
        saw(stored.resourceVersion)
        store.upsert(key, stored, in: collection, at: clock.now())
    }

    private mutating func gone(_ object: JSONValue) {
        guard let (key, stored) = StoredObject.slimmed(object, of: collection) else { return }
        progress.events += 1
        guard initial == nil else {
            initial?[key] = nil
            return
        }
        saw(stored.resourceVersion)
        store.remove(key, uid: stored.uid, from: collection, at: clock.now())
    }

    private mutating func saw(_ version: String) {
        if !version.isEmpty { progress.resourceVersion = version }
    }

    private mutating func bookmark(_ version: String, _ endsInitialEvents: Bool) {
        progress.bookmarks += 1
        if endsInitialEvents, let objects = initial {
            initial = nil
            progress.isSynchronized = true
            store.replace(collection, with: objects, passingOver: initiallyPassedOver, at: clock.now())
        }
        guard initial == nil else { return }
        saw(version)
        store.confirmed(collection, at: clock.now())
    }
}

extension Reflector.Outcome {
    /// The reason in words, for logs.
    fileprivate var detail: String {
        switch self {
        case .page, .watchEnded: ""
        case .streamFailed(let status): "\(status.code) \(status.reason) \(status.message)"
        case .refused(let status, _): "\(status.code) \(status.message)"
        case .contradicted(let status): "404, though the API server serves it: \(status.message)"
        case .interrupted(.connection(let text)), .interrupted(.tls(let text)), .interrupted(.credentials(let text)):
            text
        case .interrupted(.timedOut): "no answer within the time limit"
        case .malformed(let text): text
        }
    }
}
