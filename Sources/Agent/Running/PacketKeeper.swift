// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import TrafficPipeline

/// Takes packets through a pipeline and keeps those of TCP connections for a while, where that is asked for.
///
/// It stands around a ``CaptureWorker`` rather than within it, so that an agent which keeps none has nothing of it on the
/// path of its packets.
struct PacketKeeper: ~Copyable, FinishingSink {
    private var worker: CaptureWorker
    private var keeping: PacketKeeping
    private var decoder: PacketDecoder
    private var latest = PacketTime(nanoseconds: 0)

    /// Takes over a worker.
    ///
    /// - Parameters:
    ///   - worker: Takes each packet first.
    ///   - keeping: Keeps packets.
    ///   - limits: How packets are decoded in the pipeline.
    init(_ worker: consuming CaptureWorker, keeping: consuming PacketKeeping, decoding limits: DecodingLimits) {
        self.worker = worker
        self.keeping = keeping
        decoder = PacketDecoder(limits: limits)
    }

    mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
        // First the pipeline: it is what gives a connection its number.
        worker.packetArrived(packet, octets: octets)
        // Not the latest of all: after a clock was set back nothing would be kept until it is as late again.
        latest = packet.time
        switch decoder.decode(octets, of: packet) {
        case .segment(let segment), .reassembledSegment(let segment):
            guard let number = worker.connectionNumber(of: segment) else { return }
            keeping.packetArrived(packet, octets: octets, connection: number)
        case .ignored(.fragmentHeld):
            keeping.packetArrived(packet, octets: octets, connection: nil)
        case .ignored, .failed:
            // No connection has it, so nobody could ask for it.
            return
        }
    }

    mutating func batchEnded() {
        worker.batchEnded()
        keeping.timePassed(until: latest)
    }

    mutating func timePassed(now: PacketTime) {
        worker.timePassed(now: now)
        latest = now
        keeping.timePassed(until: latest)
    }

    mutating func captureEnded() {
        worker.captureEnded()
    }
}
