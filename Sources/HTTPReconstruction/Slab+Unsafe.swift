// Wingmirror · Apache-2.0

/// Values at stable indices, in memory that grows by blocks and is never moved.
///
/// A free index is used again before the slab grows, so that what lives long costs no more than what lives at once.
@safe
struct Slab<Element: ~Copyable>: ~Copyable {
    private var blocks: [UnsafeMutablePointer<Element>] = unsafe []
    private var isOccupied: [Bool] = []
    private var free: [Int32] = []
    private(set) var count = 0

    private static var blockSize: Int { 256 }

    init() {}

    deinit {
        for index in 0..<isOccupied.count where isOccupied[index] {
            unsafe pointer(index).deinitialize(count: 1)
        }
        let blockCount = (isOccupied.count + Self.blockSize - 1) / Self.blockSize
        for index in 0..<blockCount { unsafe blocks[index].deallocate() }
    }

    /// Stores `element` at a free index.
    mutating func insert(_ element: consuming Element) -> Int32 {
        let index = free.popLast() ?? Int32(isOccupied.count)
        place(element, at: Int(index))
        return index
    }

    /// Stores `element` at `index`, which must be free; for indices that somebody else hands out.
    mutating func place(_ element: consuming Element, at index: Int) {
        while index >= isOccupied.count {
            if isOccupied.count % Self.blockSize == 0 {
                unsafe blocks.append(UnsafeMutablePointer<Element>.allocate(capacity: Self.blockSize))
            }
            isOccupied.append(false)
        }
        precondition(!isOccupied[index], "Slab.place: the index is taken")
        isOccupied[index] = true
        unsafe pointer(index).initialize(to: element)
        count += 1
    }

    /// Takes out the element at an index that `insert` gave.
    mutating func remove(at index: Int32) -> Element {
        willEmpty(Int(index))
        free.append(index)
        return unsafe pointer(Int(index)).move()
    }

    /// Ends the element at an index that `insert` gave.
    mutating func discard(at index: Int32) {
        willEmpty(Int(index))
        free.append(index)
        unsafe pointer(Int(index)).deinitialize(count: 1)
    }

    /// Ends the element at an index that `place` was given.
    mutating func vacate(at index: Int) {
        willEmpty(index)
        unsafe pointer(index).deinitialize(count: 1)
    }

    private mutating func willEmpty(_ index: Int) {
        precondition(isOccupied[index], "Slab: nothing is there")
        isOccupied[index] = false
        count -= 1
    }

    /// The element at `index`, in place.
    subscript(index: Int) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(isOccupied[index], "Slab: nothing is there")
            return unsafe UnsafePointer(pointer(index))
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(isOccupied[index], "Slab: nothing is there")
            return unsafe pointer(index)
        }
    }

    /// The element at an index that `insert` gave, in place.
    subscript(index: Int32) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(isOccupied[Int(index)], "Slab: nothing is there")
            return unsafe UnsafePointer(pointer(Int(index)))
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(isOccupied[Int(index)], "Slab: nothing is there")
            return unsafe pointer(Int(index))
        }
    }

    /// Where the element lies; blocks are never moved or freed while the slab lives.
    @inline(__always)
    private func pointer(_ index: Int) -> UnsafeMutablePointer<Element> {
        unsafe blocks[index / Self.blockSize] + index % Self.blockSize
    }
}
