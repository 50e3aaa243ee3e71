// Wingmirror · Apache-2.0
// Savefiles: draft-ietf-opsawg-pcap.

/// Finds where the record begins at which libpcap gave up, by walking the records once more.
///
/// libpcap does not say where it was, and asking the C stream before every packet costs a twelfth of the reading. Only
/// lengths are looked at here; whether a record is right was libpcap's to judge.
struct SavefileDamage {
    /// Octets before those of a packet, with the captured length at octet 8.
    private let headerOctets: Int
    private let isBigEndian: Bool
    private var position: Int

    /// Recognises a savefile by its first octets; `nil` when it is none.
    init?(head: [UInt8]) {
        guard head.count >= 12 else {
            return nil
        }
        switch head.prefix(4) {
        case [0xA1, 0xB2, 0xC3, 0xD4], [0xA1, 0xB2, 0x3C, 0x4D]:
            (headerOctets, isBigEndian, position) = (16, true, 24)
        case [0xD4, 0xC3, 0xB2, 0xA1], [0x4D, 0x3C, 0xB2, 0xA1]:
            (headerOctets, isBigEndian, position) = (16, false, 24)
        case [0xA1, 0xB2, 0xCD, 0x34]:
            (headerOctets, isBigEndian, position) = (24, true, 24)
        case [0x34, 0xCD, 0xB2, 0xA1]:
            (headerOctets, isBigEndian, position) = (24, false, 24)
        default:
            return nil
        }
    }

    /// Walks the records of a savefile.
    /// - Parameters:
    ///   - source: The savefile, opened again and not read from.
    ///   - end: How much of the savefile libpcap had taken when it gave up.
    ///   - tookWholeRecord: Whether what it took may end where the bad record ends.
    /// - Returns: Where the record begins in which libpcap gave up.
    mutating func recordStart(in source: SavefileSource, before end: Int, tookWholeRecord: Bool) -> Int {
        _ = source.octets(position)
        while true {
            guard let length = nextLength(in: source) else {
                return position
            }
            let next = position + length
            guard tookWholeRecord ? next < end : next <= end else {
                return position
            }
            position = next
        }
    }

    /// Reads the header of the record at `position` and skips the rest; `nil` when there is no whole record.
    private func nextLength(in source: SavefileSource) -> Int? {
        let header = source.octets(headerOctets)
        guard header.count == headerOctets else {
            return nil
        }
        let field = header[8..<12]
        let ordered = isBigEndian ? Array(field) : field.reversed()
        let length = headerOctets + ordered.reduce(0) { $0 << 8 | Int($1) }
        return skip(length - headerOctets, in: source) ? length : nil
    }

    /// Passes over octets, a bounded number at a time; `false` when there are fewer.
    private func skip(_ count: Int, in source: SavefileSource) -> Bool {
        var left = count
        while left > 0 {
            let read = source.octets(min(left, SavefileSource.bufferOctets)).count
            guard read > 0 else {
                return false
            }
            left -= read
        }
        return true
    }
}
