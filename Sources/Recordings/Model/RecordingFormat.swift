// Wingmirror · Apache-2.0

/// What kind of file a recording is, by its first octets.
public enum RecordingFormat: Sendable, Hashable, CaseIterable {
    /// Exchange records, one a line.
    case records
    /// GoReplay's.
    case gor
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
        } else if octets.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) == UInt8(ascii: "{") {
            self = .records
        } else if octets.count > 1, (0x31...0x33).contains(octets[0]), octets[1] == 0x20 {
            self = .gor
        } else {
            return nil
        }
    }
}
