// Wingmirror · Apache-2.0

extension CaptureError {
    /// Files that people offer by mistake, by how they begin.
    private static let otherFormats: [(magic: [UInt8], name: String)] = [
        ([0x28, 0xB5, 0x2F, 0xFD], "zstd data, which has to be decompressed first"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz data, which has to be decompressed first"),
        ([0x42, 0x5A, 0x68], "bzip2 data, which has to be decompressed first"),
        ([0x04, 0x22, 0x4D, 0x18], "LZ4 data, which has to be decompressed first"),
        ([0x50, 0x4B, 0x03, 0x04], "a zip archive, which has to be unpacked first"),
        ([0x1F, 0x8B], "gzip data within gzip data"),
        ([0x73, 0x6E, 0x6F, 0x6F, 0x70, 0x00], "a snoop capture"),
        ([0x47, 0x4D, 0x42, 0x55], "a Network Monitor capture"),
    ]

    /// Why libpcap did not open a savefile.
    init(refused source: SavefileSource, reason: String) {
        let head = source.head
        if let failure = source.failure {
            self.init(.damaged, "\(source.name) is damaged at byte 0", cause: failure, offset: 0)
        } else if let other = Self.otherFormats.first(where: { head.starts(with: $0.magic) }) {
            self.init(.unsupported, "\(source.name) is \(other.name)")
        } else if reason.hasPrefix("truncated dump file") {
            self.init(.damaged, "\(source.name) is damaged at byte 0", cause: reason, offset: 0)
        } else if reason != "unknown file format" {
            self.init(.unsupported, "\(source.name) is not a pcap file that libpcap reads", cause: reason)
        } else if head.allSatisfy({ $0 >= 0x80 || $0 >= 0x20 && $0 < 0x7F || (0x09...0x0D).contains($0) }) {
            self.init(.notASavefile, "\(source.name) is text, not a pcap file")
        } else {
            self.init(.notASavefile, "\(source.name) is not a pcap file")
        }
    }
}

extension SavefileReader {
    /// What became of a savefile from which libpcap reads no more.
    func failure(reason: String, taken: Int, readBefore recordStart: Int) -> CaptureError {
        let offset = locateDamage(taken: taken) ?? recordStart
        return CaptureError(.damaged, "\(name) is damaged at byte \(offset)", cause: reason, offset: offset)
    }

    /// Reads the savefile again up to the bad record; `nil` when it cannot be.
    private func locateDamage(taken: Int) -> Int? {
        guard isRereadable, let again = try? SavefileSource(path: path) else {
            return nil
        }
        var damage = SavefileDamage(head: source.head)
        // When the file itself gave out no more octets, the bad record may begin exactly where they end.
        return damage?.recordStart(in: again, before: taken, tookWholeRecord: source.failure == nil)
    }
}
