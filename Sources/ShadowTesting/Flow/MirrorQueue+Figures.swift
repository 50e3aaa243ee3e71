// Wingmirror · Apache-2.0

extension MirrorQueue {
    /// All counts at this moment.
    public func figures(now: Int64) -> MirrorFigures {
        look { $0.figures(now: now) }
    }
}

extension MirrorQueueState {
    fileprivate mutating func figures(now: Int64) -> MirrorFigures {
        var figures = MirrorFigures()
        figures.pauseReasons = pauses.reasons(now: now)
        figures.heldOctets = heldOctets
        figures.budgetOctets = limits.octets
        figures.heldExchanges = heldExchanges
        figures.staleExchanges = stale
        figures.targets = targets.map { state in
            var target = state.figures
            target.queueCapacity = state.capacity(limits)
            target.breakerIsOpen = state.breaker.isOpen
            target.rampShare = state.ramp.share
            target.backOffShare = state.backOff.share
            return target
        }
        figures.lanes = lanes.indices.map { place in
            var lane = lanes[place]
            let target = figures.targets[laneTargets[place]]
            let isSending = lane.isActive && !target.breakerIsOpen && !hasEnded && figures.pauseReasons.isEmpty
            if case .refused = target.reach {
                lane.samplingRatio = 0
            } else {
                lane.samplingRatio = isSending ? lane.configuredRatio * target.rampShare * target.backOffShare : 0
            }
            if !lane.isActive { lane.configuredRatio = 0 }
            return lane
        }
        return figures
    }
}
