// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding

/// Takes the packets of savefiles that are read again and again, as if they were captured now.
///
/// The times of a round are moved by one amount, so that its first packet comes at the present and all intervals stay as
/// they are. Between two rounds every connection ends, since the next one has the same addresses and sequence numbers.
struct RepeatedSavefiles<Worker: FinishingSink & ~Copyable>: ~Copyable, CaptureSink {
    /// The least that lies between the last packet of a round and the first of the next, in nanoseconds.
    static var pause: Int64 { 1_000_000 }

    /// How many packets came so far.
    private(set) var packets = 0
    private var worker: Worker
    private let clock: @Sendable () -> Int64
    /// What is added to packet times; `nil` before the first packet of a round.
    private var shift: Int64?
    /// The latest time that was passed on.
    private var latest: Int64?

    /// Takes over a worker.
    ///
    /// - Parameters:
    ///   - worker: Takes the packets with their new times.
    ///   - clock: Nanoseconds since the Unix epoch.
    init(_ worker: consuming Worker, clock: @escaping @Sendable () -> Int64 = WallClock.now) {
        self.worker = worker
        self.clock = clock
    }

    mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
        let shift = shift ?? beginning(with: packet.time)
        // Times of packets may be anything: one beyond the range wraps rather than ends the agent.
        let time = packet.time.nanoseconds &+ shift
        self.shift = shift
        latest = max(latest ?? time, time)
        packets += 1
        worker.packetArrived(packet.moved(to: PacketTime(nanoseconds: time)), octets: octets)
    }

    /// What is added to the times of a round whose first packet has `time`.
    private func beginning(with time: PacketTime) -> Int64 {
        let soonest = latest.map { $0 &+ Self.pause }
        return max(clock(), soonest ?? .min) &- time.nanoseconds
    }

    mutating func batchEnded() {
        worker.batchEnded()
    }

    mutating func timePassed(now: PacketTime) {
        worker.timePassed(now: now)
    }

    /// The savefiles have been read to their ends: emits everything that is not complete, and begins anew.
    mutating func roundEnded() {
        worker.captureEnded()
        shift = nil
    }
}
