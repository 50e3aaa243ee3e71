// Wingmirror · Apache-2.0

/// The readers that hold octets of something unfinished, oldest first, and how much memory that is together.
///
/// A head, a trailer section and what a client sends while an upgrade is undecided are kept until they are complete. Each is
/// bounded, but there may be as many as connections, so their sum is bounded too (``HTTPLimits/heldOctets``).
struct HeldOctets {
    /// Octets of memory that all readers together hold.
    private(set) var total = 0
    /// The reader that has held something longest, or -1.
    private(set) var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// By the slot of the reader.
    private var links: [Link] = []

    private struct Link {
        var octets: Int32 = 0
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    /// A reader holds so many octets now; none takes it out of the list.
    mutating func changed(_ reader: Int32, to octets: Int32) {
        while links.count <= Int(reader) { links.append(Link()) }
        let before = links[Int(reader)].octets
        total += Int(octets) - Int(before)
        links[Int(reader)].octets = octets
        if before == 0, octets > 0 { append(reader) }
        if before > 0, octets == 0 { unlink(reader) }
    }

    private mutating func append(_ reader: Int32) {
        links[Int(reader)].previous = newest
        links[Int(reader)].next = -1
        if newest >= 0 { links[Int(newest)].next = reader } else { oldest = reader }
        newest = reader
    }

    private mutating func unlink(_ reader: Int32) {
        let link = links[Int(reader)]
        if link.previous >= 0 { links[Int(link.previous)].next = link.next } else { oldest = link.next }
        if link.next >= 0 { links[Int(link.next)].previous = link.previous } else { newest = link.previous }
    }
}
