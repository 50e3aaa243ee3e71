// Wingmirror · Apache-2.0

import PacketDecoding

/// The loop of a live capture, over libpcap's handles or over stand-ins.
struct LiveLoop<Handle: LiveHandle & ~Copyable>: ~Copyable {
    private var interfaces: [LiveInterface<Handle>]
    private var filter: CaptureFilter
    private let control: CaptureControl?
    /// How many of its changes have been taken up.
    private var changes = 0
    /// Whether this worker counts what concerns an interface as a whole.
    private let isLeading: Bool
    private let environment: LiveEnvironment
    private let open: (String, CaptureFilter) throws(CaptureError) -> Handle
    private let report: @Sendable (CaptureEvent) -> Void
    /// The errors last reported of interfaces that cannot be opened, so that each is reported once.
    private var reported: [String: CaptureError] = [:]

    init(
        interfaces: [NumberedInterface],
        filter: CaptureFilter = CaptureFilter(),
        control: CaptureControl? = nil,
        isLeading: Bool = true,
        environment: LiveEnvironment,
        open: @escaping (String, CaptureFilter) throws(CaptureError) -> Handle,
        report: @escaping @Sendable (CaptureEvent) -> Void
    ) {
        self.interfaces = interfaces.map { LiveInterface($0, isLeading: isLeading) }
        self.isLeading = isLeading
        self.filter = filter
        self.control = control
        self.environment = environment
        self.open = open
        self.report = report
    }

    /// Opens all interfaces for the first time.
    mutating func openAll() throws(CaptureError) {
        let now = environment.now()
        for interface in interfaces {
            let error = tryOpening(interface, now: now)
            // More tries would not help against these.
            if let error, error.code == .missingPermission || error.code == .invalidFilter {
                throw error
            }
        }
    }

    mutating func run(into sink: inout some CaptureSink & ~Copyable, until stop: StopFlag) {
        var housekeepingTime = environment.now() + LiveTiming.housekeeping
        var tickTime = environment.now()
        var batch = (packets: 0, start: tickTime)
        while !stop.isRequested {
            let delivered = deliverBatches(to: &sink)
            let now = environment.now()
            batch.packets += delivered
            if batch.packets >= LiveTiming.reportedPackets || batch.packets > 0 && now - batch.start >= LiveTiming.tick
            {
                batch = (0, now)
                sink.batchEnded()
            }
            if let change = control?.take(after: &changes) {
                takeUp(change, now: now)
            }
            if now >= housekeepingTime {
                housekeepingTime = now + LiveTiming.housekeeping
                keepHouse()
            }
            reopen(now: now)
            closeThoseThatLeft(now: now)
            guard delivered == 0 else {
                continue
            }
            if now >= tickTime {
                tickTime = now + LiveTiming.tick
                batch = (0, now)
                sink.timePassed(now: environment.packetTime().advanced(byNanoseconds: -LiveTiming.latenessNanoseconds))
            }
            environment.wait(descriptors + [stop.descriptor], waitMilliseconds(now: now))
        }
        drain(into: &sink)
        for interface in interfaces {
            interface.close()
        }
    }
}

// MARK: - Parts of a round

extension LiveLoop where Handle: ~Copyable {
    /// Delivers a batch from each interface, and closes those from which nothing can be read any more.
    private func deliverBatches(to sink: inout some PacketSink & ~Copyable) -> Int {
        var delivered = 0
        for interface in interfaces where interface.isOpen { delivered += deliverBatch(of: interface, to: &sink) }
        return delivered
    }

    /// Delivers a batch of one interface, in pieces: what senders make slow to look at ends the batch when a tick is over, so that
    /// the thread shows that it makes progress and other interfaces have their turn.
    private func deliverBatch(of interface: LiveInterface<Handle>, to sink: inout some PacketSink & ~Copyable) -> Int {
        var delivered = 0
        var end: Duration?
        while delivered < LiveTiming.batchPackets {
            guard let count = interface.deliver(limit: LiveTiming.piecePackets, to: &sink) else {
                lost(interface)
                break
            }
            delivered += count
            guard count >= LiveTiming.piecePackets else { break }
            let now = environment.now()
            if let end, now >= end { break }
            end = end ?? now + LiveTiming.tick
        }
        return delivered
    }

    private func lost(_ interface: LiveInterface<Handle>) {
        let isGone = environment.isUp(interface.name) == nil
        let cause = interface.lastError
        let error =
            isGone || cause.hasSuffix("disappeared")
            ? CaptureError(.noSuchInterface, "the interface \(interface.name) disappeared")
            : CaptureError(.captureFailed, "\(interface.name) can be read no more", cause: cause)
        interface.close()
        interface.failed(
            error.code == .noSuchInterface ? .disappeared : .failed,
            retryAt: environment.now() + interface.backoff.next()
        )
        report(.lost(interface: interface.name, error: error))
    }

    /// Reads totals, and looks whether interfaces are up.
    private func keepHouse() {
        for interface in interfaces where interface.isOpen {
            interface.readStatistics()
            // A name that is gone is not a state of this handle: libpcap will say so.
            if let isUp = environment.isUp(interface.name), let event = interface.stateSeen(isUp: isUp) {
                report(event)
            }
        }
    }

    /// Tries the interfaces again whose time has come.
    private mutating func reopen(now: Duration) {
        for interface in interfaces {
            if let time = interface.retryTime, time <= now {
                _ = tryOpening(interface, now: now)
            }
        }
    }

    /// Captures with another filter, and on other interfaces.
    private mutating func takeUp(_ change: CaptureControl.Change, now: Duration) {
        if change.filter != filter {
            filter = change.filter
            for interface in interfaces where interface.isOpen {
                changeFilter(of: interface)
            }
        }
        let wanted = Set(change.interfaces.map(\.number))
        for interface in interfaces where !wanted.contains(interface.index) {
            interface.leave(by: now + LiveTiming.longestDrainSilence)
        }
        for interface in change.interfaces {
            if let known = interfaces.firstIndex(where: { $0.index == interface.number }) {
                guard interfaces[known].leaveTime != nil else { continue }
                // Nothing comes into that ring any more, so it needs a new one.
                interfaces[known].close()
                interfaces.remove(at: known)
            }
            let added = LiveInterface<Handle>(interface, isLeading: isLeading)
            interfaces.append(added)
            _ = tryOpening(added, now: now)
        }
    }

    private func changeFilter(of interface: LiveInterface<Handle>) {
        do throws(CaptureError) {
            try interface.change(filter: filter)
            report(.filterChanged(interface: interface.name))
        } catch {
            report(.filterRefused(interface: interface.name, error: error))
        }
    }

    /// Closes interfaces that are not wanted any more, when they have delivered what they held.
    private mutating func closeThoseThatLeft(now: Duration) {
        guard interfaces.contains(where: { $0.leaveTime != nil }) else {
            return
        }
        for interface in interfaces where interface.hasLeft(now: now) {
            interface.close()
            report(.closed(interface: interface.name))
        }
        interfaces.removeAll { $0.leaveTime != nil && !$0.isOpen }
    }

    private mutating func tryOpening(_ interface: LiveInterface<Handle>, now: Duration) -> CaptureError? {
        do throws(CaptureError) {
            let handle = try open(interface.name, filter)
            report(interface.opened(handle))
            reported[interface.name] = nil
            return nil
        } catch {
            interface.failed(.unavailable, retryAt: now + interface.backoff.next())
            if reported.updateValue(error, forKey: interface.name) != error {
                report(.unavailable(interface: interface.name, error: error))
            }
            return error
        }
    }

    /// What `poll` is to wait for.
    private var descriptors: [CInt] {
        // Not by key path: in generic code that would be put together anew for every wait.
        interfaces.map { $0.descriptor }
    }

    /// How long nothing needs to be done unless a packet comes.
    private func waitMilliseconds(now: Duration) -> Int {
        let soonest = interfaces.compactMap { $0.retryTime }.min().map { $0 - now } ?? LiveTiming.tick
        // Rounded up, so that the last fraction of a millisecond is not spent asking again and again.
        return Int((max(.zero, min(soonest, LiveTiming.tick)) / .milliseconds(1)).rounded(.up))
    }

    /// Delivers what the rings still hold, for a bounded time.
    ///
    /// The kernel hands over the block that it is filling when the packet buffer timeout is over. The totals tell when
    /// nothing is left, except where they cannot, and there that timeout is waited for several times over. A full ring
    /// can hold seconds of work, so the longer bound is for packets that come, the shorter one for those that do not.
    private func drain(into sink: inout some PacketSink & ~Copyable) {
        for interface in interfaces {
            interface.stopArrivals()
        }
        let end = environment.now() + LiveTiming.longestDrain
        var silenceEnd = environment.now() + LiveTiming.longestDrainSilence
        repeat {
            let delivered = deliverBatches(to: &sink)
            guard delivered == 0 else {
                silenceEnd = environment.now() + LiveTiming.longestDrainSilence
                continue
            }
            for interface in interfaces {
                interface.readStatistics()
            }
            guard interfaces.contains(where: { $0.isOpen && ($0.undelivered > 0 || $0.hidesUndelivered) }) else {
                return
            }
            environment.wait(descriptors, LiveTiming.drainStepMilliseconds)
        } while environment.now() < min(end, silenceEnd)
    }
}

/// The times by which a live capture goes.
enum LiveTiming {
    /// Packets taken from one interface before the next has its turn.
    static let batchPackets = 512
    /// Packets taken between two looks at the clock.
    static let piecePackets = 16
    /// After how many packets others are shown what they came to; sooner when a tick is over.
    static let reportedPackets = 1024
    /// How often totals are read: many times before they could wrap.
    static let housekeeping = Duration.seconds(1)
    /// How often time is said to have passed, and how long to wait for packets at most.
    static let tick = Duration.milliseconds(100)
    /// How late a packet may come after its time: twice the packet buffer timeout, for the kernel's timers are coarse.
    static let latenessNanoseconds = Int64(2 * LiveConfiguration.packetBufferTimeoutMilliseconds) * 1_000_000
    /// How long to take packets at most that the rings held when the capture stopped: of the five seconds in which an
    /// agent should end, it leaves two to those who still have to write.
    static let longestDrain = Duration.seconds(3)
    /// How long to wait at most for the next of them.
    static let longestDrainSilence = Duration.milliseconds(6 * LiveConfiguration.packetBufferTimeoutMilliseconds)
    /// How long to wait at once for it.
    static let drainStepMilliseconds = 10
}
