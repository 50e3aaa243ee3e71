// Wingmirror · Apache-2.0

import PacketDecoding

/// One interface of a live capture, with or without an open handle, and the account of what was lost on it.
final class LiveInterface<Handle: LiveHandle & ~Copyable> {
    let name: String
    /// What `CapturedPacket.interface` is for its packets.
    let index: Int
    let counters: InterfaceCounters

    /// The handle while the interface is captured on.
    private var handle: Handle?
    /// Whether the totals cannot tell what is in the ring: on `any` the copies that the loopback interface sends count as
    /// received, and libpcap leaves them out.
    private(set) var hidesUndelivered: Bool
    /// What the counters were told last of the handle.
    private var state = HandleState()
    /// Whether this worker counts what concerns the interface as a whole.
    private let isLeading: Bool
    /// What the open handle has delivered.
    private var delivered: UInt64 = 0
    private var received = WrappingTotal()
    private var dropped = WrappingTotal()
    private var droppedByInterface = WrappingTotal()
    /// Packets that the open handle's ring has taken in, by its totals.
    private var takenIn: UInt64 = 0

    /// Why the interface is not captured on now; `nil` while it is, and before it was tried.
    private(set) var outage: CaptureRestartReason?
    /// Whether the interface was up when last looked at.
    private var isUp = true
    var backoff = Backoff()
    /// When to try again, while there is no handle.
    var retryTime: Duration?
    /// Until when what is in the ring is waited for, once the interface is not wanted any more.
    private(set) var leaveTime: Duration?

    /// Makes an interface without a handle.
    ///
    /// - Parameters:
    ///   - interface: Its name, number and counters.
    ///   - isLeading: Whether this worker is the one, of those that share it, that counts what concerns the interface.
    init(_ interface: NumberedInterface, isLeading: Bool = true) {
        self.isLeading = isLeading
        name = interface.counters.name
        hidesUndelivered = name == "any"
        index = interface.number
        counters = interface.counters
    }

    var isOpen: Bool {
        handle != nil
    }

    /// What `poll` is to wait for; -1, which it passes over, without a handle.
    var descriptor: CInt {
        switch handle {
        case nil: -1
        case .some(let handle): handle.descriptor
        }
    }

    /// What was said when nothing could be read any more.
    var lastError: String {
        switch handle {
        case nil: ""
        case .some(let handle): handle.lastError
        }
    }
}

// MARK: - Opening and closing

extension LiveInterface where Handle: ~Copyable {
    /// Takes a handle that has just been opened, and says what to report.
    func opened(_ opened: consuming Handle) -> CaptureEvent {
        let ringOctets = opened.ringOctets
        let linkType = opened.linkType
        hidesUndelivered = name == "any" || opened.hidesUndelivered
        // What came in before the filter was in place is taken for the filter's, so the account begins here.
        let statistics = opened.statistics()
        received = WrappingTotal(startingAt: statistics?.received ?? 0)
        dropped = WrappingTotal(startingAt: statistics?.dropped ?? 0)
        droppedByInterface = WrappingTotal(startingAt: statistics?.droppedByInterface ?? 0)
        delivered = 0
        takenIn = 0
        handle = consume opened
        isUp = true
        show(HandleState(isUp: true, ringOctets: ringOctets))
        backoff.reset()
        retryTime = nil
        if let outage, isLeading {
            counters.restarted(outage)
        }
        outage = nil
        return .opened(interface: name, ringOctets: ringOctets, linkType: linkType)
    }

    /// Notes that the interface cannot be captured on for now; the first reason of an outage is the one that counts.
    func failed(_ reason: CaptureRestartReason, retryAt time: Duration) {
        outage = outage ?? reason
        retryTime = time
    }

    /// Lets other packets in, if there is a handle; the old filter stays when the new one is refused.
    func change(filter: CaptureFilter) throws(CaptureError) {
        guard var open = handle.take() else {
            return
        }
        do throws(CaptureError) {
            try open.change(filter: filter)
        } catch {
            handle = consume open
            throw error
        }
        handle = consume open
    }

    /// The interface is not wanted any more: lets nothing more in, and waits until `time` at most for what is in the ring.
    func leave(by time: Duration) {
        leaveTime = leaveTime ?? time
        retryTime = nil
        stopArrivals()
    }

    /// Whether nothing is left to deliver of an interface that is not wanted any more.
    func hasLeft(now: Duration) -> Bool {
        guard let leaveTime else {
            return false
        }
        readStatistics()
        return !isOpen || now >= leaveTime || undelivered == 0 && !hidesUndelivered
    }

    /// Closes the handle, after a last look at its totals.
    func close() {
        guard isOpen else {
            return
        }
        readStatistics()
        // The ring goes with the handle, and what libpcap could not be got to deliver from it is lost.
        counters.packetsDropped(byKernelBuffer: undelivered, byInterface: 0)
        handle = nil
        show(HandleState())
    }

    private func show(_ new: HandleState) {
        counters.stateChanged(from: state, to: new)
        state = new
    }
}

// MARK: - Packets and totals

extension LiveInterface where Handle: ~Copyable {
    /// Delivers packets that have arrived; `nil` when nothing can be read any more.
    func deliver<Sink: PacketSink & ~Copyable>(limit: Int, to sink: inout Sink) -> Int? {
        guard var open = handle.take() else {
            return 0
        }
        var packets = 0
        let linkType = open.linkType
        let index = self.index
        let count = open.deliver(limit: limit) { time, wireLength, octets in
            packets += 1
            let packet = CapturedPacket(time: time, linkType: linkType, interface: index, wireLength: wireLength)
            sink.packetArrived(packet, octets: octets)
        }
        handle = consume open
        if packets > 0 {
            delivered += UInt64(packets)
            counters.packetsDelivered(packets)
        }
        return count
    }

    /// Adds what the totals say was lost since the last reading.
    func readStatistics() {
        let reading: LiveStatistics?
        switch handle {
        case nil: return
        case .some(let handle): reading = handle.statistics()
        }
        guard let reading else {
            return
        }
        let drops = dropped.advance(to: reading.dropped)
        // What is dropped is among what was received (packet(7)); should a driver count otherwise, the sum of both is right again
        // with the next reading.
        takenIn &+= received.advance(to: reading.received) &- drops
        let lost = droppedByInterface.advance(to: reading.droppedByInterface)
        // Each worker's handle says the same of the interface.
        counters.packetsDropped(byKernelBuffer: drops, byInterface: isLeading ? lost : 0)
    }

    /// Packets in the ring by the last reading of the totals.
    ///
    /// Zero where they do not tell.
    var undelivered: UInt64 {
        hidesUndelivered || takenIn < delivered ? 0 : takenIn - delivered
    }

    /// Lets no more packets into the ring.
    func stopArrivals() {
        guard var open = handle.take() else {
            return
        }
        open.stopArrivals()
        handle = consume open
    }

    /// Takes note of whether the interface is up, and says what to report when that has changed.
    func stateSeen(isUp nowUp: Bool) -> CaptureEvent? {
        guard isOpen, nowUp != isUp else {
            return nil
        }
        isUp = nowUp
        show(HandleState(isUp: nowUp, ringOctets: state.ringOctets))
        guard nowUp else {
            return .wentDown(interface: name)
        }
        if isLeading { counters.restarted(.wentDown) }
        return .cameUp(interface: name)
    }
}
