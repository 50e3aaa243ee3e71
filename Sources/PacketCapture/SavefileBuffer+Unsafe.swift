// Wingmirror · Apache-2.0

/// Octets of a savefile that have been read and not yet passed, in one piece however long.
///
/// It serves formats that we read ourselves: octets are copied once, from the file, and lent from here.
@safe
struct SavefileBuffer: ~Copyable {
    private var memory: UnsafeMutableRawBufferPointer
    private var unread = 0..<0
    /// Where the first unread octet stands in the savefile.
    private(set) var position = 0

    /// Makes an empty buffer of `octets`; it grows when asked for more at once.
    init(octets: Int) {
        unsafe memory = .allocate(byteCount: max(octets, 64), alignment: SavefileSource.bufferAlignment)
    }

    deinit {
        unsafe memory.deallocate()
    }

    /// The unread octets.
    var octets: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let bound = unsafe UnsafeRawBufferPointer(rebasing: memory[unread]).assumingMemoryBound(to: UInt8.self)
            // Invariant: the memory lives, and stays in place, as long as the buffer that is borrowed here.
            return unsafe _overrideLifetime(Span(_unsafeElements: bound), borrowing: self)
        }
    }

    /// Sees to it that `count` octets are unread, and says how many there are: fewer only at the end or at a fault.
    mutating func fill(_ count: Int, from source: SavefileSource) -> Int {
        guard unread.count < count else {
            return unread.count
        }
        makeRoom(for: count)
        while unread.count < count {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[unread.upperBound...])
            let read = unsafe source.read(into: room)
            guard read > 0 else {
                break
            }
            unread = unread.lowerBound..<unread.upperBound + read
        }
        return unread.count
    }

    /// Passes over `count` octets, which must be unread.
    mutating func pass(_ count: Int) {
        precondition(count <= unread.count, "SavefileBuffer: pass() beyond what is unread")
        unread = unread.lowerBound + count..<unread.upperBound
        position += count
    }

    /// Moves the unread octets to the start, and takes more memory where `count` do not fit.
    private mutating func makeRoom(for count: Int) {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: memory[unread])
        if unsafe count > memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: count * 2,
                alignment: SavefileSource.bufferAlignment
            )
            unsafe larger.copyMemory(from: rest)
            unsafe memory.deallocate()
            unsafe memory = larger
        } else if unread.lowerBound > 0 {
            // The ranges may overlap, which `copyMemory` allows.
            unsafe memory.copyMemory(from: rest)
        }
        unread = 0..<unread.count
    }
}
