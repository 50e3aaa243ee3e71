// Wingmirror · Apache-2.0

import CPcap
import Glibc
import Synchronization

/// Asks a capture to stop, from any thread, and wakes it up for that.
public final class StopFlag: Sendable {
    private let requested = Atomic<Bool>(false)
    /// Readable once a stop is requested; -1 when the system had none to give, and a capture then notices the request
    /// at its next housekeeping.
    let descriptor: CInt

    /// Makes a flag that is not set.
    public init() {
        descriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
    }

    deinit {
        close(descriptor)
    }

    /// Whether a stop is requested.
    public var isRequested: Bool {
        requested.load(ordering: .acquiring)
    }

    /// Requests a stop; may be called any number of times.
    public func request() {
        requested.store(true, ordering: .releasing)
        eventfd_write(descriptor, 1)
    }
}
