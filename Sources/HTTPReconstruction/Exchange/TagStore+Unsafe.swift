// Wingmirror · Apache-2.0

/// The tags of exchanges, by the index of the exchange.
///
/// One store holds tags of one type, that of its reconstructor's sink. Which type that is says each call, and not the
/// store: were the store generic, everything that holds it would be, and generic code of this module is not specialised
/// for the sinks of others. Tags are bitwise copyable, so nothing has to be ended.
@safe
struct TagStore: ~Copyable {
    private var blocks: [UnsafeMutableRawPointer] = unsafe []
    private var blockCount = 0

    private static var blockSize: Int32 { 256 }

    init() {}

    deinit {
        for index in 0..<blockCount { unsafe blocks[index].deallocate() }
    }

    /// Sets the tag of the exchange at `index`.
    mutating func set<Tag: BitwiseCopyable>(_ tag: Tag, at index: Int32) {
        while blockCount <= Int(index / Self.blockSize) {
            let octets = MemoryLayout<Tag>.stride * Int(Self.blockSize)
            unsafe blocks.append(
                UnsafeMutableRawPointer.allocate(byteCount: octets, alignment: MemoryLayout<Tag>.alignment)
            )
            blockCount += 1
        }
        unsafe pointer(index, Tag.self).initialize(to: tag)
    }

    /// The tag of the exchange at `index`, for which one was set, in place.
    subscript<Tag: BitwiseCopyable>(index: Int32, as type: Tag.Type) -> Tag {
        @inline(__always)
        unsafeAddress { unsafe UnsafePointer(pointer(index, type)) }
        @inline(__always)
        unsafeMutableAddress { unsafe pointer(index, type) }
    }

    /// Where a tag lies; the block was made for tags of this type, and blocks are never moved.
    private func pointer<Tag: BitwiseCopyable>(_ index: Int32, _ type: Tag.Type) -> UnsafeMutablePointer<Tag> {
        let offset = Int(index % Self.blockSize) * MemoryLayout<Tag>.stride
        return unsafe (blocks[Int(index / Self.blockSize)] + offset).assumingMemoryBound(to: type)
    }
}
