// Wingmirror · Apache-2.0

import PacketDecoding

/// What a live capture needs of an open interface: libpcap's handle, or a stand-in in tests.
protocol LiveHandle: ~Copyable {
    /// The link type of its packets.
    var linkType: LinkType { get }
    /// What `poll` is to wait for; -1 when there is nothing.
    var descriptor: CInt { get }
    /// The size of the kernel's ring.
    var ringOctets: Int { get }
    /// What was said when nothing could be read any more.
    var lastError: String { get }

    /// Whether the totals count packets that are never delivered, so that they do not tell what is in the ring.
    var hidesUndelivered: Bool { get }

    /// Delivers up to `limit` packets that have arrived, and says how many; `nil` when nothing can be read any more.
    mutating func deliver(
        limit: Int,
        to receive: (PacketTime, _ wireLength: Int, _ octets: Span<UInt8>) -> Void
    ) -> Int?

    /// Lets other packets into the ring from now on; what is in it is still delivered.
    ///
    /// - Throws: `.invalidFilter`; then the old filter stays.
    mutating func change(filter: CaptureFilter) throws(CaptureError)

    /// The totals since the handle was opened.
    func statistics() -> LiveStatistics?

    /// Lets no more packets into the ring; what is in it can still be delivered.
    mutating func stopArrivals()
}

/// libpcap's totals since a handle was opened, which wrap at 2³² (pcap_stats(3PCAP)).
struct LiveStatistics: Sendable, Hashable {
    /// Packets that matched the filter: those in the ring, those taken from it, and those dropped.
    let received: UInt32
    /// Packets that matched the filter and found the ring full.
    let dropped: UInt32
    /// Packets that the interface says it lost.
    let droppedByInterface: UInt32
}
