// Wingmirror · Apache-2.0

internal import AnswerComparison
import NIOCore
import ShadowTesting
import Synchronization

/// Sends one target its copies, as many at a time as the queue lets through.
struct TargetRunner: Sendable {
    let target: MirrorTarget
    let queue: MirrorQueue
    let address: TargetAddress
    let requests: RequestFactory
    let now: @Sendable () -> Int64

    /// Sends until the queue has ended or the task is cancelled; then waits for what is in flight.
    func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await address.watch() }
            while await sendUntilStopped() {}
            tasks.cancelAll()
        }
    }

    /// Sends until nothing may be sent for a while, and cancels what is in flight then.
    ///
    /// - Returns: Whether there may be more to send later.
    private func sendUntilStopped() async -> Bool {
        await withDiscardingTaskGroup { sends in
            var isSending = false
            while !Task.isCancelled {
                switch queue.take(for: target.name, now: now()) {
                case .copy(let copy):
                    isSending = true
                    sends.addTask { await send(copy) }
                case .wait(let until):
                    await change(until: until)
                case .stop(let until):
                    if isSending {
                        // A group that was cancelled stays so; the next round has a new one.
                        sends.cancelAll()
                        return true
                    }
                    await change(until: until)
                case .end:
                    return false
                }
            }
            return false
        }
    }

    /// Sleeps until there may be something new, or until a time.
    private func change(until time: Int64?) async {
        guard let time else { return await queue.change(at: target.name) }
        let wait = max(time &- now(), 0)
        await withTaskGroup(of: Void.self) { race in
            race.addTask { try? await Task.sleep(for: .nanoseconds(wait)) }
            race.addTask { await queue.change(at: target.name) }
            await race.next()
            race.cancelAll()
        }
    }

    // MARK: - Sending

    private func send(_ copy: MirrorCopy) async {
        let request: ShadowRequest
        do {
            request = try requests.request(for: copy, target: target, sending: 0)
        } catch {
            return queue.found(copy, notEligible: error)
        }
        let start = now()
        guard queue.beginSending(copy, octets: request.octets, redactedValues: request.redactions, now: start) else {
            return
        }
        let first = await answer(to: request, copy, start: start)
        guard queue.ended(copy, first, now: now()) else { return }

        let again = (try? requests.request(for: copy, target: target, sending: 1)) ?? request
        let repeated = await answer(to: again, copy, start: now())
        queue.ended(copy, first: first, repeated: repeated, octets: again.octets, now: now())
    }

    private func answer(to request: ShadowRequest, _ copy: MirrorCopy, start: Int64) async -> ShadowAnswer {
        var answer = ShadowAnswer(result: .failure(.connect))
        if let connections = address.connections {
            answer = await connections.send(request, keeping: copy.ticket.policy.comparison.maximumContentOctets)
        }
        if case .failure(.connect) = answer.result { address.connectionFailed() }
        answer.intendedTime = copy.ticket.intendedTime
        // Times may be anything: a difference beyond the range wraps.
        answer.queueNanoseconds = max(start &- copy.ticket.intendedTime, 0)
        return answer
    }
}
