// Wingmirror · Apache-2.0

/// Who holds memory for something unfinished, in order, and how much that is together.
///
/// What each may hold is bounded elsewhere, but there may be as many holders as connections, so their sum is bounded too: who
/// is first in the order gives up first.
package struct HeldOctets {
    /// Octets of memory that all holders together hold.
    package private(set) var total = 0
    /// The holder that is first in the order: the one that has held something longest, or was touched longest ago; or -1.
    package private(set) var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// By the number of the holder.
    private var links: [Link] = []

    private struct Link {
        var octets: Int32 = 0
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    /// Makes a list of nobody.
    package init() {}

    /// What a holder holds.
    package func octets(of holder: Int32) -> Int32 {
        Int(holder) < links.count ? links[Int(holder)].octets : 0
    }

    /// A holder holds so many octets now and keeps its place in the order; none takes it out of the list.
    package mutating func changed(_ holder: Int32, to octets: Int32) {
        while links.count <= Int(holder) { links.append(Link()) }
        let before = links[Int(holder)].octets
        total += Int(octets) - Int(before)
        links[Int(holder)].octets = octets
        if before == 0, octets > 0 { append(holder) }
        if before > 0, octets == 0 { unlink(holder) }
    }

    /// The same, and the holder goes to the end of the order.
    package mutating func touched(_ holder: Int32, to octets: Int32) {
        if newest != holder, self.octets(of: holder) > 0 {
            unlink(holder)
            append(holder)
        }
        changed(holder, to: octets)
    }

    private mutating func append(_ holder: Int32) {
        links[Int(holder)].previous = newest
        links[Int(holder)].next = -1
        if newest >= 0 { links[Int(newest)].next = holder } else { oldest = holder }
        newest = holder
    }

    private mutating func unlink(_ holder: Int32) {
        let link = links[Int(holder)]
        if link.previous >= 0 { links[Int(link.previous)].next = link.next } else { oldest = link.next }
        if link.next >= 0 { links[Int(link.next)].previous = link.previous } else { newest = link.previous }
    }
}
