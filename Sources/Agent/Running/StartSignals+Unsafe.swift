// Wingmirror · Apache-2.0

import Glibc

/// Signals that come while an agent is starting.
package enum StartSignals {
    /// Lets SIGHUP wait until it is listened to, rather than end the process: an agent that is asked to reload while it starts
    /// reloads when it has started.
    ///
    /// Threads that are made later inherit this, so it must be called before there are any. A signal that waits is read by
    /// libdispatch's signal source, which is a `signalfd`. The C function is `pthread_sigmask`.
    package static func holdReload() {
        var signals = sigset_t()
        // Both functions fill or read the set for the time of the call only.
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGHUP)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
