// Wingmirror · Apache-2.0

internal import Synchronization
public import TrafficMetrics

/// Where the workers of a capture leave what they count: one board a worker, summed when somebody reads.
///
/// A worker is a capture thread with its pipeline. It writes to its own board only, so that workers share nothing.
public final class WorkerBoards: Sendable {
    /// One for each worker.
    public let workers: [WorkerBoard]

    /// Makes a board for each shard of a registry.
    public init(_ registry: MetricsRegistry) {
        workers = registry.shards.map { WorkerBoard(shard: $0) }
    }

    /// The board of the only worker, for what runs on one thread by its nature.
    public var sole: WorkerBoard {
        precondition(workers.count == 1, "WorkerBoards.sole: there are \(workers.count) workers")
        return workers[0]
    }

    /// The figures of all workers together, as each left them last.
    public var figures: PipelineFigures {
        guard let first = workers.first else { return PipelineFigures() }
        return workers.dropFirst().reduce(into: first.figures) { $0.add($1.figures) }
    }
}

/// Where one worker leaves what it counts for others to read; it never waits for them.
public final class WorkerBoard: Sendable {
    /// What the traffic is counted into; the worker is its only writer.
    let shard: TrafficShard
    private let latest = Mutex(PipelineFigures())

    init(shard: TrafficShard) {
        self.shard = shard
    }

    /// The figures as they were left last.
    var figures: PipelineFigures { latest.withLock { $0 } }

    /// Leaves figures, unless somebody is reading just now; then those of the next batch will do.
    func publish(_ figures: borrowing PipelineFigures) {
        let copy = copy figures
        latest.withLockIfAvailable { $0 = copy }
    }

    /// Leaves the last figures, when no packet can be late any more.
    func publishLast(_ figures: borrowing PipelineFigures) {
        let copy = copy figures
        latest.withLock { $0 = copy }
    }
}
