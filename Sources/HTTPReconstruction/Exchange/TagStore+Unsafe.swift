// Wingmirror · Apache-2.0

/// The tags of exchanges, by the index of the exchange.
///
/// One store holds tags of one type, that of its reconstructor's sink. Which type that is says each call, and not the
/// store: were the store generic, everything that holds it would be. Tags are bitwise copyable, so nothing has to be ended
/// and they may be moved to a larger piece of memory.
@safe
struct TagStore: ~Copyable {
    private var memory: UnsafeMutableRawPointer?
    /// For how many tags there is memory.
    private var capacity: UInt32 = 0

    init() {}

    deinit {
        unsafe memory?.deallocate()
    }

    /// Sets the tag of the exchange at `index`.
    @inline(__always)
    mutating func set<Tag: BitwiseCopyable>(_ tag: Tag, at index: Int32) {
        if UInt32(bitPattern: index) >= capacity { grow(to: Int(index) + 1, Tag.self) }
        unsafe pointer(index, Tag.self).initialize(to: tag)
    }

    /// The tag of the exchange at `index`, for which one was set, in place.
    subscript<Tag: BitwiseCopyable>(index: Int32, as type: Tag.Type) -> Tag {
        @inline(__always)
        unsafeAddress { unsafe UnsafePointer(pointer(index, type)) }
        @inline(__always)
        unsafeMutableAddress { unsafe pointer(index, type) }
    }

    /// Where a tag lies.
    @inline(__always)
    private func pointer<Tag: BitwiseCopyable>(_ index: Int32, _ type: Tag.Type) -> UnsafeMutablePointer<Tag> {
        guard UInt32(bitPattern: index) < capacity, let memory = unsafe memory else {
            preconditionFailure("TagStore: there is no such tag")
        }
        // Invariant: there is memory for `capacity` tags of this type, and the index, which was checked, is below that.
        return unsafe memory.assumingMemoryBound(to: type) + Int(index)
    }

    @inline(never)
    private mutating func grow<Tag: BitwiseCopyable>(to count: Int, _ type: Tag.Type) {
        let larger = max(256, Int(capacity) * 2, count)
        let stride = MemoryLayout<Tag>.stride
        let replacement = UnsafeMutableRawPointer.allocate(
            byteCount: larger * stride,
            alignment: MemoryLayout<Tag>.alignment
        )
        if let memory = unsafe memory {
            unsafe replacement.copyMemory(from: memory, byteCount: Int(capacity) * stride)
            unsafe memory.deallocate()
        }
        unsafe memory = replacement
        capacity = UInt32(larger)
    }
}
