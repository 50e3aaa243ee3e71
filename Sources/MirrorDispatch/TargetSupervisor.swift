// Wingmirror · Apache-2.0

import ShadowTesting

/// Runs a runner for each target of the plan in force, until the queue ends.
struct TargetSupervisor: Sendable {
    let queue: MirrorQueue
    let limits: DispatchLimits
    let makeRunner: @Sendable (MirrorTarget) -> TargetRunner

    func run() async {
        var running: [String: (target: MirrorTarget, task: Task<Void, Never>)] = [:]
        while !queue.hasEnded {
            let wanted = Dictionary(queue.activeTargets.map { ($0.name, $0) }) { first, _ in first }
            for (name, runner) in running where wanted[name].map({ !$0.isServed(asBefore: runner.target) }) ?? true {
                // What is in flight to a target that is gone, or elsewhere, is given up. The next runner waits for the end
                // of this one, so that only one takes copies.
                runner.task.cancel()
                await runner.task.value
                running[name] = nil
            }
            for (name, target) in wanted where running[name] == nil {
                let runner = makeRunner(target)
                running[name] = (target, Task { await runner.run() })
            }
            await queue.planChange()
        }
        await drain(running.values.map(\.task))
    }

    /// Gives what is in flight a while to end.
    private func drain(_ tasks: [Task<Void, Never>]) async {
        let deadline = Task {
            try? await Task.sleep(for: limits.drainTime)
            for task in tasks { task.cancel() }
        }
        for task in tasks { await task.value }
        deadline.cancel()
        await deadline.value
    }
}

extension MirrorTarget {
    /// Whether the runner of another version of the target can go on: what is different is looked after by the queue.
    fileprivate func isServed(asBefore other: MirrorTarget) -> Bool {
        var same = self
        same.ratePerSecond = other.ratePerSecond
        same.queueOctets = other.queueOctets
        same.dropsFirst = other.dropsFirst
        same.breaker = other.breaker
        same.ramp = other.ramp
        return same == other
    }
}
