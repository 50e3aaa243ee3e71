// Wingmirror · Apache-2.0

import Recordings
import ShadowTesting
import Synchronization
import TrafficModel

/// Sends the requests of a recording when they are due, so many at a time at most.
///
/// A request that is due while all places are taken waits, and is sent late; how late is counted, and its latency is also
/// told from when it was due, so that a slow target cannot hide its slowness by holding up those behind (the omission that
/// load generators are known for). Nothing is sent twice.
struct ReplayRun<ReplayClock: Clock>: Sendable where ReplayClock.Duration == Duration {
    /// The exchanges to send.
    let entries: RecordingEntries
    /// When they are due.
    let schedule: ReplaySchedule
    /// How many rounds there are.
    let loops: Int
    /// How many requests may be without an answer.
    let inFlight: Int
    /// Whether a request waits for the answer to the one before it on its connection.
    var isOrdered = false
    /// What makes the requests.
    let builder: ShadowRequestBuilder
    /// What sends them.
    let client: any ReplayClient
    /// What compares the answers.
    let comparison: ReplayComparison
    /// What tells the time.
    let clock: ReplayClock
    /// Told of each request that is over.
    let completed: @Sendable (ReplayOutcome) -> Void
    /// Whether it is of no use to send more.
    var isHopeless: @Sendable () -> Bool = { false }

    /// Sends everything, or until it is of no use or the task is cancelled; then what is in flight is given up.
    /// - Returns: How long it took.
    func run() async -> Duration {
        let places = Places(inFlight)
        let start = clock.now
        let order = ConnectionOrder()
        await withDiscardingTaskGroup { sends in
            rounds: for loop in 0..<loops {
                for place in entries.indices {
                    await places.take()
                    let due = schedule.due(place, loop: loop)
                    try? await clock.sleep(until: start.advanced(by: due), tolerance: nil)
                    guard !Task.isCancelled, !isHopeless() else { break rounds }
                    let turn = isOrdered ? order.turn(of: entries[place].exchange) : ConnectionOrder.Turn()
                    sends.addTask {
                        await turn.begin()
                        await send(place, loop: loop, due: due, start: start)
                        turn.end()
                        places.leave()
                    }
                }
            }
        }
        return start.duration(to: clock.now)
    }

    private func send(_ place: Int, loop: Int, due: Duration, start: ReplayClock.Instant) async {
        let exchange = entries[place].exchange
        // Choosing has built the request before, so there is one.
        guard let request = try? builder.build(exchange, copy: loop) else { return }
        let begin = clock.now
        let result = await client.answer(to: request)
        let end = clock.now
        let (word, differing) = comparison.compare(exchange, with: result)
        completed(
            ReplayOutcome(
                place: place,
                loop: loop,
                request: request,
                due: due,
                lateness: max(.zero, start.advanced(by: due).duration(to: begin)),
                latency: begin.duration(to: end),
                result: result,
                word: word,
                places: differing,
                startTime: exchange.startTime,
                connection: exchange.connection
            )
        )
    }
}

/// A number of places for requests in flight; one task takes them, any may leave.
private final class Places: Sendable {
    private struct State {
        var free: Int
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    /// Takes a place, and waits for one first if there is none.
    ///
    /// Waiting ends when the task is cancelled, too, because then the requests in flight end.
    func take() async {
        await withCheckedContinuation { caller in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiter = caller
                return false
            }
            if isFree { caller.resume() }
        }
    }

    /// Leaves a place to whoever waits.
    func leave() {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.free += 1
                return CheckedContinuation<Void, Never>?.none
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }
}

/// A client's connection in a recording.
private struct ConnectionName: Hashable {
    let client: String
    let connection: Int

    /// The connection of an exchange; `nil` where the recording does not say which one it was.
    init?(of exchange: RecordedExchange) {
        guard exchange.connection >= 0 else { return nil }
        client = exchange.clientAddress
        connection = exchange.connection
    }
}

/// Gives the requests of one connection their turns, each after the end of the one before.
///
/// Turns are given in the order of sending by one task. A request that waits for its turn holds a place among those in
/// flight; the one it waits for has one already, so all come to their end.
private final class ConnectionOrder {
    /// The turn of one request.
    struct Turn: Sendable {
        var before: Latch?
        var own: Latch?

        /// Waits for the end of the request before.
        func begin() async { await before?.wait() }

        /// Lets the next request go.
        func end() { own?.open() }
    }

    private var last: [ConnectionName: Latch] = [:]
    /// With how many connections those are forgotten on which nothing is under way.
    private var limit = 1024

    /// The turn of the next request; one without waiting where its connection is not known.
    func turn(of exchange: RecordedExchange) -> Turn {
        guard let name = ConnectionName(of: exchange) else { return Turn() }
        if last.count >= limit {
            last = last.filter { !$0.value.isOpen }
            limit = max(limit, 2 * last.count)
        }
        let own = Latch()
        let before = last.updateValue(own, forKey: name)
        return Turn(before: before, own: own)
    }
}

/// Something that happens once, and for which one task may wait.
private final class Latch: Sendable {
    private let state = Mutex<(isOpen: Bool, waiter: CheckedContinuation<Void, Never>?)>((false, nil))

    var isOpen: Bool { state.withLock(\.isOpen) }

    func wait() async {
        await withCheckedContinuation { caller in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiter = caller }
                return state.isOpen
            }
            if isOpen { caller.resume() }
        }
    }

    func open() {
        let waiter = state.withLock { state in
            state.isOpen = true
            return state.waiter
        }
        waiter?.resume()
    }
}
