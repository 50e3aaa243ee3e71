// Wingmirror · Apache-2.0

/// Values at stable indices, in memory that grows by blocks and is never moved.
///
/// A free index is used again before the slab grows, so that what lives long costs no more than what lives at once. The
/// memory of a free index holds the number of the next one, so that the list of them needs none. Blocks begin with a cache
/// line.
@safe
struct Slab<Element: ~Copyable>: ~Copyable {
    /// The blocks, for ``blockSize`` elements each.
    private var blocks: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    private var blockCount = 0
    private var blockCapacity = 0
    /// Indices below this one lie in blocks, and were given out at least once.
    private var highWater: UInt32 = 0
    /// For each index below `highWater` whether an element is there; in memory for all blocks.
    private var isOccupied: UnsafeMutablePointer<Bool>
    /// The free index that was given back last, or ``none``.
    private var firstFree = Self.none
    private(set) var count = 0

    private static var none: UInt32 { .max }
    private static var blockShift: UInt32 { 8 }
    private static var blockSize: Int { 1 << 8 }

    init() {
        unsafe blocks = .allocate(capacity: 0)
        unsafe isOccupied = .allocate(capacity: 0)
    }

    deinit {
        for index in 0..<highWater where unsafe isOccupied[Int(index)] {
            unsafe pointer(index).deinitialize(count: 1)
        }
        for index in 0..<blockCount { unsafe blocks[index].deallocate() }
        unsafe blocks.deallocate()
        unsafe isOccupied.deallocate()
    }

    /// Stores `element` at a free index.
    ///
    /// Always inlined, so that a large element is made where it is to lie and not copied there.
    @inline(__always)
    mutating func insert(_ element: consuming Element) -> Int32 {
        let index = takeIndex()
        unsafe pointer(index).initialize(to: element)
        return Int32(bitPattern: index)
    }

    /// Stores what `make` gives at a free index; made in place, where a value that is passed on would be moved.
    @inline(__always)
    mutating func insert(_ make: () -> Element) -> Int32 {
        let index = takeIndex()
        unsafe pointer(index).initialize(to: make())
        return Int32(bitPattern: index)
    }

    /// Takes out the element at an index that `insert` gave.
    mutating func remove(at index: Int32) -> Element {
        willEmpty(index)
        let element = unsafe pointer(UInt32(bitPattern: index)).move()
        addFree(UInt32(bitPattern: index))
        return element
    }

    /// Ends the element at an index that `insert` gave.
    ///
    /// - Parameters:
    ///   - index: Where it is.
    ///   - holdsNothing: Whether it consists of plain words and empty references only, with which nothing is to be done.
    @inline(__always)
    mutating func discard(at index: Int32, holdsNothing: Bool = false) {
        willEmpty(index)
        if !holdsNothing { unsafe pointer(UInt32(bitPattern: index)).deinitialize(count: 1) }
        addFree(UInt32(bitPattern: index))
    }

    /// The element at an index that `insert` gave, in place.
    ///
    /// That it has not been taken out meanwhile is checked where it is taken out, and in debug builds here: whoever holds
    /// an index is the only one who does, and gives it up with the element.
    subscript(index: Int32) -> Element {
        @inline(__always)
        unsafeAddress {
            unsafe UnsafePointer(checkedPointer(index))
        }
        @inline(__always)
        unsafeMutableAddress {
            unsafe checkedPointer(index)
        }
    }

    /// Where the element lies at an index that `insert` gave; good as long as the slab is borrowed.
    @inline(__always)
    borrowing func address(of index: Int32) -> UnsafePointer<Element> {
        unsafe UnsafePointer(checkedPointer(index))
    }

    /// The same, to change the element; good as long as the slab is borrowed exclusively.
    @inline(__always)
    mutating func mutableAddress(of index: Int32) -> UnsafeMutablePointer<Element> {
        unsafe checkedPointer(index)
    }

    @inline(__always)
    private func checkedPointer(_ index: Int32) -> UnsafeMutablePointer<Element> {
        precondition(UInt32(bitPattern: index) < highWater, "Slab: no such index was given")
        assert(unsafe isOccupied[Int(index)], "Slab: nothing is there")
        return unsafe pointer(UInt32(bitPattern: index))
    }

    /// Where the element at an index below `highWater` lies.
    @inline(__always)
    private func pointer(_ index: UInt32) -> UnsafeMutablePointer<Element> {
        // Invariant: there are blocks for all indices below `highWater`, and they are never moved or freed while the slab
        // lives.
        unsafe blocks[Int(index &>> Self.blockShift)] + Int(index & UInt32(Self.blockSize - 1))
    }

    // MARK: - Indices

    @inline(__always)
    private mutating func takeIndex() -> UInt32 {
        count += 1
        let index: UInt32
        if firstFree != Self.none {
            index = firstFree
            // Invariant: the index was given back, and the number of the next one written where its element was.
            firstFree = unsafe UnsafeRawPointer(pointer(index)).load(as: UInt32.self)
        } else {
            index = highWater
            if Int(index >> Self.blockShift) == blockCount { addBlock() }
            highWater += 1
        }
        // Invariant: the index is below `highWater`.
        unsafe isOccupied[Int(index)] = true
        return index
    }

    @inline(__always)
    private mutating func willEmpty(_ index: Int32) {
        precondition(
            UInt32(bitPattern: index) < highWater && (unsafe isOccupied[Int(index)]),
            "Slab: nothing is there"
        )
        // Invariant: the index is below `highWater`.
        unsafe isOccupied[Int(index)] = false
        count &-= 1
    }

    /// Adds an index, whose element has ended, to those that are free.
    @inline(__always)
    private mutating func addFree(_ index: UInt32) {
        // Invariant: no element is there, and an element takes and is aligned to four octets at least, see `addBlock`.
        unsafe UnsafeMutableRawPointer(pointer(index)).storeBytes(of: firstFree, as: UInt32.self)
        firstFree = index
    }

    @inline(never)
    private mutating func addBlock() {
        if blockCount == blockCapacity {
            blockCapacity = max(16, blockCapacity * 2)
            let indices = blockCapacity * Self.blockSize
            unsafe blocks = Self.moved(blocks, count: blockCount, capacity: blockCapacity)
            unsafe isOccupied = Self.moved(isOccupied, count: Int(highWater), capacity: indices)
        }
        precondition(
            MemoryLayout<Element>.size >= 4 && MemoryLayout<Element>.alignment >= 4,
            "Slab: an element must have room for the number of a free index"
        )
        // Invariant: 64 octets suffice as alignment of any element, and the bound type is the only one that lives there.
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: Self.blockSize * MemoryLayout<Element>.stride,
            alignment: 64
        )
        unsafe (blocks + blockCount).initialize(to: memory.bindMemory(to: Element.self, capacity: Self.blockSize))
        blockCount += 1
    }

    /// Larger memory with the first `count` values of another, which is given back.
    private static func moved<Value>(
        _ memory: UnsafeMutablePointer<Value>,
        count: Int,
        capacity: Int
    ) -> UnsafeMutablePointer<Value> {
        let larger = UnsafeMutablePointer<Value>.allocate(capacity: capacity)
        unsafe larger.moveInitialize(from: memory, count: count)
        unsafe memory.deallocate()
        return unsafe larger
    }
}
