// Wingmirror · Apache-2.0

/// A run of elements that is reserved once, never moves and never grows.
///
/// Memory is taken from the system as one reservation and becomes resident only where it is written, so a table may
/// reserve room for its limit without paying for it. An element must be written before it is read; every index is
/// checked.
@safe
struct FixedBuffer<Element: BitwiseCopyable>: ~Copyable {
    /// How many elements there is room for.
    let capacity: Int
    fileprivate let base: UnsafeMutablePointer<Element>

    /// Reserves room for `capacity` elements, whose values are not yet defined.
    init(capacity: Int) {
        self.capacity = capacity
        // Invariant: 64-octet alignment suffices for any element, and the bound type is the only one used afterwards.
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(capacity, 1) * MemoryLayout<Element>.stride,
            alignment: 64
        )
        unsafe base = memory.bindMemory(to: Element.self, capacity: max(capacity, 1))
    }

    /// Reserves room for `count` elements and sets each to `element`.
    init(repeating element: Element, count: Int) {
        self.init(capacity: count)
        unsafe base.initialize(repeating: element, count: count)
    }

    deinit {
        unsafe base.deallocate()
    }

    /// The element at `index`, in place.
    subscript(index: Int) -> Element {
        unsafeAddress {
            precondition(index >= 0 && index < capacity, "FixedBuffer: index out of range")
            // Invariant: the index was checked, and the memory lives as long as the buffer that is borrowed here.
            return unsafe UnsafePointer(base + index)
        }
        unsafeMutableAddress {
            precondition(index >= 0 && index < capacity, "FixedBuffer: index out of range")
            // Invariant: as above; the buffer is borrowed exclusively.
            return unsafe base + index
        }
    }
}

extension FixedBuffer where Element == ConnectionEntry {
    /// The state of a stream, in place.
    subscript(stream: StreamID) -> StreamState {
        unsafeAddress {
            unsafe UnsafePointer(address(of: stream))
        }
        unsafeMutableAddress {
            unsafe address(of: stream)
        }
    }

    @inline(__always)
    private func address(of stream: StreamID) -> UnsafeMutablePointer<StreamState> {
        precondition(stream.slot >= 0 && stream.slot < capacity, "FixedBuffer: stream out of range")
        // Invariant: the slot was checked, and elements do not move, so that the address of a part stays good.
        return stream.rawValue & 1 == 0
            ? unsafe withUnsafeMutablePointer(to: &base[stream.slot].fromOriginator) { unsafe $0 }
            : unsafe withUnsafeMutablePointer(to: &base[stream.slot].fromResponder) { unsafe $0 }
    }
}

extension FixedBuffer where Element == UInt8 {
    /// Copies `octets` to `start`.
    mutating func copy(_ octets: Span<UInt8>, to start: Int) {
        precondition(start >= 0 && start + octets.count <= capacity, "FixedBuffer: copy out of range")
        unsafe octets.withUnsafeBufferPointer { source in
            // Invariant: the range was checked, and octets borrowed from a caller lie outside our own reservation.
            if let address = source.baseAddress {
                unsafe (base + start).update(from: address, count: source.count)
            }
        }
    }

    /// How many octets from `start` on differ from `octets`.
    func differences(from start: Int, to octets: Span<UInt8>) -> Int {
        var differences = 0
        for index in octets.indices where self[start + index] != octets[index] {
            differences += 1
        }
        return differences
    }

    /// Lends `count` octets from `start` on to `sink` as the next octets of a stream.
    func deliver<Sink: StreamSink & ~Copyable>(
        from start: Int,
        count: Int,
        at position: StreamPosition,
        slot: Int,
        into sink: inout Sink
    ) {
        precondition(start >= 0 && start + count <= capacity, "FixedBuffer: delivery out of range")
        // Invariant: the range was checked and written before; the span ends with the call that it is lent for.
        let octets = unsafe UnsafeBufferPointer(start: base + start, count: count)
        sink.octetsArrived(unsafe octets.span, at: position, slot: slot)
    }
}
