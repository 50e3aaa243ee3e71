// Wingmirror · Apache-2.0
// HPACK static table, RFC 7541 Appendix A.

internal import TrafficModel

/// What every HPACK decoder knows, the static table and the Huffman code; one for all connections of a worker.
struct HPACKTables: ~Copyable {
    let huffman = HuffmanCode.canonical
    private var octets = OctetBuffer()
    private var entries = PlainList<StaticEntry>(capacity: HPACKTables.lastIndex)

    /// The last index of the static table; dynamic entries follow.
    static let lastIndex = 61

    init() {
        for (name, value) in Self.table {
            let start = octets.count
            octets.append(name)
            let middle = octets.count
            octets.append(value)
            let (code, hash) = Self.meaning(of: octets, start..<middle)
            entries.append(
                StaticEntry(
                    start: start,
                    nameLength: middle - start,
                    valueLength: octets.count - middle,
                    code: code,
                    hash: hash
                )
            )
        }
    }

    private static func meaning(of octets: borrowing OctetBuffer, _ range: Range<Int>) -> (FieldName, UInt32) {
        let text = octets.span.extracting(range)
        return (FieldName(text), text.nameHash)
    }

    /// Adds the name of entry `index`, which counts from 1, to the field in progress, and its value if that is wanted.
    /// - Returns: What the name means, its hash, and how many octets it has.
    @inline(__always)
    func copy(
        _ index: Int,
        withValue: Bool,
        into section: inout FieldSection
    ) -> (code: FieldName, hash: UInt32, nameLength: Int) {
        let entry = entries[index - 1]
        let length = entry.nameLength + (withValue ? entry.valueLength : 0)
        section.octets.append(octets.span.extracting(entry.start..<entry.start + length))
        return (entry.code, entry.hash, entry.nameLength)
    }

    private static var table: [(StaticString, StaticString)] {
        [
            (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
            (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
            (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
            ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
            ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""),
            ("cache-control", ""), ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""),
            ("content-length", ""), ("content-location", ""), ("content-range", ""), ("content-type", ""),
            ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
            ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
            ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""),
            ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""),
            ("retry-after", ""), ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""),
            ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""), ("www-authenticate", ""),
        ]
    }
}

/// One entry of the static table.
struct StaticEntry {
    /// Where the name lies, and behind it the value.
    let start: Int
    let nameLength: Int
    let valueLength: Int
    /// What the name means.
    let code: FieldName
    /// A hash of the name.
    let hash: UInt32
}
