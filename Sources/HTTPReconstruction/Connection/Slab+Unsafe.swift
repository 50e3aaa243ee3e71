// Wingmirror · Apache-2.0

/// Values at stable indices, in memory that grows by blocks and is never moved.
///
/// A free index is used again before the slab grows, so that what lives long costs no more than what lives at once.
@safe
struct Slab<Element: ~Copyable>: ~Copyable {
    /// The blocks, for ``blockSize`` elements each.
    private var blocks: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    private var blockCount = 0
    private var blockCapacity = 0
    /// Indices below this one lie in blocks, and were given out at least once.
    private var highWater: UInt32 = 0
    private var isOccupied: [Bool] = []
    private var free: [Int32] = []
    private(set) var count = 0

    private static var blockShift: UInt32 { 8 }
    private static var blockSize: Int { 1 << 8 }

    init() {
        unsafe blocks = .allocate(capacity: 0)
    }

    deinit {
        for index in 0..<isOccupied.count where isOccupied[index] {
            unsafe pointer(UInt32(index)).deinitialize(count: 1)
        }
        for index in 0..<blockCount { unsafe blocks[index].deallocate() }
        unsafe blocks.deallocate()
    }

    /// Stores `element` at a free index.
    ///
    /// Always inlined, so that a large element is made where it is to lie and not copied there.
    @inline(__always)
    mutating func insert(_ element: consuming Element) -> Int32 {
        let index = takeIndex()
        unsafe pointer(UInt32(bitPattern: index)).initialize(to: element)
        return index
    }

    /// Takes out the element at an index that `insert` gave.
    mutating func remove(at index: Int32) -> Element {
        willEmpty(index)
        return unsafe pointer(UInt32(bitPattern: index)).move()
    }

    /// Ends the element at an index that `insert` gave.
    mutating func discard(at index: Int32) {
        willEmpty(index)
        unsafe pointer(UInt32(bitPattern: index)).deinitialize(count: 1)
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

    @inline(__always)
    private func checkedPointer(_ index: Int32) -> UnsafeMutablePointer<Element> {
        precondition(UInt32(bitPattern: index) < highWater, "Slab: no such index was given")
        assert(isOccupied[Int(index)], "Slab: nothing is there")
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

    private mutating func takeIndex() -> Int32 {
        count += 1
        if let index = free.popLast() {
            isOccupied[Int(index)] = true
            return index
        }
        let index = Int(highWater)
        if index >> Int(Self.blockShift) == blockCount { addBlock() }
        highWater += 1
        isOccupied.append(true)
        return Int32(index)
    }

    private mutating func addBlock() {
        if blockCount == blockCapacity {
            blockCapacity = max(16, blockCapacity * 2)
            let larger = UnsafeMutablePointer<UnsafeMutablePointer<Element>>.allocate(capacity: blockCapacity)
            unsafe larger.moveInitialize(from: blocks, count: blockCount)
            unsafe blocks.deallocate()
            unsafe blocks = larger
        }
        unsafe (blocks + blockCount).initialize(to: .allocate(capacity: Self.blockSize))
        blockCount += 1
    }

    private mutating func willEmpty(_ index: Int32) {
        precondition(isOccupied[Int(index)], "Slab: nothing is there")
        isOccupied[Int(index)] = false
        free.append(index)
        count -= 1
    }
}
