// Wingmirror · Apache-2.0

import CPcap
import Glibc
import Synchronization

/// A thread of its own for capturing and everything that is done with a packet at once.
///
/// It takes no signals, so that a stop requested by one never interrupts the packet path.
@safe
public final class CaptureThread: Sendable {
    /// The thread until it is joined.
    ///
    /// A `pthread_t` is a number that any thread may pass on.
    private let thread: Mutex<pthread_t?>

    private init(_ thread: pthread_t) {
        self.thread = Mutex(thread)
    }

    /// Starts a thread.
    ///
    /// The C functions are `pthread_create` and `pthread_sigmask`.
    /// - Parameters:
    ///   - name: What the system shows for it; cut to 15 octets.
    ///   - body: What it does; values that belong to it are best made in there.
    /// - Returns: The thread, to be joined.
    /// - Throws: `.captureFailed` when the system gives no thread.
    public static func start(
        name: String,
        _ body: sending @escaping () -> Void
    ) throws(CaptureError) -> CaptureThread {
        let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
        var thread = pthread_t()
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        // A thread begins with the mask of the one that made it.
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        let result = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument = unsafe argument else {
                    return nil
                }
                unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            start.toOpaque()
        )
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard result == 0 else {
            unsafe start.release()
            throw CaptureError(.captureFailed, "no thread to capture with", cause: systemMessage(result))
        }
        return CaptureThread(thread)
    }

    /// Waits until the thread has ended; only the first call waits.
    ///
    /// The C function is `pthread_join`.
    public func join() {
        let joined = thread.withLock { $0.take() }
        if let joined {
            pthread_join(joined, nil)
        }
    }
}

/// What a new thread is given: it runs once, there, and nothing else keeps it.
private final class ThreadStart {
    private let name: String
    private let body: () -> Void

    init(name: String, body: sending @escaping () -> Void) {
        self.name = name
        self.body = body
    }

    /// The C function is `pthread_setname_np`.
    func run() {
        // Linux keeps 16 octets for a name, the last of them 0, and refuses longer ones.
        unsafe pthread_setname_np(pthread_self(), String(decoding: name.utf8.prefix(15), as: UTF8.self))
        body()
    }
}
