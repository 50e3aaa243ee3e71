// Wingmirror · Apache-2.0

import Dispatch
import Glibc
import PacketCapture

/// Lets an interrupt or a termination end a capture, so that what was read is still delivered.
///
/// The thread that reads may be the only one that tasks have, so the signals are waited for on a queue of the system's.
final class StoppingSignals {
    private static let signals = [SIGINT, SIGTERM]

    private let sources: [any DispatchSourceSignal]

    /// Requests a stop at a signal, from now on.
    init(_ stop: StopFlag) {
        sources = Self.signals.map { number in
            // Not the system's reaction, which would end the program first.
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { stop.request() }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for number in Self.signals { _ = signal(number, SIG_DFL) }
    }
}
