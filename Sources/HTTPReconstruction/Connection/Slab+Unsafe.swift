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

    private static var blockSize: Int32 { 256 }

    init() {}

    deinit {
        for index in 0..<isOccupied.count where isOccupied[index] {
            unsafe pointer(Int32(index)).deinitialize(count: 1)
        }
        let blockCount = (isOccupied.count + Int(Self.blockSize) - 1) / Int(Self.blockSize)
        for index in 0..<blockCount { unsafe blocks[index].deallocate() }
    }

    /// Stores `element` at a free index.
    ///
    /// Always inlined, so that a large element is made where it is to lie and not copied there.
    @inline(__always)
    mutating func insert(_ element: consuming Element) -> Int32 {
        let index = free.popLast() ?? Int32(isOccupied.count)
        if index == isOccupied.count {
            if index % Self.blockSize == 0 {
                unsafe blocks.append(UnsafeMutablePointer<Element>.allocate(capacity: Int(Self.blockSize)))
            }
            isOccupied.append(false)
        }
        isOccupied[Int(index)] = true
        unsafe pointer(index).initialize(to: element)
        count += 1
        return index
    }

    /// Takes out the element at an index that `insert` gave.
    mutating func remove(at index: Int32) -> Element {
        willEmpty(index)
        return unsafe pointer(index).move()
    }

    /// Ends the element at an index that `insert` gave.
    mutating func discard(at index: Int32) {
        willEmpty(index)
        unsafe pointer(index).deinitialize(count: 1)
    }

    private mutating func willEmpty(_ index: Int32) {
        precondition(isOccupied[Int(index)], "Slab: nothing is there")
        isOccupied[Int(index)] = false
        free.append(index)
        count -= 1
    }

    /// The element at an index that `insert` gave, in place.
    subscript(index: Int32) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(isOccupied[Int(index)], "Slab: nothing is there")
            return unsafe UnsafePointer(pointer(index))
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(isOccupied[Int(index)], "Slab: nothing is there")
            return unsafe pointer(index)
        }
    }

    /// Where the element lies; blocks are never moved or freed while the slab lives.
    @inline(__always)
    private func pointer(_ index: Int32) -> UnsafeMutablePointer<Element> {
        unsafe blocks[Int(index / Self.blockSize)] + Int(index % Self.blockSize)
    }
}
