// Wingmirror · Apache-2.0

import Dispatch

/// A thread for what computes or waits for long in a test, so that the threads shared by all tasks stay free for the others.
///
/// The shared threads are as few as the processor's cores: two tests that compute for seconds let every deadline of
/// others pass.
package final class OwnThread: TaskExecutor {
    private static let mark = DispatchSpecificKey<Void>()

    private let queue = DispatchQueue(label: "test.own")

    /// Makes a thread that ends with what it is given.
    package init() {
        queue.setSpecific(key: Self.mark, value: ())
    }

    /// Takes a piece of a task that prefers this thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The closure holds the executor while the job runs, and a job is enqueued to be run once.
        queue.async { [self] in unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// Whether the caller runs on such a thread.
    package static var isCurrent: Bool { DispatchQueue.getSpecific(key: mark) != nil }

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
