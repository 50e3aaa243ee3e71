// Wingmirror · Apache-2.0

import CPcap
import Glibc

/// Waits for what comes through a pipe: without it a reader would sit in the kernel, deaf to a stop, while whoever reads
/// its results waits for what it has read long ago.
///
/// It serves one source on one thread and is not `Sendable`.
final class PipeWait {
    /// How often something can be done while nothing comes.
    static let tick = Duration.milliseconds(100)

    /// Ends the wait, and with it what is read.
    private let stop: StopFlag
    /// Called about ten times a second when octets come one by one or not at all.
    var whenIdle: () -> Void
    private var due = ContinuousClock.now + PipeWait.tick

    /// Makes a wait that `stop` ends.
    init(until stop: StopFlag, whenIdle: @escaping () -> Void) {
        self.stop = stop
        self.whenIdle = whenIdle
    }

    /// Waits until `descriptor` can be read or is at its end; `false` when a stop was requested first.
    ///
    /// The C function is `poll`.
    func wait(for descriptor: CInt) -> Bool {
        while !stop.isRequested {
            var polled = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let rest = max(.zero, due - .now)
            // Rounded up, so that the last fraction of a millisecond is not spent asking again and again.
            let milliseconds = Int((rest / .milliseconds(1)).rounded(.up))
            let count = unsafe poll(&polled, nfds_t(polled.count), CInt(clamping: milliseconds))
            if count > 0, polled[0].revents != 0 {
                return true
            }
            if count <= 0, .now >= due {
                due = .now + Self.tick
                whenIdle()
            }
        }
        return false
    }
}
