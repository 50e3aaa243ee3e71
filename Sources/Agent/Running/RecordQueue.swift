// Wingmirror · Apache-2.0

import Dispatch
import Synchronization

/// Carries records from the capture thread to a thread that writes them, and drops what does not fit.
///
/// The capture thread never waits: when the queue is full the batch is dropped and its records are counted. After a write
/// has failed everything is dropped, and counted under that reason.
///
/// The queue is a ring for one thread that adds and one that writes. Each of them moves its own end, and touches a place
/// only while it lies on its side of both ends; so the lock of a place, which is there for the compiler's sake, is never
/// held by the other when it is taken.
final class RecordQueue: Sendable {
    /// Batches of up to 64 KiB that may wait: 64 MiB, some seconds of a disk that stalls.
    static let capacity = 1024

    private let places: [Place]
    /// How many batches have been added; moved by the thread that adds.
    private let added = Atomic<Int>(0)
    /// How many batches have been taken; moved by the thread that writes.
    private let taken = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)
    private let hasFailed = Atomic<Bool>(false)
    private let wakeUp = DispatchSemaphore(value: 0)
    private let fullDrops = Atomic<UInt64>(0)
    private let failureDrops = Atomic<UInt64>(0)

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

    /// Makes an empty queue.
    init() {
        places = (0..<Self.capacity).map { _ in Place() }
    }

    /// Batches that wait now.
    var count: Int {
        // In this order, or what is taken meanwhile would make the difference negative.
        let taken = taken.load(ordering: .acquiring)
        return added.load(ordering: .acquiring) - taken
    }

    /// Records dropped because the queue was full.
    var droppedByFullQueue: UInt64 { fullDrops.load(ordering: .relaxed) }

    /// Records dropped because they could not be written.
    var droppedByFailure: UInt64 { failureDrops.load(ordering: .relaxed) }

    /// Adds a batch of whole lines, or drops it; for one thread.
    func append(_ lines: [UInt8]) {
        if hasFailed.load(ordering: .relaxed) {
            return drop(lines, failureDrops)
        }
        let number = added.load(ordering: .relaxed)
        // Acquiring: the writer has emptied the place before it moved its end past it.
        guard number - taken.load(ordering: .acquiring) < Self.capacity, places[number % Self.capacity].put(lines)
        else {
            return drop(lines, fullDrops)
        }
        // Releasing: the writer sees what is in the place when it sees that there is something.
        added.store(number + 1, ordering: .releasing)
        wakeUp.signal()
    }

    /// Takes all batches that wait; for the thread that writes.
    private func takeAll() -> [[UInt8]] {
        let end = added.load(ordering: .acquiring)
        let start = taken.load(ordering: .relaxed)
        let batches = (start..<end).map { places[$0 % Self.capacity].take() }
        taken.store(end, ordering: .releasing)
        return batches
    }

    /// No batch will be added any more; `write` returns when those that wait are written.
    func close() {
        isClosed.store(true, ordering: .releasing)
        wakeUp.signal()
    }

    /// Writes batches until the queue is closed and empty; for a thread of its own.
    ///
    /// - Parameters:
    ///   - output: Where they go.
    ///   - report: Called once when writing fails.
    func write(to output: consuming OctetOutput, report: (OctetOutput.Failure) -> Void) {
        while true {
            let isLast = isClosed.load(ordering: .acquiring)
            let batches = takeAll()
            do throws(OctetOutput.Failure) {
                if !hasFailed.load(ordering: .relaxed) {
                    for batch in batches { try output.append(batch) }
                    try output.flush()
                }
            } catch {
                hasFailed.store(true, ordering: .relaxed)
                for batch in batches { drop(batch, failureDrops) }
                report(error)
            }
            if isLast {
                return
            }
            wakeUp.wait()
        }
    }

    private func drop(_ lines: [UInt8], _ counter: borrowing Atomic<UInt64>) {
        counter.wrappingAdd(UInt64(lines.count { $0 == UInt8(ascii: "\n") }), ordering: .relaxed)
    }
}
