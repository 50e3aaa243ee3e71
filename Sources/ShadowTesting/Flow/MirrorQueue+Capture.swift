// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

extension MirrorQueue {
    /// Takes over what a capture thread has; never waits.
    ///
    /// - Parameters:
    ///   - outbox: Emptied, or left as it is when somebody else holds the queue at the moment.
    ///   - now: When the copies are to be sent: now.
    /// - Returns: Whether the outbox was taken over.
    @discardableResult
    public func deliver(_ outbox: inout MirrorOutbox, now: Int64) -> Bool {
        guard !outbox.isEmpty else { return true }
        guard changeIfFree({ $0.takeOver(outbox, now: now) }) != nil else { return false }
        outbox.delivered()
        return true
    }

    /// Takes over what a capture thread has, waiting for the queue if need be; for the end of a capture.
    public func deliverLast(_ outbox: inout MirrorOutbox, now: Int64) {
        change { $0.takeOver(outbox, now: now) }
        outbox.delivered()
    }
}

extension MirrorQueueState {
    // MARK: - Counts

    fileprivate mutating func takeOver(_ outbox: MirrorOutbox, now: Int64) {
        for counts in outbox.earlier { count(counts.tallies, ofEdition: counts.edition) }
        if !outbox.tallies.isEmpty { count(outbox.tallies, ofEdition: outbox.edition) }
        for (place, count) in outbox.overflowed { self.count(overflowed: count, place) }
        for exchange in outbox.exchanges { enter(exchange, now: now) }
    }

    private mutating func count(_ tallies: MirrorTallies, ofEdition number: Int) {
        let edition = editions.last { $0.number == number }
        for policy in 0..<tallies.policyCount {
            let tally = tallies.tally(ofPolicy: policy)
            guard let edition, edition.policies.indices.contains(policy) else {
                stale += tally.notSampled + tally.filtered.values.reduce(0, +)
                continue
            }
            for lane in edition.policies[policy].lanes { count(tally, lane: lane) }
        }
    }

    private mutating func count(_ tally: MirrorTally, lane: Int) {
        lanes[lane].considered += tally.notSampled
        lanes[lane].notSampled += tally.notSampled
        for (reason, count) in tally.filtered {
            lanes[lane].considered += count
            lanes[lane].filtered[reason, default: 0] += count
        }
    }

    private mutating func count(overflowed count: UInt64, _ place: MirrorOutbox.PolicyPlace) {
        guard
            let edition = editions.last(where: { $0.number == place.edition }),
            edition.policies.indices.contains(place.policy)
        else {
            stale += count
            return
        }
        for lane in edition.policies[place.policy].lanes {
            lanes[lane].considered += count
            lanes[lane].dropped[.queueFull, default: 0] += count
        }
    }

    // MARK: - Exchanges

    fileprivate mutating func enter(_ sampled: SampledExchange, now: Int64) {
        guard
            let edition = editions.last(where: { $0.number == sampled.planEdition }),
            edition.policies.indices.contains(sampled.policy)
        else {
            stale += 1
            return
        }
        let (name, oldLanes) = edition.policies[sampled.policy]
        let policy = policyPlaces[name]
        let lanesNow = policy.map { policies[$0].lanes } ?? []
        for lane in oldLanes where !lanesNow.contains(lane) {
            lanes[lane].considered += 1
            countDrop(lane, .reload, sampled.exchange)
            missed(lane, sampled.exchange.route, .reload)
        }
        guard let policy else { return }
        let isWithinRate = policies[policy].rate?.take(now: now) ?? true
        var admitted: [Int] = []
        var refused: [Int: DropReason] = [:]
        for lane in lanesNow {
            lanes[lane].considered += 1
            if let reason = refusal(lane, keyHash: sampled.keyHash, isWithinRate: isWithinRate, now: now) {
                countDrop(lane, reason, sampled.exchange)
                missed(lane, sampled.exchange.route, reason)
                refused[lane] = reason
            } else {
                admitted.append(lane)
            }
        }
        if !admitted.isEmpty {
            admit(sampled, policy: policies[policy].shared, lanes: admitted, refused: refused, now: now)
        }
    }

    /// Why no copy goes into a lane; `nil` when one may.
    private mutating func refusal(_ lane: Int, keyHash: UInt64, isWithinRate: Bool, now: Int64) -> DropReason? {
        let target = laneTargets[lane]
        if hasEnded { return .shutdown }
        if isStopped(now: now) { return .paused }
        if case .refused = targets[target].figures.reach { return .targetRefused }
        targets[target].ramp.timePassed(now: now)
        switch targets[target].breaker.state(now: now) {
        case .closed: break
        case .open: return .breaker
        case .halfOpen(let probeIsOut):
            guard !probeIsOut, targets[target].waiting.isEmpty else { return .breaker }
        }
        // Another number of the same key, so that whether a request is left out does not follow from its being sampled.
        let place = SeededGenerator.fraction(SeededGenerator.mixed(keyHash))
        guard place < targets[target].ramp.share else { return .ramp }
        guard place < targets[target].share else { return .backOff }
        return isWithinRate && targets[target].settings.ratePerSecond > 0 ? nil : .rate
    }

    private mutating func admit(
        _ sampled: SampledExchange,
        policy: SharedPolicy,
        lanes admitted: [Int],
        refused: [Int: DropReason],
        now: Int64
    ) {
        var refused = refused
        let octets = sampled.exchange.octetsInMemory
        var fitting: [Int] = []
        for lane in admitted {
            if let reason = makeRoom(laneTargets[lane], octets: octets) {
                countDrop(lane, reason, sampled.exchange)
                missed(lane, sampled.exchange.route, reason)
                refused[lane] = reason
            } else {
                fitting.append(lane)
            }
        }
        guard !fitting.isEmpty else { return }

        let ticket = MirrorTicket(
            serial: nextSerial,
            policy: policy,
            sampled: sampled,
            intendedTime: now,
            octets: octets
        )
        nextSerial += 1
        heldOctets += octets
        heldExchanges += 1
        open[ticket.serial] = Open(
            ticket: ticket,
            lanes: fitting,
            fates: fitting.map { _ in nil },
            refusedBaseline: refusedBaseline(refused, policy)
        )
        // What may change something is sent once: a second order is none of the client's.
        let isSafe = SafeMethods.contains(sampled.exchange.request.method)
        let isRepeated =
            isSafe && policy.settings.baseline == nil
            && Double.random(in: 0..<1, using: &random) < policy.settings.repeatShare
        // In random order, so that no target is always asked first and warms what they share.
        for (turn, lane) in fitting.shuffled(using: &random).enumerated() {
            append(ticket, lane: lane, isRepeated: isRepeated, turn: turn)
        }
    }

    /// What became of the baseline's copy, where it was refused: for the same reason the others have nothing to be held against.
    private func refusedBaseline(_ refused: [Int: DropReason], _ policy: SharedPolicy) -> FinishedExchange.Fate? {
        guard let baseline = policy.settings.baseline else { return nil }
        return refused.first { targets[laneTargets[$0.key]].settings.name == baseline }
            .map { _, reason in
                FinishedExchange.Fate(
                    target: baseline,
                    isBaseline: true,
                    turn: 0,
                    outcome: .dropped(reason),
                    repeated: nil
                )
            }
    }

    private mutating func append(_ ticket: MirrorTicket, lane: Int, isRepeated: Bool, turn: Int) {
        let target = laneTargets[lane]
        lanes[lane].queued += 1
        targets[target].figures.queuedOctets += ticket.octets
        targets[target].waiting.append(
            MirrorCopy(
                ticket: ticket,
                target: targets[target].settings.name,
                isRepeated: isRepeated,
                turn: turn,
                lane: lane,
                targetPlace: target
            )
        )
        wake(target)
    }

    // MARK: - Room

    /// Makes room for a copy, by dropping older ones where the target's settings say so.
    ///
    /// - Returns: Why there is no room; `nil` when there is.
    private mutating func makeRoom(_ target: Int, octets: Int) -> DropReason? {
        while let reason = shortage(target, octets: octets) {
            guard targets[target].settings.dropsFirst == .oldest, let oldest = targets[target].waiting.popFirst() else {
                return reason
            }
            targets[target].figures.queuedOctets -= oldest.ticket.octets
            drop(oldest, reason)
        }
        return nil
    }

    private func shortage(_ target: Int, octets: Int) -> DropReason? {
        if heldOctets + octets > limits.octets || heldExchanges >= limits.exchanges { return .queueFull }
        if targets[target].figures.queuedOctets + octets > targets[target].settings.queueOctets { return .queueFull }
        let waiting = targets[target].waiting.count
        guard waiting >= targets[target].capacity(limits) else { return nil }
        // A target that keeps up is only held back by its rate.
        return targets[target].isBusy || waiting >= limits.copiesPerTarget ? .queueFull : .rate
    }
}
