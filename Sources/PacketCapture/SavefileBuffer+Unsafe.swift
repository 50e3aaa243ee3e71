// Wingmirror · Apache-2.0

/// Octets of a savefile that have been read and not yet passed, in one piece however long.
///
/// It serves formats that we read ourselves: octets are copied once, from the file, and lent from here. What is left of a
/// record when more is read is moved directly in front of the start of a page, where the kernel copies to fastest.
@safe
struct SavefileBuffer: ~Copyable {
    private var memory: UnsafeMutableRawBufferPointer
    /// The unread octets lie from `start` on, which is within the memory, and none lie beyond it.
    private var start = 0
    /// How many octets are unread.
    private(set) var count = 0
    /// Where the first unread octet stands in the savefile.
    private(set) var position: Int

    /// Makes an empty buffer that reads about `octets` at once; it grows when asked for more.
    ///
    /// - Parameters:
    ///   - octets: How much to read at once.
    ///   - position: Where the first octet stands in the savefile that will be read.
    init(octets: Int, position: Int = 0) {
        self.position = position
        unsafe memory = Self.allocate(octets)
    }

    deinit {
        unsafe memory.deallocate()
    }

    /// The unread octets.
    var octets: Span<UInt8> {
        @_lifetime(borrow self)
        get { octets(from: 0, count: count) }
    }

    /// A part of the unread octets.
    @_lifetime(borrow self)
    @inline(__always)
    func octets(from offset: Int, count length: Int) -> Span<UInt8> {
        precondition(offset >= 0 && length >= 0 && length <= count - offset, "SavefileBuffer: octets() beyond them")
        let bound = unsafe UnsafeBufferPointer(
            start: base?.advanced(by: offset).assumingMemoryBound(to: UInt8.self),
            count: length
        )
        // Invariant: the memory lives, and stays in place, as long as the buffer that is borrowed here.
        return unsafe _overrideLifetime(Span(_unsafeElements: bound), borrowing: self)
    }

    /// Four unread octets as a number, the lowest first.
    @inline(__always)
    func littleEndianWord(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset + 4 <= count, "SavefileBuffer: a number beyond what is unread")
        // Invariant: the range was checked.
        return unsafe UInt32(littleEndian: base?.loadUnaligned(fromByteOffset: offset, as: UInt32.self) ?? 0)
    }

    /// Where the unread octets begin.
    @inline(__always)
    private var base: UnsafeMutableRawPointer? {
        unsafe memory.baseAddress?.advanced(by: start)
    }

    /// Sees to it that `wanted` octets are unread, and says how many there are: fewer only at the end or at a fault.
    mutating func fill(_ wanted: Int, from source: SavefileSource) -> Int {
        guard count < wanted else {
            return count
        }
        makeRoom(for: wanted)
        while count < wanted {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(start + count)...])
            let read = unsafe source.read(into: room)
            guard read > 0 else {
                break
            }
            count += read
        }
        return count
    }

    /// Passes over `octets` of what is unread.
    @inline(__always)
    mutating func pass(_ octets: Int) {
        precondition(octets >= 0 && octets <= count, "SavefileBuffer: pass() beyond what is unread")
        // No more than what is unread is passed, so that these stay within the memory and above 0.
        start &+= octets
        count &-= octets
        position &+= octets
    }

    /// Moves the unread octets in front of a page, and takes more memory where `wanted` do not fit behind that.
    private mutating func makeRoom(for wanted: Int) {
        let page = SavefileSource.bufferAlignment
        let boundary = (count + page - 1) / page * page
        let rest = unsafe UnsafeRawBufferPointer(rebasing: memory[start..<start + count])
        if unsafe boundary - count + wanted > memory.count {
            let larger = unsafe Self.allocate(boundary + wanted * 2)
            unsafe UnsafeMutableRawBufferPointer(rebasing: larger[(boundary - count)...]).copyMemory(from: rest)
            unsafe memory.deallocate()
            unsafe memory = larger
        } else {
            // The ranges may overlap, which `copyMemory` allows.
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(boundary - count)...]).copyMemory(from: rest)
        }
        start = boundary - count
    }

    /// Memory for `octets` behind the page that what is left of a record is moved into.
    private static func allocate(_ octets: Int) -> UnsafeMutableRawBufferPointer {
        let page = SavefileSource.bufferAlignment
        return .allocate(byteCount: max(octets, 64) + page, alignment: page)
    }
}
