// Wingmirror · Apache-2.0
// Decryption secrets of pcapng: draft-ietf-opsawg-pcapng §4.7.

import Glibc

/// Finds the key logs of TLS in a pcapng file before its packets are read, wherever in the file they stand.
///
/// Only the heads of other blocks are looked at. What is no pcapng is left to the reader, which says so.
struct PcapngSecrets: ~Copyable {
    /// Octets read at once: the heads of some forty packets.
    private static let windowOctets = 64 << 10

    private let descriptor: CInt
    private var window: [UInt8] = []
    /// Where in the file the window begins.
    private var windowStart = 0
    private var isBigEndian = false

    /// Gives the key logs of a file to `secrets`.
    /// - Returns: Whether it was looked through; `false` for one that is compressed or cannot be opened, and for standard input.
    static func read(_ path: String, _ secrets: SavefileSecrets) -> Bool {
        guard path != "-" else { return false }
        // The path is read inside the call only.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var search = PcapngSecrets(descriptor: descriptor)
        guard search.number(at: 0) == 0x0A0D_0D0A else { return false }
        search.lookThrough(secrets)
        return true
    }

    private init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    private mutating func lookThrough(_ secrets: SavefileSecrets) {
        var block = 0
        while let type = number(at: block) {
            if type == 0x0A0D_0D0A {
                isBigEndian = false
                isBigEndian = number(at: block + 8) == 0x4D3C_2B1A
            }
            guard let length = number(at: block + 4), length >= 12, length % 4 == 0,
                length <= PcapngReader.Limits.blockOctets
            else { return }
            if type == 10, length >= 20, number(at: block + 8) == 0x544C_534B, let count = number(at: block + 12),
                let keys = octets(at: block + 16, count: min(Int(count), Int(length) - 20))
            {
                secrets(keys)
            }
            block += Int(length)
        }
    }

    /// A number of four octets, in the byte order of the section; `nil` beyond the file's end.
    private mutating func number(at offset: Int) -> UInt32? {
        if offset < windowStart || offset + 4 > windowStart + window.count {
            (windowStart, window) = (offset, read(Self.windowOctets, at: offset))
        }
        let place = offset - windowStart
        guard place + 4 <= window.count else { return nil }
        let number =
            UInt32(window[place]) | UInt32(window[place + 1]) << 8 | UInt32(window[place + 2]) << 16
            | UInt32(window[place + 3]) << 24
        return isBigEndian ? number.byteSwapped : number
    }

    private func octets(at offset: Int, count: Int) -> [UInt8]? {
        let octets = read(count, at: offset)
        return octets.count == count ? octets : nil
    }

    /// As many octets as there are, up to `count`.
    private func read(_ count: Int, at offset: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            while filled < count {
                // Invariant: `count - filled` octets of the room are left behind `filled`.
                let got = unsafe pread(
                    descriptor,
                    room.baseAddress.map { unsafe $0 + filled },
                    count - filled,
                    off_t(offset + filled)
                )
                if got <= 0 { return }
                filled += got
            }
        }
    }
}
