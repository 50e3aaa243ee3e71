// Wingmirror · Apache-2.0

import PacketDecoding

/// Takes packets from pcap files, in the order of their times, as fast as they can be read or at their own pace.
///
/// What comes through a pipe is live: a batch ends at the latest when nothing has come for a tenth of a second, and a
/// stop is noticed while nothing comes.
public struct SavefileCapture: ~Copyable, PacketSource {
    /// After how many packets a batch ends.
    private static let batchPackets = 4096
    /// How long the thread sleeps at most while it keeps the pace of a file.
    private static let longestNap = Duration.milliseconds(100)

    private var merger: SavefileMerger
    /// Its threads end with the capture.
    private let ahead: ReadAhead?
    private let pipe: PipeWait
    private let keepsPace: Bool
    private let progressed: (_ octetsRead: Int?) -> Void

    /// Opens the files, and reads the first packet of each when there are several.
    ///
    /// - Parameters:
    ///   - paths: Paths, or `-` for standard input.
    ///   - filter: An expression of libpcap's language; only packets that match it are read.
    ///   - keepsPace: Whether packets come no sooner than they did when they were captured.
    ///   - secrets: Takes the key logs of TLS that pcapng files hold, before the packets behind them; also here.
    ///   - jobs: How many threads there are, with the calling one: the others decompress gzipped files ahead, which
    ///     changes nothing of what is delivered.
    ///   - aheadOctets: How much of what they have decompressed may wait, of all files together.
    ///   - stop: Ends the wait for a pipe, also here; the same flag is to be given to `run`.
    ///   - progressed: Called at the end of each batch with the octets read so far, and without them while a pipe is
    ///     silent, also here.
    /// - Throws: What `SavefileMerger.init` throws; `.stopped` when a stop ended the wait for a pipe.
    public init(
        paths: [String],
        filter: String? = nil,
        keepsPace: Bool = false,
        secrets: SavefileSecrets? = nil,
        jobs: Int = 1,
        aheadOctets: Int = 128 << 20,
        stop: StopFlag,
        progressed: @escaping (_ octetsRead: Int?) -> Void = { _ in }
    ) throws(CaptureError) {
        let pipe = PipeWait(until: stop) { progressed(nil) }
        self.pipe = pipe
        // More threads than files would find nothing to do.
        let threads = min(jobs - 1, paths.count)
        ahead = threads > 0 ? ReadAhead(threads: threads, octets: aheadOctets) : nil
        merger = try SavefileMerger(paths: paths, filter: filter, pipe: pipe, secrets: secrets, ahead: ahead)
        self.keepsPace = keepsPace
        self.progressed = progressed
    }

    /// The sum of the sizes of the files as stored; `nil` when one has no size, such as a pipe.
    public var totalOctets: Int? { merger.totalOctets }

    /// Whether any of the files is decompressed ahead; never with one job.
    public var readsAhead: Bool { ahead?.hasFiles ?? false }

    /// The files that could not be read, or not to their ends.
    public var failures: [CaptureError] { merger.failures }

    /// Delivers the packets.
    public mutating func run<Sink: CaptureSink & ~Copyable>(into sink: inout Sink, until stop: StopFlag) {
        unsafe withUnsafeMutablePointer(to: &sink) { sink in
            // A pipe is waited for deep inside of libpcap, between two uses of the sink. The pointer outlives the wait,
            // which is taken back below.
            pipe.whenIdle = { [progressed] in
                unsafe sink.pointee.batchEnded()
                progressed(nil)
            }
            unsafe deliver(into: sink, until: stop)
            pipe.whenIdle = {}
        }
    }

    /// Uses the sink for one call at a time only, so that the wait for a pipe can use it between two of them.
    private mutating func deliver<Sink: CaptureSink & ~Copyable>(
        into sink: UnsafeMutablePointer<Sink>,
        until stop: StopFlag
    ) {
        var beginning: (packet: PacketTime, wall: ContinuousClock.Instant)?
        var packets = 0
        while !stop.isRequested {
            // The packets of one file that lie in its buffer, to the end of the batch; each by itself where these end.
            let limit = keepsPace ? 0 : Self.batchPackets - packets % Self.batchPackets
            let taken = merger.takeBuffered(upTo: limit, until: stop) { packet, octets in
                unsafe sink.pointee.packetArrived(packet, octets: octets)
            }
            packets += taken
            if taken == 0 {
                guard let packet = merger.next() else { return }
                if _slowPath(keepsPace) {
                    let (first, start) = beginning ?? (packet.time, .now)
                    beginning = (first, start)
                    let due = start + .nanoseconds(packet.time.nanoseconds(since: first))
                    while !stop.isRequested, due > .now {
                        unsafe sink.pointee.batchEnded()
                        // Short naps, so that a stop is noticed.
                        ThreadSleep.sleep(min(due - .now, Self.longestNap))
                    }
                    guard !stop.isRequested else { return }
                }
                unsafe sink.pointee.packetArrived(packet, octets: merger.octets)
                packets += 1
            }
            guard packets % Self.batchPackets == 0 else { continue }
            unsafe sink.pointee.batchEnded()
            progressed(merger.octetsRead)
        }
    }
}
