// Wingmirror · Apache-2.0

import AgentConfiguration
import Dispatch
import OctetText
import Synchronization

/// Carries records from the capture threads to a thread that writes them, and drops what does not fit.
///
/// A capture thread never waits: when its lane is full the batch is dropped and its records are counted. The lanes share
/// what may wait, and the writer takes from them in turn, so that records of one worker are in order.
final class RecordQueue: Sendable {
    /// Batches of up to 64 KiB that may wait at most: 64 MiB, some seconds of a disk that stalls.
    static let capacity = 1024

    /// Batches that may wait.
    let capacity: Int

    /// What became of the records.
    let ledger = RecordLedger()

    private let lanes: [Lane]
    /// The lane to look at next; moved by the thread that writes.
    private let nextLane = Atomic<Int>(0)
    private let closing = Atomic<Bool>(false)
    private let cannotWrite = Atomic<Bool>(false)
    private let reopening = Atomic<Bool>(false)
    private let wakeUp = DispatchSemaphore(value: 0)

    /// Makes an empty queue.
    ///
    /// - Parameters:
    ///   - workers: How many threads add.
    ///   - budget: What the whole agent may take, in octets; the queue takes no more than its share.
    init(workers: Int = 1, budget: Int = .max) {
        let share = min(Self.capacity, max(MemoryShare.records.octets(of: budget) / 65_536, 4))
        let places = max(share / workers, 1)
        lanes = (0..<workers).map { _ in Lane(capacity: places) }
        capacity = places * workers
    }

    /// Batches that wait now.
    var count: Int { lanes.reduce(0) { $0 + $1.count } }

    // MARK: - The threads that add

    /// Adds a batch of whole lines, or drops it; each worker calls it on one thread.
    func append(_ lines: [UInt8], of worker: Int = 0) {
        guard lanes[worker].append(lines) else {
            return ledger.lose(lines, cannotWrite.load(ordering: .relaxed) ? .writeFailed : .queueFull)
        }
        wakeUp.signal()
    }

    /// Adds a copy of a batch of whole lines, or drops it.
    func append(_ lines: Span<UInt8>, of worker: Int) {
        var batch: [UInt8] = []
        batch.append(addingCapacity: lines.count) { $0.append(copying: lines) }
        append(batch, of: worker)
    }

    // MARK: - Others

    /// No batch will be added any more.
    func close() {
        closing.store(true, ordering: .releasing)
        wakeUp.signal()
    }

    /// Asks the writer to open its file anew, as somebody has renamed it.
    func reopen() {
        reopening.store(true, ordering: .relaxed)
        wakeUp.signal()
    }

    // MARK: - The thread that writes

    /// Whether no batch will be added any more.
    var isClosed: Bool { closing.load(ordering: .acquiring) }

    /// Takes the batch that waits for longest in the lane whose turn it is, or in the next that has one; `nil` when none does.
    func next() -> [UInt8]? {
        let first = nextLane.load(ordering: .relaxed)
        for offset in lanes.indices {
            let lane = (first + offset) % lanes.count
            guard let lines = lanes[lane].next() else { continue }
            nextLane.store(lane + 1, ordering: .relaxed)
            return lines
        }
        return nil
    }

    /// Waits until something happens, or a second has passed.
    func wait() {
        _ = wakeUp.wait(timeout: .now() + .seconds(1))
    }

    /// Whether somebody has asked for the file to be opened anew since this was asked last.
    func takeReopening() -> Bool {
        reopening.exchange(false, ordering: .relaxed)
    }

    /// Says whether records can be written, and why not.
    func canWrite(unless failure: String?) {
        cannotWrite.store(failure != nil, ordering: .relaxed)
        ledger.failure = failure
    }
}

/// A ring for one thread that adds and one that writes.
///
/// Each of them moves its own end, and touches a place only while it lies on its side of both ends; so the lock of a place,
/// which is there for the compiler's sake, is never held by the other when it is taken.
private final class Lane: Sendable {
    private let places: [Place]
    /// How many batches have been added; moved by the thread that adds.
    private let added = Atomic<Int>(0)
    /// How many batches have been taken; moved by the thread that writes.
    private let taken = Atomic<Int>(0)

    /// Where a batch waits.
    private final class Place: Sendable {
        private let lines = Mutex<[UInt8]>([])

        /// Puts a batch here; `false` if the other thread is here, which the two ends rule out.
        func put(_ lines: [UInt8]) -> Bool {
            self.lines.withLockIfAvailable { $0 = lines } != nil
        }

        func take() -> [UInt8] {
            lines.withLock { lines in
                let taken = lines
                lines = []
                return taken
            }
        }
    }

    init(capacity: Int) {
        places = (0..<capacity).map { _ in Place() }
    }

    /// Batches that wait now.
    var count: Int {
        // In this order, or what is taken meanwhile would make the difference negative.
        let taken = taken.load(ordering: .acquiring)
        return added.load(ordering: .acquiring) - taken
    }

    /// Adds a batch; `false` when there is no room for it.
    func append(_ lines: [UInt8]) -> Bool {
        let number = added.load(ordering: .relaxed)
        // Acquiring: the writer has emptied the place before it moved its end past it.
        guard number - taken.load(ordering: .acquiring) < places.count, places[number % places.count].put(lines) else {
            return false
        }
        // Releasing: the writer sees what is in the place when it sees that there is something.
        added.store(number + 1, ordering: .releasing)
        return true
    }

    /// Takes the batch that waits for longest; `nil` when none does.
    func next() -> [UInt8]? {
        let number = taken.load(ordering: .relaxed)
        guard number < added.load(ordering: .acquiring) else { return nil }
        let lines = places[number % places.count].take()
        taken.store(number + 1, ordering: .releasing)
        return lines
    }
}
