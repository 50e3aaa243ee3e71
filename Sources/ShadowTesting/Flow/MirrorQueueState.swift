// Wingmirror · Apache-2.0

internal import AnswerComparison
import OctetText
internal import TrafficModel

/// Everything that the queue's lock protects.
struct MirrorQueueState {
    /// A policy of the plan in force.
    struct Policy {
        let shared: SharedPolicy
        /// Its lanes, the baseline's last.
        let lanes: [Int]
        var rate: TokenBucket?
    }

    /// What must be known of a plan that requests in progress were sampled under.
    struct Edition {
        let number: Int
        /// The policies by position: name and lanes.
        let policies: [(name: String, lanes: [Int])]
    }

    /// An exchange whose copies have not all ended, or that is to be judged.
    struct Open {
        let ticket: MirrorTicket
        /// The lanes it has copies in.
        let lanes: [Int]
        /// By place in `lanes`.
        var fates: [FinishedExchange.Fate?]
        /// What became of the baseline's copy where it was refused at once, and so has no lane here.
        let refusedBaseline: FinishedExchange.Fate?
    }

    /// How many editions are remembered: requests outlive no more reloads than that.
    static let editionLimit = 16

    let limits: MirrorQueue.Limits
    var lanes: [LaneFigures] = []
    var laneTargets: [Int] = []
    var lanePlaces: [MirrorLane: Int] = [:]
    var targets: [TargetState] = []
    var targetPlaces: [String: Int] = [:]
    var policies: [Policy] = []
    /// The places of the policies by name.
    var policyPlaces: [String: Int] = [:]
    var editions: [Edition] = []

    var open: [UInt64: Open] = [:]
    var finished = FirstInFirstOut<FinishedExchange>()
    var heldOctets = 0
    /// Exchanges that are open or to be judged.
    var heldExchanges = 0
    var nextSerial: UInt64 = 0
    var stale: UInt64 = 0

    var pauses = PauseSwitch()
    var egress: EgressBudget
    var random: SeededGenerator
    var hasEnded = false

    var planSignal = Signal()
    var judgeSignal = Signal()
    /// Tasks to resume once the lock is free.
    var woken: [CheckedContinuation<Void, Never>] = []
    /// Exchanges to give back once the lock is free, because that may take a while.
    var released: [MirrorTicket] = []

    init(limits: MirrorQueue.Limits, seed: UInt64) {
        self.limits = limits
        egress = EgressBudget(octetsPerSecond: limits.egressOctetsPerSecond)
        random = SeededGenerator(seed: seed)
    }

    // MARK: - Waking

    mutating func wake(_ target: Int) {
        if let task = targets[target].signal.raise() { woken.append(task) }
    }

    mutating func wakeAllTargets() {
        for place in targets.indices { wake(place) }
    }

    mutating func wakeJudge() {
        if let task = judgeSignal.raise() { woken.append(task) }
    }

    // MARK: - The end of a copy

    /// Counts a sampled request of a lane that has no copy, or no longer one.
    mutating func countDrop(_ lane: Int, _ reason: DropReason, _ exchange: RecordedExchange) {
        lanes[lane].dropped[reason, default: 0] += 1
        targets[laneTargets[lane]].figures.droppedSizes.observe(exchange.request.message.contentOctets)
    }

    /// A sampled request of a lane will be in no finished exchange.
    mutating func missed(_ lane: Int, _ route: RouteName, _ reason: DropReason?) {
        let isKnown = lanes[lane].droppedByRoute.count < limits.routes || lanes[lane].droppedByRoute[route] != nil
        lanes[lane].droppedByRoute[isKnown ? route : RouteName(), default: [:]][
            reason?.missedReason ?? .thinned,
            default: 0
        ] += 1
    }

    /// A copy that waited, or was being built, is not sent after all.
    mutating func drop(_ copy: MirrorCopy, _ reason: DropReason) {
        lanes[copy.lane].queued -= 1
        countDrop(copy.lane, reason, copy.ticket.exchange)
        settle(copy, .dropped(reason), repeated: nil)
    }

    /// Drops the copies that wait for a target.
    mutating func drain(_ target: Int, _ reason: DropReason) {
        while let copy = targets[target].waiting.popFirst() {
            targets[target].figures.queuedOctets -= copy.ticket.octets
            drop(copy, reason)
        }
    }

    /// Notes what became of a copy; the last of an exchange's makes it ready for the judge.
    mutating func settle(
        _ copy: MirrorCopy,
        _ outcome: FinishedExchange.Fate.Outcome,
        repeated: ShadowAnswer?
    ) {
        let serial = copy.ticket.serial
        guard var exchange = open[serial], let place = exchange.lanes.firstIndex(of: copy.lane) else { return }
        exchange.fates[place] = FinishedExchange.Fate(
            target: copy.target,
            isBaseline: copy.target == copy.ticket.shared.settings.baseline,
            turn: copy.turn,
            outcome: outcome,
            repeated: repeated
        )
        let fates = exchange.fates.compactMap(\.self)
        guard fates.count == exchange.lanes.count else {
            open[serial] = exchange
            return
        }
        open[serial] = nil
        let wasSent = fates.contains { if case .sent = $0.outcome { true } else { false } }
        guard wasSent else {
            for (lane, fate) in zip(exchange.lanes, fates) {
                missed(lane, copy.ticket.exchange.route, fate.dropReason)
            }
            return release(copy.ticket)
        }
        finished.append(
            FinishedExchange(ticket: copy.ticket, fates: fates + [exchange.refusedBaseline].compactMap(\.self))
        )
        wakeJudge()
    }

    /// An exchange is of no more use: its memory is free for others.
    mutating func release(_ ticket: MirrorTicket) {
        heldOctets -= ticket.octets
        heldExchanges -= 1
        released.append(ticket)
    }
}
