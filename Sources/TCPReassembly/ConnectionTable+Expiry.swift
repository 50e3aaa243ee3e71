// Wingmirror · Apache-2.0

import PacketDecoding

/// How entries are forgotten: by time, and when a class of them is full.
extension ConnectionTable {
    /// Gives up what is overdue on the clock.
    mutating func timersReached<Sink: StreamSink & ~Copyable>(at time: PacketTime, into sink: inout Sink) {
        while let index = holeDeadlines.nextDue(at: clock.now) {
            setDeadline(nil, at: index)
            settle(waits[index >> 1].slot, at: time, into: &sink)
        }
        while let slot = expiry.nextDue(at: clock.now) {
            entryExpired(slot, at: time, into: &sink)
        }
        nextTimer = min(holeDeadlines.nextTick, expiry.nextTick)
    }

    private mutating func entryExpired<Sink: StreamSink & ~Copyable>(
        _ slot: Int,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        switch entries[slot].connection.phase {
        case .embryonic:
            counters.halfOpenExpirations += 1
            forget(slot)
        case .open:
            openConnectionExpired(slot, at: time, into: &sink)
        case .lingering:
            forget(slot)
        }
    }

    /// Looks at an open connection whose deadline has passed: whether it is idle, and has to make room.
    private mutating func openConnectionExpired<Sink: StreamSink & ~Copyable>(
        _ slot: Int,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        let activity = lastActivity(of: slot)
        guard clock.now >= activity + limits.idleTimeoutNanoseconds else {
            // It was active since its deadline was set: set it anew, which so costs nothing per segment.
            expiry.remove(slot)
            expiry.insert(slot, lane: Self.openLane, deadline: activity + limits.idleTimeoutNanoseconds)
            return
        }
        let isCrowded = entryCounts.open > limits.connections / 2
        guard isCrowded && !sink.isBusy(slot: slot) || clock.now >= activity + limits.longestIdleNanoseconds else {
            // There is room: nothing is gained by forgetting it.
            expiry.remove(slot)
            expiry.insert(slot, lane: Self.idleLane, deadline: clock.now + limits.idleTimeoutNanoseconds)
            return
        }
        counters.evictions[.idle] += 1
        closeForgotten(slot, .idle, at: time, into: &sink)
    }

    /// The lane of open connections that were active of late, as far as is known.
    private static var openLane: Int {
        Int(Connection.Phase.open.rawValue)
    }

    /// The lane of open connections that had been idle when they were last looked at.
    private static var idleLane: Int {
        3
    }

    /// When an open connection was last active, on the clock.
    private func lastActivity(of slot: Int) -> Int64 {
        let idle = Self.activityTime(clock.now) &- entries[slot].connection.lastActive
        return clock.now - Int64(idle) << 20
    }

    /// Makes room for an open connection.
    ///
    /// Those go first that had been idle for the timeout. Among the others the wheel knows when each was idle at the last
    /// look; those that were active since are put back in their place. That is done for some at most, so that one new
    /// connection never pays for a whole table of busy ones.
    mutating func evictIdlest<Sink: StreamSink & ~Copyable>(at time: PacketTime, into sink: inout Sink) {
        var found = idleConnection(sink)
        if found == nil {
            found = idlestConnection(sink)
        }
        guard let slot = found else {
            return
        }
        counters.evictions[.capacity] += 1
        closeForgotten(slot, .evicted, at: time, into: &sink)
    }

    /// A connection that is idle and in the middle of nothing.
    private mutating func idleConnection<Sink: StreamSink & ~Copyable>(_ sink: borrowing Sink) -> Int? {
        for _ in 0..<16 {
            guard let slot = expiry.first(in: Self.idleLane) else {
                return nil
            }
            let deadline = lastActivity(of: slot) + limits.idleTimeoutNanoseconds
            if clock.now >= deadline, !sink.isBusy(slot: slot) {
                return slot
            }
            expiry.remove(slot)
            if clock.now >= deadline {
                expiry.insert(slot, lane: Self.idleLane, deadline: clock.now + limits.idleTimeoutNanoseconds)
            } else {
                expiry.insert(slot, lane: Self.openLane, deadline: deadline)
            }
        }
        return nil
    }

    /// The connection that has been idle longest, if possible one in the middle of nothing.
    private mutating func idlestConnection<Sink: StreamSink & ~Copyable>(_ sink: borrowing Sink) -> Int? {
        var idlest: (slot: Int, deadline: Int64, isBusy: Bool)?
        for _ in 0..<64 {
            guard let slot = expiry.first(in: Self.openLane) else {
                break
            }
            let deadline = lastActivity(of: slot) + limits.idleTimeoutNanoseconds
            let isBusy = sink.isBusy(slot: slot)
            if let known = idlest {
                if known.isBusy == isBusy ? deadline < known.deadline : known.isBusy {
                    idlest = (slot, deadline, isBusy)
                }
            } else {
                idlest = (slot, deadline, isBusy)
            }
            let isPlaced = expiry.isPlaced(slot, lane: Self.openLane, deadline: deadline)
            if isPlaced, !isBusy {
                break
            }
            // A busy one is put behind the others, to look at those too.
            expiry.remove(slot)
            expiry.insert(
                slot,
                lane: Self.openLane,
                deadline: isPlaced ? clock.now + limits.idleTimeoutNanoseconds : deadline
            )
        }
        return idlest?.slot ?? expiry.first(in: Self.idleLane)
    }

    /// Ends a connection that may go on, and remembers where it stood if it was in the middle of nothing.
    private mutating func closeForgotten<Sink: StreamSink & ~Copyable>(
        _ slot: Int,
        _ reason: ConnectionEnd,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        let entry = entries[slot]
        if !entry.connection.needsAttention, !sink.isBusy(slot: slot) {
            let addresses = entry.connection.addresses
            forgotten.remember(
                ForgottenConnections.Memory(
                    addresses: addresses,
                    originatorNumber: entry.fromOriginator.expectedNumber,
                    responderNumber: entry.fromResponder.expectedNumber
                ),
                hash: index.hash(addresses.originator, addresses.responder)
            )
        }
        close(slot, reason, at: time, lingers: false, into: &sink)
    }

    /// Puts an entry into another phase.
    mutating func move(_ slot: Int, to phase: Connection.Phase, deadline: Int64) {
        expiry.remove(slot)
        countEntries(in: entries[slot].connection.phase, by: -1)
        entries[slot].connection.phase = phase
        countEntries(in: phase, by: 1)
        expiry.insert(slot, lane: Int(phase.rawValue), deadline: deadline)
    }

    /// Takes an entry out of the table.
    mutating func forget(_ slot: Int) {
        dropWait(of: slot)
        expiry.remove(slot)
        countEntries(in: entries[slot].connection.phase, by: -1)
        let addresses = entries[slot].connection.addresses
        index.remove(slot, hash: index.hash(addresses.originator, addresses.responder))
        slots.release(slot)
    }

    private mutating func countEntries(in phase: Connection.Phase, by change: Int) {
        switch phase {
        case .embryonic: entryCounts.embryonic += change
        case .open: entryCounts.open += change
        case .lingering: entryCounts.lingering += change
        }
    }
}
