// Wingmirror · Apache-2.0

import Dispatch
import Synchronization

/// Carries records from the capture thread to a thread that writes them, and drops what does not fit.
///
/// The capture thread never waits: when the queue is full the batch is dropped and its records are counted. After a write
/// has failed everything is dropped, and counted under that reason.
final class RecordQueue: Sendable {
    /// Batches of up to 64 KiB that may wait: 64 MiB, some seconds of a disk that stalls.
    static let capacity = 1024

    private let waiting = Mutex<[[UInt8]]>([])
    private let isClosed = Atomic<Bool>(false)
    private let hasFailed = Atomic<Bool>(false)
    private let wakeUp = DispatchSemaphore(value: 0)
    private let fullDrops = Atomic<UInt64>(0)
    private let failureDrops = Atomic<UInt64>(0)

    /// Batches that wait now.
    var count: Int { waiting.withLock { $0.count } }

    /// Records dropped because the queue was full.
    var droppedByFullQueue: UInt64 { fullDrops.load(ordering: .relaxed) }

    /// Records dropped because they could not be written.
    var droppedByFailure: UInt64 { failureDrops.load(ordering: .relaxed) }

    /// Adds a batch of whole lines, or drops it.
    func append(_ lines: [UInt8]) {
        if hasFailed.load(ordering: .relaxed) {
            return drop(lines, failureDrops)
        }
        let isTaken = waiting.withLock { waiting in
            guard waiting.count < Self.capacity else { return false }
            waiting.append(lines)
            return true
        }
        if isTaken {
            wakeUp.signal()
        } else {
            drop(lines, fullDrops)
        }
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
            let batches = waiting.withLock { waiting in
                let batches = waiting
                waiting.removeAll(keepingCapacity: true)
                return batches
            }
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
