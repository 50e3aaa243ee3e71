// Wingmirror · Apache-2.0

internal import Synchronization

/// Where a capture thread leaves the exchanges that it kept, for others to look at; it never waits for them.
public final class RecentBoard: Sendable {
    /// How many are kept, and how much of each.
    public let limits: RecentLimits
    /// Names, in lower case, of fields whose values are never left here.
    public let redactedFields: Set<String>
    private let kept: Mutex<Kept>

    /// The exchanges of each kind.
    struct Kept: Sendable {
        var routed: RecentRing
        var unmatched: RecentRing
        var failed: RecentRing
        var refused: RecentRing
        /// How many exchanges were ever put here, by whichever worker: the number of the next.
        var count = 0

        /// Puts in exchanges that have been waiting; a failure or refusal that is a sample too follows it, and has the same number.
        mutating func append(_ waiting: [WaitingExchange]) {
            var latest: RecentExchange?
            for entry in waiting {
                let exchange: RecentExchange
                if entry.isSameAsBefore, let latest {
                    exchange = latest
                } else {
                    exchange = entry.exchange.numbered(count)
                    count += 1
                }
                latest = exchange
                switch entry.place {
                case .failed: failed.append(exchange)
                case .refused: refused.append(exchange)
                case .samples where exchange.route == nil: unmatched.append(exchange)
                case .samples: routed.append(exchange)
                }
            }
        }

        /// Forgets all of them.
        mutating func removeAll() {
            routed.removeAll()
            unmatched.removeAll()
            failed.removeAll()
            refused.removeAll()
        }
    }

    /// Makes an empty board.
    public init(limits: RecentLimits = RecentLimits(), redactedFields: Set<String> = RecordOptions.credentials) {
        self.limits = limits
        self.redactedFields = redactedFields
        let empty = RecentRing(capacity: limits.exchanges)
        kept = Mutex(Kept(routed: empty, unmatched: empty, failed: empty, refused: empty))
    }

    /// What is kept of each kind at this moment.
    public var all: RecentExchanges { kept.withLock { RecentExchanges($0) } }

    /// Exchanges that a route took, a sample of all, the latest first.
    public var routed: [RecentExchange] { kept.withLock { $0.routed.latestFirst } }

    /// Exchanges that no route took, a sample of all, the latest first.
    public var unmatched: [RecentExchange] { kept.withLock { $0.unmatched.latestFirst } }

    /// Exchanges that failed, the latest first: a status of 5xx, or no response for a reason on the wire.
    ///
    /// All of them where there are few. Those whose request was not sampled have no heads.
    public var failed: [RecentExchange] { kept.withLock { $0.failed.latestFirst } }

    /// Exchanges of routes that were answered with 4xx, the latest first; as with failures, all of them where there are few.
    public var refused: [RecentExchange] { kept.withLock { $0.refused.latestFirst } }

    /// Lends what is kept to a capture thread; `false` when somebody is looking just now.
    func publish(_ body: (inout Kept) -> Void) -> Bool {
        kept.withLockIfAvailable { body(&$0) } != nil
    }
}

/// An exchange on its way to the board.
struct WaitingExchange: Sendable {
    let exchange: RecentExchange
    /// Where it is put.
    let place: RecentPlace
    /// Whether it is the one before, which is put among the samples.
    let isSameAsBefore: Bool
}

/// Where exchanges are kept.
enum RecentPlace: Sendable {
    /// Among the samples of all: of routes, or of what no route took.
    case samples
    /// Among those that failed.
    case failed
    /// Among those that were answered with 4xx.
    case refused
}

/// The latest exchanges of one kind.
struct RecentRing: Sendable {
    private var entries: [RecentExchange] = []
    private var next = 0
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Takes in another one, in place of the oldest when the ring is full.
    mutating func append(_ exchange: RecentExchange) {
        guard entries.count == capacity else { return entries.append(exchange) }
        guard capacity > 0 else { return }
        entries[next] = exchange
        next = (next + 1) % capacity
    }

    /// Forgets all of them, and gives their memory back.
    mutating func removeAll() {
        self = RecentRing(capacity: capacity)
    }

    /// A copy of what there is, which shares nothing with the ring, so that the ring is never copied when it changes.
    var latestFirst: [RecentExchange] {
        var copy: [RecentExchange] = []
        copy.reserveCapacity(entries.count)
        for offset in entries.indices {
            copy.append(entries[(next + entries.count - 1 - offset) % entries.count])
        }
        return copy
    }
}
