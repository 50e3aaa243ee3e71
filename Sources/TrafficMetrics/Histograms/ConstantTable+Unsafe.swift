// Wingmirror · Apache-2.0

/// A table of numbers that never changes, read on the packet path without counting references as an array would.
///
/// `@unchecked Sendable`: immutable once made, and freed by the sole owner.
@safe
struct ConstantTable<Element: FixedWidthInteger & Sendable>: ~Copyable, @unchecked Sendable {
    private let elements: UnsafeMutableBufferPointer<Element>

    /// Copies numbers.
    init(_ elements: [Element]) {
        unsafe self.elements = .allocate(capacity: elements.count)
        _ = unsafe self.elements.initialize(fromContentsOf: elements)
    }

    deinit {
        unsafe elements.deallocate()
    }

    /// How many numbers there are.
    @inline(__always)
    var count: Int {
        unsafe elements.count
    }

    /// A number.
    @inline(__always)
    subscript(index: Int) -> Element {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "ConstantTable: index in range")
        return unsafe elements[index]
    }
}
