// Wingmirror · Apache-2.0

import AgentConfiguration
import OctetText
import Synchronization

/// The heartbeats of all capture threads: the agent is as well as the one that is worst off.
struct Heartbeats: Sendable {
    /// One for each worker.
    let workers: [Heartbeat]

    /// Makes heartbeats of so many workers.
    init(workers: Int) {
        self.workers = (0..<workers).map { _ in Heartbeat() }
    }

    /// How long ago that thread made progress which has made none for longest; `nil` once all have done everything.
    var age: Duration? { workers.compactMap(\.age).max() }
}

/// When the capture thread last showed that it makes progress; written by it, read by the health endpoint.
final class Heartbeat: Sendable {
    /// Beyond this age the thread is taken to hang; it shows itself several times a second.
    static let limit: Duration = .seconds(10)

    private let start = ContinuousClock.now
    /// Nanoseconds from `start`; negative once there is nothing left to do.
    private let latest = Atomic<Int64>(0)
    /// Nanoseconds from the capture of a packet to its processing, of the latest batch.
    private let lagOfLatest = Atomic<Int64>(0)

    /// The thread makes progress.
    func beat() {
        latest.store((ContinuousClock.now - start).nanoseconds, ordering: .relaxed)
    }

    /// The thread makes progress, and is so far behind the packets.
    func beat(lag: Int64) {
        lagOfLatest.store(max(lag, 0), ordering: .relaxed)
        beat()
    }

    /// From the capture of a packet to its processing, in seconds, at the end of the latest batch.
    var lagSeconds: Double { Double(lagOfLatest.load(ordering: .relaxed)) / 1_000_000_000 }

    /// The thread has done all there was to do, and will not be heard of again.
    func finished() {
        latest.store(-1, ordering: .relaxed)
    }

    /// How long ago the thread made progress; `nil` once it has done everything.
    var age: Duration? {
        let latest = latest.load(ordering: .relaxed)
        return latest < 0 ? nil : ContinuousClock.now - start - .nanoseconds(latest)
    }
}
