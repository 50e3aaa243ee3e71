// Wingmirror · Apache-2.0

import Dispatch
import Glibc
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

    /// Watches for the signals that end an agent.
    ///
    /// - Parameter loss: Says what is known to be lost by then; `nil` for nothing.
    func watch(_ loss: @escaping @Sendable () -> String?) {
        sources.withLock { [queue] sources in
            sources = [SIGTERM, SIGINT].map { signal in
                let source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
                source.setEventHandler {
                    queue.asyncAfter(deadline: .now() + Self.limit) { Self.end(loss()) }
                }
                source.resume()
                return source
            }
        }
    }

    private static func end(_ loss: String?) -> Never {
        if let loss { StandardError.say(loss) }
        StandardError.say("ended by force, as something did not end within five seconds")
        _exit(1)
    }
}
