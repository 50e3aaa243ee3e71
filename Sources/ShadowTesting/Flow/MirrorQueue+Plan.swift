// Wingmirror · Apache-2.0

internal import AnswerComparison

extension MirrorQueue {
    /// Puts a plan into force.
    ///
    /// Lanes that the plan before had too keep their copies and counts. Copies of lanes that went away are dropped; their
    /// counts stay, because counters never fall.
    /// - Parameters:
    ///   - edition: The number of the plan, greater than that of the plan before.
    ///   - policies: The policies, at the positions by which outboxes name them.
    ///   - targets: The targets; a policy's lane to a target that is missing here is left out.
    public func replacePlan(edition: Int, policies: [MirrorPolicy], targets: [MirrorTarget]) {
        change { $0.replacePlan(edition: edition, policies: policies, targets: targets) }
    }

    /// The targets of the plan in force.
    public var activeTargets: [MirrorTarget] {
        change { $0.targets.filter(\.figures.isActive).map(\.settings) }
    }

    /// Whether no more is sent for good.
    public var hasEnded: Bool { change { $0.hasEnded } }

    /// Sleeps until the plan is replaced or the queue ends, or the task is cancelled; for one task at a time.
    public func planChange() async {
        await sleep {
            $0.planSignal.sleep($1)
        } wakingUp: {
            $0.planSignal.raise()
        }
    }

    /// No more is sent: everything that waits is dropped, and so is what is delivered from now on.
    public func end() {
        change { state in
            state.hasEnded = true
            for place in state.targets.indices { state.drain(place, .shutdown) }
            state.wakeAllTargets()
            if let task = state.planSignal.raise() { state.woken.append(task) }
            state.wakeJudge()
        }
    }

    /// Sleeps in a signal until it is raised or the task is cancelled.
    func sleep(
        _ fallAsleep:
            @escaping @Sendable (
                inout MirrorQueueState, CheckedContinuation<Void, Never>
            ) -> CheckedContinuation<Void, Never>?,
        wakingUp: @escaping @Sendable (inout MirrorQueueState) -> CheckedContinuation<Void, Never>?
    ) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { task in
                change { state in
                    if let awake = fallAsleep(&state, task) { state.woken.append(awake) }
                }
            }
        } onCancel: {
            change { state in
                if let awake = wakingUp(&state) { state.woken.append(awake) }
            }
        }
    }
}

extension MirrorQueueState {
    fileprivate mutating func replacePlan(
        edition: Int,
        policies new: [MirrorPolicy],
        targets newTargets: [MirrorTarget]
    ) {
        for place in targets.indices { targets[place].figures.isActive = false }
        for target in newTargets { activate(target) }
        for place in lanes.indices { lanes[place].isActive = false }

        let old = policies
        policies = []
        policyPlaces = [:]
        var byPosition: [(name: String, lanes: [Int])] = []
        for policy in new {
            let lanes = activateLanes(of: policy)
            byPosition.append((policy.name, lanes))
            let before = old.first { $0.shared.settings.name == policy.name }
            policyPlaces[policy.name] = policies.count
            policies.append(
                Policy(shared: SharedPolicy(policy), lanes: lanes, rate: rate(of: policy, before: before))
            )
        }
        editions.append(Edition(number: edition, policies: byPosition))
        editions.removeFirst(max(0, editions.count - Self.editionLimit))

        for place in targets.indices { dropVanished(place) }
        wakeAllTargets()
        if let task = planSignal.raise() { woken.append(task) }
    }

    private mutating func activate(_ target: MirrorTarget) {
        if let place = targetPlaces[target.name] {
            targets[place].apply(target)
        } else {
            targetPlaces[target.name] = targets.count
            targets.append(TargetState(target, limits))
        }
    }

    private mutating func activateLanes(of policy: MirrorPolicy) -> [Int] {
        var places: [Int] = []
        for name in policy.targets + [policy.baseline].compactMap(\.self) {
            guard let target = targetPlaces[name], targets[target].figures.isActive else { continue }
            let lane = MirrorLane(policy: policy.name, target: name)
            let place = lanePlaces[lane] ?? lanes.count
            if place == lanes.count {
                lanePlaces[lane] = place
                lanes.append(LaneFigures(lane))
                laneTargets.append(target)
            }
            lanes[place].isActive = true
            lanes[place].isBaseline = name == policy.baseline
            lanes[place].configuredRatio = min(max(policy.percent / 100, 0), 1)
            if !places.contains(place) { places.append(place) }
        }
        return places
    }

    private func rate(of policy: MirrorPolicy, before: Policy?) -> TokenBucket? {
        guard let rate = policy.ratePerSecond else { return nil }
        if let before, before.shared.settings.ratePerSecond == rate { return before.rate }
        // A second's worth at once, because exchanges come in batches; what is sent is spaced by the target's rate.
        return TokenBucket(rate: rate, capacity: rate)
    }

    /// Drops what waits in lanes that the plan no longer has.
    private mutating func dropVanished(_ target: Int) {
        let leaving = targets[target].waiting.removeAll { !lanes[$0.lane].isActive }
        for copy in leaving {
            targets[target].figures.queuedOctets -= copy.ticket.octets
            drop(copy, .reload)
        }
    }
}
