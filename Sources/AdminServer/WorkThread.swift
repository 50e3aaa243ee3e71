// Wingmirror · Apache-2.0

import Dispatch

/// A thread of its own for work that takes long, so that the threads shared by all tasks stay free for short answers.
///
/// The shared threads are as few as the processor's cores, one in many pods: whatever computes or waits on them keeps
/// `/healthz` from being answered. Work given to one `WorkThread` is done in order, one piece at a time.
public final class WorkThread: TaskExecutor {
    private let queue: DispatchQueue

    /// Makes a thread, which the system starts when there is work.
    ///
    /// - Parameter name: What debuggers show.
    public init(_ name: String) {
        queue = DispatchQueue(label: "wingmirror.\(name)")
    }

    /// Takes a piece of a task that prefers this thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The closure holds the executor while the job runs, and a job is enqueued to be run once.
        queue.async { [self] in unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// Does asynchronous work on this thread: all of it that is not bound to an actor.
    ///
    /// In a task of its own, as `withTaskExecutorPreference` lets an asynchronous function begin where its caller is.
    public func perform<Result: Sendable>(_ work: @escaping @Sendable () async -> Result) async -> Result {
        let task = Task(executorPreference: self) { await work() }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Does `work` on this thread, some time.
    public func submit(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: work)
    }

    /// Does `work` on this thread, and waits for what comes of it.
    ///
    /// - Returns: What came of it; `nil` when the waiting task was cancelled first. The work goes on then, as nothing can
    ///   interrupt a file system that does not answer.
    public func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result? {
        let (results, continuation) = AsyncStream.makeStream(of: Result.self)
        queue.async {
            continuation.yield(work())
            continuation.finish()
        }
        for await result in results { return result }
        return nil
    }
}
