// Wingmirror · Apache-2.0

import PacketDecoding

/// Finds the slot of a connection by the hash of its addresses: open addressing with linear probing.
///
/// An entry is one word: the low half of the hash, by which entries are told apart and moved without a look at the
/// connection, and the slot. The index doubles at a load of one half.
struct ConnectionIndex: ~Copyable {
    private var entries: FixedBuffer<UInt64>
    private var count = 0
    /// What both factors of each product are mixed with.
    ///
    /// A factor that senders know could be made zero, and the product with it, whatever the other is.
    private let secrets: (low: UInt64, high: UInt64, sum: UInt64)

    /// Makes an empty index.
    ///
    /// - Parameter seed: Varies the hash, so that traffic cannot be made to collide; what is found does not depend on it.
    init(seed: UInt64) {
        secrets = (Self.secret(1, of: seed), Self.secret(2, of: seed), Self.secret(3, of: seed))
        entries = FixedBuffer(repeating: 0, count: 1 << 10)
    }

    /// A hash of the addresses and ports, the same for both directions.
    @inline(__always)
    func hash(_ first: Endpoint, _ second: Endpoint) -> UInt64 {
        // A sum is the same for both directions; its carry is of no matter to a hash.
        Self.mix(hash(first) &+ hash(second), secrets.sum)
    }

    /// Mixes two words into one by a full multiplication.
    @inline(__always)
    static func mix(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let product = first.multipliedFullWidth(by: second)
        return product.high ^ product.low
    }

    @inline(__always)
    private func hash(_ endpoint: Endpoint) -> UInt64 {
        // The port takes the place of the octets that are zero in every IPv4 address.
        let low = endpoint.address.low ^ (UInt64(endpoint.port) << 48)
        return Self.mix(low ^ secrets.low, endpoint.address.high ^ secrets.high)
    }

    /// One of several odd words that do not tell each other: a step of SplitMix64.
    private static func secret(_ number: UInt64, of seed: UInt64) -> UInt64 {
        var word = seed &+ number &* 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return (word ^ (word >> 31)) | 1
    }

    /// Where the search for `hash` begins.
    func start(of hash: UInt64) -> Int {
        Int(UInt32(truncatingIfNeeded: hash)) & (entries.capacity - 1)
    }

    /// The position to look at after `position`.
    func position(after position: Int) -> Int {
        (position + 1) & (entries.capacity - 1)
    }

    /// Whether the search ends at `position`, because nothing is there.
    func isEmpty(at position: Int) -> Bool {
        entries[position] == 0
    }

    /// How many positions there are.
    var capacity: Int {
        entries.capacity
    }

    /// The slot at `position`.
    func slot(at position: Int) -> Int? {
        entries[position] == 0 ? nil : Int(UInt32(truncatingIfNeeded: entries[position])) - 1
    }

    /// The slot at `position` when its entry may be for `hash`, which the caller checks.
    func slot(at position: Int, for hash: UInt64) -> Int? {
        let entry = entries[position]
        guard UInt32(truncatingIfNeeded: entry >> 32) == UInt32(truncatingIfNeeded: hash) else {
            return nil
        }
        return Int(UInt32(truncatingIfNeeded: entry)) - 1
    }

    /// Adds a slot, which is not in the index yet.
    mutating func insert(_ slot: Int, hash: UInt64) {
        if (count + 1) * 2 > entries.capacity {
            grow()
        }
        place((hash << 32) | UInt64(slot + 1))
        count += 1
    }

    /// Takes a slot out, closing the gap that it leaves so that later searches stay short.
    mutating func remove(_ slot: Int, hash: UInt64) {
        let entry = (hash << 32) | UInt64(slot + 1)
        var hole = start(of: hash)
        while entries[hole] != entry {
            precondition(entries[hole] != 0, "ConnectionIndex: remove() of a slot that is not in the index")
            hole = position(after: hole)
        }
        let mask = entries.capacity - 1
        var next = position(after: hole)
        while entries[next] != 0 {
            let home = start(of: entries[next] >> 32)
            // The entry may fill the gap unless its home lies behind the gap.
            if (next - home) & mask >= (next - hole) & mask {
                entries[hole] = entries[next]
                hole = next
            }
            next = position(after: next)
        }
        entries[hole] = 0
        count -= 1
    }

    private mutating func place(_ entry: UInt64) {
        var position = start(of: entry >> 32)
        while entries[position] != 0 {
            position = self.position(after: position)
        }
        entries[position] = entry
    }

    private mutating func grow() {
        var old = FixedBuffer<UInt64>(repeating: 0, count: entries.capacity * 2)
        swap(&old, &entries)
        for position in 0..<old.capacity where old[position] != 0 {
            place(old[position])
        }
    }
}
