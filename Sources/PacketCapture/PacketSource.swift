// Wingmirror · Apache-2.0

public import PacketDecoding

/// What takes packets from a source.
public protocol CaptureSink: PacketSink, ~Copyable {
    /// A bounded number of packets has come, or some have and no more are at hand: what others look at is to be brought
    /// up to date.
    mutating func batchEnded()

    /// All packets captured before `now` have arrived, as far as can be told; called up to ten times a second by sources
    /// whose packets are stamped as they come, whenever no packets are left to deliver, so that what waits for time to
    /// pass can end.
    mutating func timePassed(now: PacketTime)
}

/// Where packets come from: interfaces, or pcap files.
public protocol PacketSource: ~Copyable {
    /// Delivers packets until there are no more or a stop is requested; everything happens on the calling thread.
    ///
    /// - Parameters:
    ///   - sink: Takes the packets, and hears at the end of each batch.
    ///   - stop: Ends it early.
    mutating func run(into sink: inout some CaptureSink & ~Copyable, until stop: StopFlag)
}
