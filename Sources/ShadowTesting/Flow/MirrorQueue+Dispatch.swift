// Wingmirror · Apache-2.0

public import AnswerComparison
import OctetText
internal import TrafficModel

extension MirrorQueue {
    /// What there is to do for a target.
    public enum Turn: Sendable {
        /// Build this copy and send it; `beginSending` or `found` must follow.
        case copy(MirrorCopy)
        /// Nothing until something changes, or until the time given.
        case wait(until: Int64?)
        /// Nothing may be sent, and what is in flight is to be cancelled, until something changes or the time given.
        case stop(until: Int64?)
        /// The queue has ended; what is in flight may end within its time.
        case end
    }

    /// Takes the next copy for a target, if one may be sent now.
    public func take(for target: String, now: Int64) -> Turn {
        change { state in
            guard let place = state.targetPlaces[target] else { return .end }
            return state.take(place, now: now)
        }
    }

    /// Sleeps until there may be something new for a target, or the task is cancelled; for one task at a time.
    public func change(at target: String) async {
        await sleep { state, task in
            guard let place = state.targetPlaces[target] else { return task }
            return state.targets[place].signal.sleep(task)
        } wakingUp: { state in
            state.targetPlaces[target].flatMap { state.targets[$0].signal.raise() }
        }
    }

    /// A copy that was taken is built and goes to a connection now; the last moment at which a pause stops it.
    ///
    /// - Parameters:
    ///   - copy: What was taken.
    ///   - octets: Of its head and content.
    ///   - redactedValues: How many values were taken out or replaced.
    ///   - now: The time.
    /// - Returns: Whether to send it; if not it has been dropped.
    public func beginSending(_ copy: MirrorCopy, octets: Int, redactedValues: Int, now: Int64) -> Bool {
        change { $0.beginSending(copy, octets: octets, redactedValues: redactedValues, now: now) }
    }

    /// A copy that was taken turned out not to be eligible when it was built.
    public func found(_ copy: MirrorCopy, notEligible reason: FilterReason) {
        change { state in
            state.lanes[copy.lane].queued -= 1
            state.lanes[copy.lane].filtered[reason, default: 0] += 1
            state.targets[copy.targetPlace].breaker.requestCancelled()
            state.leavePlace(copy.targetPlace)
            state.settle(copy, .filtered(reason), repeated: nil)
        }
    }

    /// A copy that was sent has ended.
    ///
    /// - Returns: Whether to send it a second time now, of which `ended(_:first:repeated:octets:now:)` tells the end.
    public func ended(_ copy: MirrorCopy, _ answer: ShadowAnswer, now: Int64) -> Bool {
        change { $0.ended(copy, answer, now: now) }
    }

    /// The second sending of a copy has ended.
    public func ended(_ copy: MirrorCopy, first: ShadowAnswer, repeated: ShadowAnswer, octets: Int, now: Int64) {
        change { $0.ended(copy, first: first, repeated: repeated, octets: octets, now: now) }
    }

    /// It became known where a target is, or that it may not be sent to.
    ///
    /// - Returns: Whether that is news.
    @discardableResult
    public func found(_ target: String, _ reach: TargetReach) -> Bool {
        change { state in
            guard let place = state.targetPlaces[target], state.targets[place].figures.reach != reach else {
                return false
            }
            state.targets[place].figures.reach = reach
            if case .refused = reach { state.drain(place, .targetRefused) }
            state.wake(place)
            return true
        }
    }

    // MARK: - Judging

    /// An exchange whose copies have all ended, the oldest first; `judged` must follow.
    public func takeFinished() -> FinishedExchange? {
        change { $0.finished.popFirst() }
    }

    /// Sleeps until there may be a finished exchange, the queue ends, or the task is cancelled; for one task at a time.
    public func finishedChange() async {
        await sleep {
            $0.judgeSignal.sleep($1)
        } wakingUp: {
            $0.judgeSignal.raise()
        }
    }

    /// A finished exchange has been judged and is no longer held.
    public func judged(_ exchange: FinishedExchange) {
        change { $0.release(exchange.ticket) }
    }
}

extension MirrorQueueState {
    // MARK: - Taking

    fileprivate mutating func take(_ place: Int, now: Int64) -> MirrorQueue.Turn {
        guard !hasEnded else { return .end }
        // The target may be back with the next plan; whoever sends to it need not begin anew.
        guard targets[place].figures.isActive else { return .stop(until: nil) }
        if isStopped(now: now) { return .stop(until: pauses.end(now: now)) }
        dropExpired(place, now: now)
        switch targets[place].figures.reach {
        case .unknown: return .wait(until: nil)
        case .refused: return .stop(until: nil)
        case .allowed, .unresolved: break
        }
        guard !targets[place].waiting.isEmpty, !targets[place].isBusy else { return .wait(until: nil) }
        if pauses.isPaused(now: now) { return .wait(until: pauses.end(now: now)) }
        guard targets[place].breaker.allowsRequest(now: now) else { return .wait(until: expiry(place)) }
        guard targets[place].rate.take(now: now) else { return .wait(until: targets[place].rate.time(now: now)) }
        guard let copy = targets[place].waiting.popFirst() else { return .wait(until: nil) }
        targets[place].figures.queuedOctets -= copy.ticket.octets
        targets[place].figures.busyPlaces += 1
        targets[place].breaker.requestSent()
        return .copy(copy)
    }

    /// When the copy that waits longest is no longer worth sending.
    private func expiry(_ place: Int) -> Int64? {
        targets[place].waiting.first.map { copy in
            copy.ticket.intendedTime.advanced(by: copy.ticket.shared.maximumLag) &+ 1
        }
    }

    private mutating func dropExpired(_ place: Int, now: Int64) {
        while let copy = targets[place].waiting.first,
            now > copy.ticket.intendedTime.advanced(by: copy.ticket.shared.maximumLag)
        {
            guard targets[place].waiting.popFirst() != nil else { return }
            targets[place].figures.queuedOctets -= copy.ticket.octets
            drop(copy, .expired)
        }
    }

    /// Whether mirroring is paused for a reason that also ends what is in flight; too many octets only make copies wait.
    mutating func isStopped(now: Int64) -> Bool {
        pauses.isPaused(now: now) && !pauses.reasons(now: now).subtracting([.egress]).isEmpty
    }

    // MARK: - Sending

    fileprivate mutating func beginSending(_ copy: MirrorCopy, octets: Int, redactedValues: Int, now: Int64) -> Bool {
        let place = copy.targetPlace
        if let reason = lateRefusal(copy, now: now) {
            targets[place].breaker.requestCancelled()
            leavePlace(place)
            drop(copy, reason)
            return false
        }
        lanes[copy.lane].queued -= 1
        lanes[copy.lane].sent += 1
        lanes[copy.lane].inFlight += 1
        lanes[copy.lane].redactedValues += UInt64(max(redactedValues, 0))
        // Times may be anything: a difference beyond the range wraps.
        targets[place].figures.queueWait.observe(now &- copy.ticket.intendedTime)
        targets[place].figures.sentSizes.observe(copy.ticket.exchange.request.message.contentOctets)
        countSent(place, octets: octets, now: now)
        return true
    }

    /// Why a copy that was taken may no longer be sent.
    private mutating func lateRefusal(_ copy: MirrorCopy, now: Int64) -> DropReason? {
        if hasEnded { return .shutdown }
        if !lanes[copy.lane].isActive { return .reload }
        if isStopped(now: now) { return .paused }
        if case .refused = targets[copy.targetPlace].figures.reach { return .targetRefused }
        return nil
    }

    private mutating func countSent(_ place: Int, octets: Int, now: Int64) {
        targets[place].figures.sentOctets += UInt64(max(octets, 0))
        if let end = egress.requestSent(octets: max(octets, 0), now: now) {
            pauses.pause(.egress, until: end)
        }
    }

    /// One request less is in flight to a target.
    fileprivate mutating func leavePlace(_ place: Int) {
        targets[place].figures.busyPlaces -= 1
        wake(place)
    }

    // MARK: - Ends

    fileprivate mutating func ended(_ copy: MirrorCopy, _ answer: ShadowAnswer, now: Int64) -> Bool {
        lanes[copy.lane].inFlight -= 1
        if answer.isOfSecondSending { lanes[copy.lane].sentAgain += 1 }
        switch answer.result {
        case .success:
            lanes[copy.lane].answered += 1
            observeDuration(copy, answer)
        case .failure(let reason):
            lanes[copy.lane].failed[reason, default: 0] += 1
        }
        learn(copy, answer, now: now)
        if copy.isRepeated, answer.response != nil, takeForRepeat(copy, now: now) {
            return true
        }
        leavePlace(copy.targetPlace)
        settle(copy, .sent(answer), repeated: nil)
        return false
    }

    /// Whether a second copy may be sent at once in the place of the first; the first answer alone is worth having too.
    private mutating func takeForRepeat(_ copy: MirrorCopy, now: Int64) -> Bool {
        guard lateRefusal(copy, now: now) == nil, !pauses.isPaused(now: now) else { return false }
        guard case .closed = targets[copy.targetPlace].breaker.state(now: now) else { return false }
        return targets[copy.targetPlace].rate.take(now: now)
    }

    fileprivate mutating func ended(
        _ copy: MirrorCopy,
        first: ShadowAnswer,
        repeated: ShadowAnswer,
        octets: Int,
        now: Int64
    ) {
        if repeated.isOfSecondSending { lanes[copy.lane].sentAgain += 1 }
        switch repeated.result {
        case .success: lanes[copy.lane].repeatsAnswered += 1
        case .failure(let reason): lanes[copy.lane].repeatsFailed[reason, default: 0] += 1
        }
        countSent(copy.targetPlace, octets: octets, now: now)
        learn(copy, repeated, now: now)
        leavePlace(copy.targetPlace)
        settle(copy, .sent(first), repeated: repeated)
    }

    private mutating func observeDuration(_ copy: MirrorCopy, _ answer: ShadowAnswer) {
        let place = copy.targetPlace
        let route = copy.ticket.exchange.route
        let isKnown =
            targets[place].figures.durations.count < limits.routes || targets[place].figures.durations[route] != nil
        let key = isKnown ? route : RouteName()
        let none = BucketCounts(bounds: limits.durationBounds)
        targets[place].figures.durations[key, default: none].observe(answer.durationNanoseconds)
    }

    /// Lets breaker, ramp and back-off know what became of a request.
    private mutating func learn(_ copy: MirrorCopy, _ answer: ShadowAnswer, now: Int64) {
        let place = copy.targetPlace
        let isFailure: Bool
        let isOverload: Bool
        switch answer.result {
        case .failure(.cancelled):
            return targets[place].breaker.requestCancelled()
        case .failure where answer.ranOutOfTime(beside: copy.ticket.exchange):
            // A request that takes longer than the target is given says nothing of the target's health.
            return targets[place].breaker.requestCancelled()
        case .failure:
            (isFailure, isOverload) = (true, true)
        case .success(let response):
            // An error that production gives too is the right answer.
            let errors = copy.ticket.policy.comparison.grpcErrorStatuses
            let productionFailed = copy.ticket.exchange.response?.isFailure(errors) ?? false
            isFailure = response.isFailure(errors) && !productionFailed
            isOverload = response.asksForLess || (response.isUnavailable && isFailure)
        }
        if targets[place].backOff.requestEnded(isOverload: isOverload, now: now) {
            targets[place].ramp.becameUnhealthy(now: now)
        }
        if !isFailure, !isOverload { targets[place].ramp.answerArrived(now: now) }
        if targets[place].breaker.requestEnded(isFailure: isFailure, latency: answer.durationNanoseconds, now: now) {
            targets[place].figures.breakerOpenings += 1
            targets[place].ramp.becameUnhealthy(now: now)
            drain(place, .breaker)
        }
    }
}
