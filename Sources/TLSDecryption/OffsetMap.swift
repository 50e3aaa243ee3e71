// Wingmirror · Apache-2.0

/// Where the plaintext of a direction stood at the end of each of its latest records.
///
/// An acknowledgement that lies further back than they reach says nothing.
struct OffsetMap {
    private var entries: [(ciphertext: Int64, plaintext: Int64)] = []
    private var newest = -1
    private static let capacity = 32

    /// A record ends at `ciphertext`, and with it the plaintext at `plaintext`.
    mutating func recordEnded(at ciphertext: Int64, plaintext: Int64) {
        newest = (newest + 1) % Self.capacity
        if entries.count < Self.capacity {
            entries.append((ciphertext, plaintext))
        } else {
            entries[newest] = (ciphertext, plaintext)
        }
    }

    /// The end of the plaintext of the last record that was acknowledged whole.
    func plaintext(acknowledgedTo ciphertext: Int64) -> Int64? {
        var place = newest
        for _ in 0..<entries.count {
            if entries[place].ciphertext <= ciphertext { return entries[place].plaintext }
            place = place == 0 ? entries.count - 1 : place - 1
        }
        return nil
    }
}
