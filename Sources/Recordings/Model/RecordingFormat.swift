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

    /// The first octets without white space and the mark of UTF-8.
    private static func firstWord(_ octets: [UInt8]) -> [UInt8]? {
        let text = octets.starts(with: [0xEF, 0xBB, 0xBF]) ? octets.dropFirst(3) : octets[...]
        let word = text.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return word.isEmpty ? nil : word
    }

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
        } else if let first = Self.firstWord(octets), first.first == UInt8(ascii: "{") {
            self = first.starts(with: #"{"log":"#.utf8) ? .har : .records
        } else if octets.count > 1, (0x31...0x33).contains(octets[0]), octets[1] == 0x20 {
            self = .gor
        } else {
            return nil
        }
    }
}
