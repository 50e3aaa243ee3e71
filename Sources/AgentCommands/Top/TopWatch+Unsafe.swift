// Wingmirror · Apache-2.0

import AgentConfiguration
import Glibc
import OctetText
import PacketCapture
import Synchronization

/// Turns keys, signals and the passing of time into events, on a thread of its own.
///
/// Signal handlers may do next to nothing, so they write the number of the signal into a pipe that the thread waits on.
enum TopWatch {
    /// The writing end of the pipe, for the handlers; −1 before it is there.
    private static let signalPipe = Atomic<Int32>(-1)
    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP]
    /// How long after an escape it is taken for a key of its own, in milliseconds.
    private static let escapeMilliseconds: Int64 = 50

    /// Starts to watch; once in the life of the process.
    ///
    /// - Parameters:
    ///   - keyboard: The descriptor that keys come from; `nil` for none.
    ///   - interval: How often a tick is reported.
    ///   - report: Takes the events.
    /// - Throws: When the system gives no pipe or thread.
    static func start(
        keyboard: Int32?,
        interval: Duration,
        report: @escaping @Sendable (TopEvent) -> Void
    ) throws(CaptureError) {
        var ends: [Int32] = [-1, -1]
        // The call fills the two places of the array, which outlives it.
        guard unsafe pipe(&ends) == 0 else {
            throw CaptureError(.captureFailed, "no pipe for signals: \(FileContents.systemMessage())")
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        signalPipe.store(ends[1], ordering: .releasing)
        for number in signals {
            _ = signal(number) { number in
                let before = errno
                var octet = UInt8(truncatingIfNeeded: number)
                // One octet of a local variable; when the pipe is full the thread has enough to do as it is.
                unsafe _ = Glibc.write(TopWatch.signalPipe.load(ordering: .acquiring), &octet, 1)
                errno = before
            }
        }
        let readingEnd = ends[0]
        _ = try CaptureThread.start(name: "terminal") {
            watch(keyboard: keyboard, signals: readingEnd, interval: interval, report: report)
        }
    }

    private static func watch(
        keyboard: Int32?,
        signals: Int32,
        interval: Duration,
        report: @Sendable (TopEvent) -> Void
    ) {
        var decoder = TopKeyDecoder()
        var descriptors = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
        if let keyboard { descriptors.append(pollfd(fd: keyboard, events: Int16(POLLIN), revents: 0)) }
        var nextTick = ContinuousClock.now + interval
        while true {
            let rest = max((nextTick - .now).nanoseconds / 1_000_000 + 1, 0)
            let wait = decoder.isWaiting ? min(rest, escapeMilliseconds) : rest
            // The array outlives the call, which fills what was found in it.
            let found = unsafe poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: wait))
            if found == 0, decoder.isWaiting { for key in decoder.flushed() { report(.key(key)) } }
            if found > 0, descriptors[0].revents != 0 {
                for number in read(signals) ?? [] { event(of: Int32(number)).map(report) }
            }
            if found > 0, descriptors.count > 1, descriptors[1].revents != 0 {
                if let octets = read(descriptors[1].fd), !octets.isEmpty {
                    for key in decoder.keys(in: octets) { report(.key(key)) }
                } else {
                    // The keyboard has gone; signals still end the program.
                    descriptors.removeLast()
                }
            }
            if ContinuousClock.now >= nextTick {
                nextTick = max(nextTick + interval, .now)
                report(.tick)
            }
        }
    }

    private static func event(of signal: Int32) -> TopEvent? {
        switch signal {
        case SIGWINCH: .resized
        case SIGTSTP: .stop
        default: .end
        }
    }

    /// What can be read now; `nil` when nothing can.
    private static func read(_ descriptor: Int32) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: 1024)
        // The octets lie within the array's storage, which outlives the call.
        let count = unsafe octets.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        return count < 0 ? nil : Array(octets.prefix(count))
    }
}
