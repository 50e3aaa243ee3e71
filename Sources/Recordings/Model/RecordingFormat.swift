// Wingmirror · Apache-2.0

/// What kind of file a recording is, by its first octets.
public enum RecordingFormat: Sendable, Hashable, CaseIterable {
    /// Exchange records, one a line.
    case records
    /// GoReplay's.
    case gor
    /// HTTP Archive.
    case har
    /// Packets: pcap or pcapng.
    case savefile
    /// Any of them, compressed.
    case gzip

    /// How many octets are enough to tell.
    public static let neededOctets = 64

    /// Tells the format; `nil` when the octets are the beginning of none.
    public init?(beginning octets: [UInt8]) {
        let savefileMarks: [[UInt8]] = [
            [0xD4, 0xC3, 0xB2, 0xA1], [0xA1, 0xB2, 0xC3, 0xD4], [0x4D, 0x3C, 0xB2, 0xA1], [0xA1, 0xB2, 0x3C, 0x4D],
            [0x0A, 0x0D, 0x0D, 0x0A],
        ]
        if octets.starts(with: [0x1F, 0x8B]) {
            self = .gzip
        } else if savefileMarks.contains(where: { octets.starts(with: $0) }) {
            self = .savefile
        } else if let isArchive = Self.isArchive(octets) {
            self = isArchive ? .har : .records
        } else if octets.count > 1, (0x31...0x33).contains(octets[0]), octets[1] == 0x20 {
            self = .gor
        } else {
            return nil
        }
    }

    /// Whether the first object has the member `log`, as far as there are octets; `nil` where no object begins.
    ///
    /// Other members may come before it, which is why strings and nesting are looked at. A record, which is an object on a line of
    /// its own, has no such member.
    private static func isArchive(_ octets: [UInt8]) -> Bool? {
        let text = octets.starts(with: [0xEF, 0xBB, 0xBF]) ? octets.dropFirst(3) : octets[...]
        guard let start = text.firstIndex(where: { !isWhitespace($0) }), text[start] == UInt8(ascii: "{") else {
            return nil
        }
        var depth = 0
        var key: ArraySlice<UInt8>?
        var index = start
        while index < text.endIndex {
            switch text[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return false }
            case UInt8(ascii: ":"):
                if depth == 1, let key, key.elementsEqual("log".utf8) { return true }
                key = nil
            case UInt8(ascii: "\""):
                let begin = index + 1
                index = begin
                while index < text.endIndex, text[index] != UInt8(ascii: "\"") {
                    index += text[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                key = text[begin..<min(index, text.endIndex)]
            default: break
            }
            index += 1
        }
        return false
    }

    private static func isWhitespace(_ octet: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(octet) }
}
