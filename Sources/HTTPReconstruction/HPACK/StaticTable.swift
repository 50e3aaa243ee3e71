// Wingmirror · Apache-2.0
// HPACK static table, RFC 7541 Appendix A.

internal import TrafficModel

/// What every HPACK decoder knows, the static table and the Huffman code; one for all connections of a worker.
struct HPACKTables: ~Copyable {
    let huffman = HuffmanCode.canonical
    private var octets = OctetBuffer()
    private var entries: [Entry] = []

    private struct Entry {
        let name: OctetRange
        let value: OctetRange
        let code: FieldName
        let hash: UInt32
    }

    /// The last index of the static table; dynamic entries follow.
    static let lastIndex = 61

    init() {
        for (name, value) in Self.table {
            let start = octets.count
            octets.append(name)
            let middle = octets.count
            octets.append(value)
            let (code, hash) = Self.meaning(of: octets, start..<middle)
            let names = OctetRange(start..<middle)
            entries.append(Entry(name: names, value: OctetRange(middle..<octets.count), code: code, hash: hash))
        }
    }

    private static func meaning(of octets: OctetBuffer, _ range: Range<Int>) -> (FieldName, UInt32) {
        let text = octets.span.extracting(range)
        return (FieldName(text), text.nameHash)
    }

    /// Adds the name of entry `index`, which counts from 1, to the field in progress.
    func copyName(_ index: Int, into section: inout FieldSection) {
        section.octets.append(octets.span.extracting(entries[index - 1].name.range))
    }

    /// Adds the value of entry `index`, which counts from 1, to the field in progress.
    func copyValue(_ index: Int, into section: inout FieldSection) {
        section.octets.append(octets.span.extracting(entries[index - 1].value.range))
    }

    /// What the name of entry `index` means, and its hash.
    func name(_ index: Int) -> (code: FieldName, hash: UInt32) {
        (entries[index - 1].code, entries[index - 1].hash)
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
