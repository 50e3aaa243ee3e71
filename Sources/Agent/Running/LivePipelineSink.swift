// Wingmirror · Apache-2.0

import AgentConfiguration
import OctetText
import PacketCapture
import PacketDecoding
import TrafficPipeline

/// Feeds a pipeline from interfaces, and ends its batches often enough for what others see to be fresh.
struct LivePipelineSink: ~Copyable, LivePacketSink {
    /// A batch ends after so many packets, or when so much packet time has passed.
    private static let batchPackets = 1024
    private static let batchNanoseconds: Int64 = 100_000_000

    private var pipeline: TrafficPipeline
    private let heartbeat: Heartbeat
    private var packets = 0
    private var batchStart = PacketTime(nanoseconds: 0)

    /// Takes over a pipeline.
    init(_ pipeline: consuming TrafficPipeline, heartbeat: Heartbeat) {
        self.pipeline = pipeline
        self.heartbeat = heartbeat
    }

    mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
        pipeline.packetArrived(packet, octets: octets)
        packets += 1
        if packets >= Self.batchPackets || packet.time.nanoseconds(since: batchStart) >= Self.batchNanoseconds {
            pipeline.batchEnded()
            beginBatch(at: packet.time, lag: WallClock.now() - packet.time.nanoseconds)
        }
    }

    mutating func timePassed(now: PacketTime) {
        pipeline.timeAdvanced(to: now)
        beginBatch(at: now, lag: 0)
    }

    /// The capture is over: tells everything that is not complete.
    mutating func captureEnded() {
        pipeline.captureEnded()
        heartbeat.finished()
    }

    private mutating func beginBatch(at time: PacketTime, lag: Int64) {
        packets = 0
        batchStart = time
        heartbeat.beat(lag: lag)
    }
}
