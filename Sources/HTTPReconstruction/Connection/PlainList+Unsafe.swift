// Wingmirror · Apache-2.0

/// A list of plain words that is emptied and filled again, and keeps its memory.
///
/// An array would be asked at each change whether it is the only owner of its elements; this list has one owner by its type.
@safe
struct PlainList<Element: BitwiseCopyable>: ~Copyable {
    private var memory: UnsafeMutablePointer<Element>
    /// Elements for which there is room.
    private(set) var capacity: Int
    private(set) var count = 0

    /// Makes an empty list with room for `capacity` elements, and for more when they come.
    init(capacity: Int = 0) {
        self.capacity = capacity
        unsafe memory = .allocate(capacity: capacity)
    }

    deinit {
        // The elements are plain words, with which nothing has to be done at the end.
        unsafe memory.deallocate()
    }

    /// The elements.
    var span: Span<Element> {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            let elements = unsafe UnsafeBufferPointer(start: memory, count: count)
            // Invariant: the first `count` elements were written, and stay where they are as long as the list is borrowed.
            return unsafe _overrideLifetime(Span(_unsafeElements: elements), borrowing: self)
        }
    }

    var isEmpty: Bool {
        @inline(__always)
        get { count == 0 }
    }

    /// The element at `index`, in place.
    subscript(index: Int) -> Element {
        @inline(__always)
        unsafeAddress { unsafe UnsafePointer(address(of: index)) }
        @inline(__always)
        unsafeMutableAddress { unsafe address(of: index) }
    }

    @inline(__always)
    private func address(of index: Int) -> UnsafeMutablePointer<Element> {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "PlainList: no element is there")
        return unsafe memory + index
    }

    /// The latest element; there must be one.
    var last: Element {
        @inline(__always)
        get { self[count &- 1] }
        @inline(__always)
        set { self[count &- 1] = newValue }
    }

    // MARK: - Adding

    /// Adds an element.
    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow(by: 1) }
        // Invariant: there is room for `capacity` elements, and the count is below that.
        unsafe (memory + count).initialize(to: element)
        count &+= 1
    }

    /// Adds elements.
    @inline(__always)
    mutating func append(_ elements: Span<Element>) {
        reserve(elements.count)
        let end = unsafe memory + count
        unsafe elements.withUnsafeBufferPointer { source in
            // Invariant: there is room for so many behind the last; the source is no part of this list, which is borrowed
            // to be changed.
            if let start = source.baseAddress { unsafe end.initialize(from: start, count: source.count) }
        }
        count &+= elements.count
    }

    /// Adds elements that lie in the list already.
    mutating func append(copyOf range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "PlainList: the elements are not there")
        reserve(range.count)
        // Invariant: the elements were written, and there is room for as many behind the last.
        unsafe (memory + count).initialize(from: memory + range.lowerBound, count: range.count)
        count &+= range.count
    }

    /// Adds at most `most` elements that `body` gives.
    @inline(__always)
    mutating func append<Failure: Error>(
        atMost most: Int,
        _ body: (inout OutputSpan<Element>) throws(Failure) -> Void
    ) throws(Failure) {
        reserve(most)
        let room = unsafe UnsafeMutableBufferPointer(start: memory + count, count: most)
        // Invariant: there is room for so many behind the last, of which none is written.
        var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
        try body(&output)
        count &+= unsafe output.finalize(for: room)
    }

    /// Puts an element in front of the one at `index`, or behind the last.
    mutating func insert(_ element: Element, at index: Int) {
        append(element)
        guard index < count &- 1 else { return }
        precondition(index >= 0, "PlainList: no element is there")
        // Invariant: the elements from `index` to the last but one move up by one, to where the last was added.
        unsafe (memory + index + 1).update(from: memory + index, count: count &- 1 &- index)
        unsafe memory[index] = element
    }

    /// Makes room for `additional` elements more.
    @inline(__always)
    mutating func reserve(_ additional: Int) {
        if capacity &- count < additional { grow(by: additional) }
    }

    @inline(never)
    private mutating func grow(by additional: Int) {
        let larger = max(count + additional, 2 * capacity, 256 / MemoryLayout<Element>.stride, 4)
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        unsafe moved.moveInitialize(from: memory, count: count)
        unsafe memory.deallocate()
        unsafe memory = moved
        capacity = larger
    }

    // MARK: - Removing

    /// Takes out the element at `index`.
    mutating func remove(at index: Int) -> Element {
        let element = self[index]
        count &-= 1
        // Invariant: `index` was below the count, so that the elements behind it move down by one.
        unsafe (memory + index).update(from: memory + index + 1, count: count &- index)
        return element
    }

    /// Takes out the latest element; there must be one.
    mutating func removeLast() {
        precondition(count > 0, "PlainList: there is no element")
        count &-= 1
    }

    /// Takes out all elements but the first `length`.
    mutating func truncate(to length: Int) {
        count = min(count, length)
    }

    /// Takes out all elements.
    @inline(__always)
    mutating func removeAll() {
        count = 0
    }

    /// Takes out all elements, and gives the memory back if it is for more than `most`.
    @inline(__always)
    mutating func removeAll(keepingAtMost most: Int) {
        count = 0
        if capacity > most { giveMemoryBack() }
    }

    @inline(never)
    private mutating func giveMemoryBack() {
        unsafe memory.deallocate()
        capacity = 0
        unsafe memory = .allocate(capacity: 0)
    }
}
