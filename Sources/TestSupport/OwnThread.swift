// Wingmirror · Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// A thread for what computes or waits for long in a test, so that the threads shared by all tasks stay free for the others.
///
/// The shared threads are as few as the processor's cores: two tests that compute for seconds let every deadline of
/// others pass.
package final class OwnThread: TaskExecutor {
    /// The one thread of tests that compute for seconds: no two of them do at once.
    package static let heavy = OwnThread("heavy")

    private let queue: DispatchQueue
    /// The thread that runs a piece; 0 between two.
    private let current = Atomic<UInt>(0)

    private init(_ name: String) {
        queue = DispatchQueue(label: "test.\(name)")
    }

    /// Takes a piece of a task that prefers this thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The closure holds the executor while the job runs, and a job is enqueued to be run once.
        queue.async { [self] in
            current.store(pthread_self(), ordering: .relaxed)
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            current.store(0, ordering: .relaxed)
        }
    }

    /// Whether the caller runs on this thread.
    package var isCurrent: Bool { current.load(ordering: .relaxed) == pthread_self() }

    /// Begins `work` on a thread that ends with it.
    package static func start(_ work: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "test.own").async(execute: work)
    }

    /// Does `work` on a thread that ends with it.
    ///
    /// - Returns: What came of it.
    package static func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { done in start { done.resume(returning: work()) } }
    }
}
