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
        let phase = entries[slot].connection.phase
        if phase == .open {
            let deadline = idleDeadline(of: slot)
            guard clock.now >= deadline else {
                // It was active since its deadline was set: set it anew, which so costs nothing per segment.
                expiry.remove(slot)
                expiry.insert(slot, lane: Int(phase.rawValue), deadline: deadline)
                return
            }
        }
        switch phase {
        case .embryonic:
            counters.halfOpenExpirations += 1
            forget(slot)
        case .open:
            counters.evictions[.idle] += 1
            close(slot, .idle, at: time, lingers: false, into: &sink)
        case .lingering:
            forget(slot)
        }
    }

    /// When an open connection will have been idle for too long, on the clock.
    private func idleDeadline(of slot: Int) -> Int64 {
        let idle = Self.activityTime(clock.now) &- entries[slot].connection.lastActive
        return clock.now - Int64(idle) << 20 + limits.idleTimeout
    }

    /// Makes room for an open connection.
    ///
    /// The wheel knows when each was idle at the last look; those that were active since are put back in their place.
    /// That is done for some at most, so that one new connection never pays for a whole table of busy ones.
    mutating func evictIdlest<Sink: StreamSink & ~Copyable>(at time: PacketTime, into sink: inout Sink) {
        let lane = Int(Connection.Phase.open.rawValue)
        var idlest: (slot: Int, deadline: Int64)?
        for _ in 0..<64 {
            guard let slot = expiry.first(in: lane) else {
                break
            }
            let deadline = idleDeadline(of: slot)
            if deadline < idlest?.deadline ?? .max {
                idlest = (slot, deadline)
            }
            if expiry.isPlaced(slot, lane: lane, deadline: deadline) {
                break
            }
            expiry.remove(slot)
            expiry.insert(slot, lane: lane, deadline: deadline)
        }
        guard let idlest else {
            return
        }
        counters.evictions[.capacity] += 1
        close(idlest.slot, .evicted, at: time, lingers: false, into: &sink)
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
