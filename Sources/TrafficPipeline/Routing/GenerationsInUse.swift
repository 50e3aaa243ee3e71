// Wingmirror · Apache-2.0

internal import RouteAttribution
internal import TrafficMetrics

/// The generations of routes that a capture thread still needs: the newest, and older ones with exchanges in progress.
///
/// An exchange is counted and recorded by the generation that decided on its request, so that a reload mixes none of them.
///
/// It is not copyable, so that what asks the newest generation borrows it, and counts no references.
struct GenerationsInUse: ~Copyable {
    private(set) var newest: RouteGeneration
    /// The newest, for calls on the packet path.
    private(set) var lent: LentGeneration
    /// The number of the newest, modulo 2³².
    private(set) var newestNumber: UInt32
    private var pendingOfNewest = 0
    /// Older ones and how many exchanges need each, the oldest first.
    private var older: [(generation: RouteGeneration, pendingExchanges: Int)] = []

    init(_ generation: RouteGeneration) {
        newest = generation
        lent = LentGeneration(generation)
        newestNumber = UInt32(truncatingIfNeeded: generation.number)
    }

    /// How many older ones are kept; with as many, the newest stays in force until an exchange of the oldest ends.
    ///
    /// 255 is more reloads than usually fall into one request, and bounds the memory of old tables.
    static let limit = 255

    /// Whether another generation can be taken up.
    var hasRoom: Bool { older.count < Self.limit }

    /// Makes `generation` the newest.
    mutating func append(_ generation: RouteGeneration) {
        if pendingOfNewest > 0 { older.append((newest, pendingOfNewest)) }
        newest = generation
        lent = LentGeneration(generation)
        newestNumber = UInt32(truncatingIfNeeded: generation.number)
        pendingOfNewest = 0
    }

    /// The newest generation has decided on a request.
    mutating func requestRouted() {
        pendingOfNewest += 1
    }

    /// The generation that decided on an exchange in progress.
    ///
    /// - Parameter number: The number of the generation, modulo 2³².
    /// - Returns: The generation.
    func generation(_ number: UInt32) -> RouteGeneration {
        if number == newestNumber { return newest }
        guard let index = older.firstIndex(where: { UInt32(truncatingIfNeeded: $0.generation.number) == number }) else {
            preconditionFailure("GenerationsInUse.generation: generation \(number) is gone")
        }
        return older[index].generation
    }

    /// An exchange is complete, if it is one of the newest generation.
    ///
    /// - Parameter number: The number of the generation, modulo 2³².
    /// - Returns: `false`, with nothing done, if it is of an older one.
    @inline(__always)
    mutating func exchangeOfNewestCompleted(generation number: UInt32) -> Bool {
        guard number == newestNumber else { return false }
        pendingOfNewest -= 1
        return true
    }

    /// An exchange is complete, and needs its generation no more.
    ///
    /// - Parameter number: The number of the generation, modulo 2³².
    /// - Returns: The generation.
    mutating func exchangeCompleted(generation number: UInt32) -> RouteGeneration {
        if exchangeOfNewestCompleted(generation: number) { return newest }
        guard let index = older.firstIndex(where: { UInt32(truncatingIfNeeded: $0.generation.number) == number }) else {
            preconditionFailure("GenerationsInUse.exchangeCompleted: generation \(number) is gone")
        }
        older[index].pendingExchanges -= 1
        let generation = older[index].generation
        if older[index].pendingExchanges == 0 { older.remove(at: index) }
        return generation
    }
}
