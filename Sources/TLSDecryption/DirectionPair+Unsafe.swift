// Wingmirror · Apache-2.0

internal import TCPReassembly

/// The two directions of a TLS connection, each used where it lies.
///
/// A direction holds a dozen arrays. An accessor that gives a copy would retain all of them for one number that is asked for, so
/// these give addresses.
@safe
struct DirectionPair: ~Copyable {
    /// The originator's direction, and behind it the responder's.
    private let memory: UnsafeMutablePointer<TLSDirection>

    /// Makes two directions of which nothing came.
    init() {
        unsafe memory = .allocate(capacity: 2)
        unsafe memory.initialize(to: TLSDirection())
        unsafe (memory + 1).initialize(to: TLSDirection())
    }

    deinit {
        unsafe memory.deinitialize(count: 2)
        unsafe memory.deallocate()
    }

    /// Where a direction lies; good as long as the pair is borrowed, exclusively to change it.
    @inline(__always)
    fileprivate func address(of direction: StreamDirection) -> UnsafeMutablePointer<TLSDirection> {
        // Invariant: both were initialized, and stay where they are as long as the pair lives.
        unsafe memory + (direction == .fromOriginator ? 0 : 1)
    }
}

extension TLSConnection {
    /// A direction, in place.
    subscript(direction: StreamDirection) -> TLSDirection {
        @inline(__always)
        unsafeAddress { unsafe UnsafePointer(directions.address(of: direction)) }
        @inline(__always)
        unsafeMutableAddress { unsafe directions.address(of: direction) }
    }
}
