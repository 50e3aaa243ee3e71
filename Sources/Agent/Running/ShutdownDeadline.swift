// Wingmirror · Apache-2.0

import Dispatch
import Glibc
import ServiceLifecycle
import Synchronization

/// Ends the process when it takes longer to end than it may, whatever hangs.
///
/// It has a thread of its own and needs nothing of the rest of the agent. What was not finished is lost then, and the exit
/// status says that something was.
final class ShutdownDeadline: Sendable {
    /// From the signal: the drain has had its time, and what it cancelled had most of a second more.
    static let limit: DispatchTimeInterval = .milliseconds(4900)

    private let queue = DispatchQueue(label: "wingmirror.shutdown")
    private let sources = Mutex<[any DispatchSourceSignal]>([])
    /// Has an element for each signal, also for one that came before anything listens.
    let signals: AsyncStream<Void>
    private let announce: AsyncStream<Void>.Continuation

    /// Makes a deadline that watches for nothing yet.
    init() {
        (signals, announce) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Watches for the signals that end an agent.
    ///
    /// - Parameter loss: Says what is known to be lost by then; `nil` for nothing.
    func watch(_ loss: @escaping @Sendable () -> String?) {
        sources.withLock { [queue, announce] sources in
            sources = [SIGTERM, SIGINT].map { signal in
                let source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
                source.setEventHandler {
                    announce.yield()
                    queue.asyncAfter(deadline: .now() + Self.limit) { Self.end(loss()) }
                }
                source.resume()
                return source
            }
        }
    }

    /// A signal has come: the services are to end, if they are there yet.
    func signalArrived() { announce.yield() }

    private static func end(_ loss: String?) -> Never {
        // Whoever reads standard error may be what hangs.
        var output = PatientOutput(descriptor: STDERR_FILENO)
        for line in [loss, "ended by force, as something did not end within five seconds"].compactMap(\.self) {
            _ = output.write("wingmirror: \(line.escapingControls)\n")
        }
        _exit(1)
    }
}

/// Ends the agent at a signal that came while it was starting: the deadline watches from the first moment on, and the group of
/// services, which watches too, only once all of them are made.
struct ShutdownService: Service {
    /// What has seen the signal.
    let deadline: ShutdownDeadline

    func run() async {
        for await _ in deadline.signals.cancelOnGracefulShutdown() { return }
    }
}
