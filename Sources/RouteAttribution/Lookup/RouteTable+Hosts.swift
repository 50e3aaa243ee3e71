// Wingmirror · Apache-2.0

internal import TrafficModel

extension RouteTable {
    /// The virtual host of a request's authority, as below.
    @inline(__always)
    func findHost(
        in table: LookupTable,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        _ joined: inout [UInt8]
    ) -> Int32 {
        guard prepared.isAuthorityJoined else { return findHost(in: table, request.octets, prepared.authority) }
        request.joinHosts(into: &joined)
        return findHost(in: table, joined.span, 0..<joined.count)
    }

    /// The virtual host of an authority: by its exact name, else the longest wildcard, else `*`; -1 without one.
    func findHost(in table: LookupTable, _ octets: Span<UInt8>, _ authority: Range<Int>) -> Int32 {
        var found = table.universalHost
        // With no other host than `*`, the name need not be looked at.
        if found >= 0, table.hostRange.count == 1 { return found }
        let name = Self.withoutPort(octets, authority)
        var hash = OctetHash.start
        // Names in the table have at most 255 octets, so nothing longer is hashed.
        let count = min(name.count, 255)
        for length in 0..<count {
            let octet = OctetHash.folded(octets[name.upperBound - 1 - length])
            hash = OctetHash.step(hash, octet)
            guard length + 1 < name.count, table.suffixLengths.contains(length + 1) else { continue }
            let suffix = (name.upperBound - length - 1)..<name.upperBound
            let host = hostSlot(in: table, hash, octets, suffix, isWildcard: true)
            // Suffixes come in ascending length, so a later find is the longer one.
            if host >= 0 { found = host }
        }
        guard name.count == count, count > 0 else { return found }
        let exact = hostSlot(in: table, hash, octets, name, isWildcard: false)
        return exact >= 0 ? exact : found
    }

    /// The authority up to the colon of its port, which is never one inside brackets.
    static func withoutPort(_ octets: Span<UInt8>, _ authority: Range<Int>) -> Range<Int> {
        var index = authority.upperBound
        while index > authority.lowerBound {
            index -= 1
            if octets[index] == UInt8(ascii: ":") { return authority.lowerBound..<index }
            if octets[index] == UInt8(ascii: "]") { break }
        }
        return authority
    }

    private func hostSlot(
        in table: LookupTable,
        _ hash: UInt64,
        _ octets: Span<UInt8>,
        _ name: Range<Int>,
        isWildcard: Bool
    ) -> Int32 {
        let key = HostSlot.key(hash, isWildcard: isWildcard)
        var slot = OctetHash.slot(hash, mask: table.slotMask)
        while true {
            let candidate = index.hostSlots[table.firstSlot + slot]
            if candidate.host < 0 { return -1 }
            if candidate.key == key {
                let range = index.hosts[Int(candidate.host)].name.indices
                if isName(isWildcard ? range.dropFirst() : range, octets, name) { return candidate.host }
            }
            slot = (slot + 1) & table.slotMask
        }
    }

    /// Clients choose the octets, so an equal hash alone proves nothing.
    private func isName(_ name: Range<Int>, _ octets: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard name.count == range.count else { return false }
        var position = name.lowerBound
        for octet in range {
            guard OctetHash.folded(octets[octet]) == index.arena[position] else { return false }
            position += 1
        }
        return true
    }
}
