// Wingmirror · Apache-2.0

internal import TrafficModel

/// The field lines of one head after another: a list that is emptied and filled again, and keeps its memory.
///
/// An array would be asked at each line whether it is the only owner of its elements; this list has one owner by its type.
@safe
struct FieldLineList: ~Copyable {
    private var memory: UnsafeMutablePointer<FieldLine>
    private var capacity: Int
    private(set) var count = 0

    /// Makes an empty list with room for `capacity` lines, and for more when they come.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
        unsafe memory = .allocate(capacity: self.capacity)
    }

    deinit {
        // Field lines are plain words, with which nothing has to be done at the end.
        unsafe memory.deallocate()
    }

    /// The lines.
    var span: Span<FieldLine> {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            let lines = unsafe UnsafeBufferPointer(start: memory, count: count)
            // Invariant: the first `count` lines were written, and stay where they are as long as the list is borrowed.
            return unsafe _overrideLifetime(Span(_unsafeElements: lines), borrowing: self)
        }
    }

    /// Forgets all lines.
    @inline(__always)
    mutating func removeAll() {
        count = 0
    }

    /// Adds a line.
    @inline(__always)
    mutating func append(_ line: FieldLine) {
        if count == capacity { grow() }
        // Invariant: there is room for `capacity` lines, and the count is below that.
        unsafe (memory + count).initialize(to: line)
        count &+= 1
    }

    /// The latest line; there must be one.
    var last: FieldLine {
        get { span[count - 1] }
        set {
            precondition(count > 0, "FieldLineList: there is no line")
            unsafe memory[count - 1] = newValue
        }
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<FieldLine>.allocate(capacity: capacity * 2)
        unsafe larger.moveInitialize(from: memory, count: count)
        unsafe memory.deallocate()
        unsafe memory = larger
        capacity *= 2
    }
}
