// Wingmirror · Apache-2.0

import PacketCapture
package import PacketDecoding
package import TrafficPipeline

/// What takes packets until a capture ends.
protocol FinishingSink: CaptureSink, ~Copyable {
    /// The capture is over: emits everything that is not complete.
    mutating func captureEnded()
}

/// What one capture thread does with its packets: it owns the pipeline, and with it the decoder, the connections, what is
/// read in them, and the figures.
package struct CaptureWorker: ~Copyable, FinishingSink {
    private var pipeline: TrafficPipeline
    private let heartbeat: Heartbeat?
    private let measuresLag: Bool
    private var latest = PacketTime(nanoseconds: 0)

    /// Takes over a pipeline.
    package init(_ pipeline: consuming TrafficPipeline) {
        self.init(pipeline, heartbeat: nil, measuresLag: false)
    }

    /// Takes over a pipeline, and shows others how it gets on.
    ///
    /// - Parameters:
    ///   - pipeline: What is done with a packet.
    ///   - heartbeat: Shows others that the thread makes progress.
    ///   - measuresLag: Whether packets are stamped as they come, so that their age says how far the thread is behind.
    init(_ pipeline: consuming TrafficPipeline, heartbeat: Heartbeat?, measuresLag: Bool) {
        self.pipeline = pipeline
        self.heartbeat = heartbeat
        self.measuresLag = measuresLag
    }

    /// Takes a packet through the pipeline.
    package mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
        pipeline.packetArrived(packet, octets: octets)
        latest = packet.time
    }

    /// The number of the connection that took a segment, which has arrived, as records have it; `nil` where none is known.
    func connectionNumber(of segment: TCPSegment) -> Int? {
        pipeline.connectionNumber(of: segment)
    }

    /// Leaves figures and records for others, and takes up new routes.
    package mutating func batchEnded() {
        pipeline.batchEnded()
        if measuresLag {
            heartbeat?.beat(lag: WallClock.now() - latest.nanoseconds)
        } else {
            heartbeat?.beat()
        }
    }

    /// Lets what waits for packet time run out.
    package mutating func timePassed(now: PacketTime) {
        pipeline.timeAdvanced(to: now)
        heartbeat?.beat(lag: 0)
    }

    /// The capture is over: emits everything that is not complete.
    package mutating func captureEnded() {
        pipeline.captureEnded()
    }
}
