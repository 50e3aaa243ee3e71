// Wingmirror · Apache-2.0

import NIOCore
import Synchronization

/// Tells all open pages what has changed, about once a second, and does nothing while none is open.
///
/// Each event is rendered once and shared. A page that reads more slowly than events come skips to the newest: no more
/// than one waits for it, so open pages cost the agent neither growing memory nor time of the thread that captures. An event
/// comes also when nothing has changed, which shows that the connection lives.
final class EventBoard: Sendable {
    private let limit: Int
    private let state = Mutex(State())

    private struct State {
        var listeners: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
        var nextNumber = 0
        var waitsForListener: CheckedContinuation<Void, Never>?
    }

    /// Makes a board that at most `limit` pages can listen to.
    init(limit: Int) {
        self.limit = limit
    }

    /// How many pages listen now.
    var listenerCount: Int { state.withLock { $0.listeners.count } }

    // MARK: - Listening

    /// A page's place among those that are told; giving it up is enough to leave.
    final class Listener: Sendable {
        /// The events, of which only the newest waits.
        let events: AsyncStream<ByteBuffer>
        private let number: Int
        private let board: EventBoard

        fileprivate init(_ events: AsyncStream<ByteBuffer>, number: Int, board: EventBoard) {
            self.events = events
            self.number = number
            self.board = board
        }

        deinit {
            board.leave(number)
        }
    }

    /// Takes in another page; `nil` when there are too many.
    func listen() -> Listener? {
        let (events, continuation) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(1))
        return state.withLock { state in
            guard state.listeners.count < limit else { return nil }
            state.nextNumber += 1
            state.listeners[state.nextNumber] = continuation
            state.waitsForListener?.resume()
            state.waitsForListener = nil
            return Listener(events, number: state.nextNumber, board: self)
        }
    }

    private func leave(_ number: Int) {
        state.withLock { _ = $0.listeners.removeValue(forKey: number) }
    }

    // MARK: - Sending

    /// Sends the changes to the pages until the task is cancelled.
    ///
    /// - Parameters:
    ///   - interval: How long to wait between two events.
    ///   - changes: What has changed since it was asked last.
    func run(every interval: Duration, _ changes: @Sendable () async -> [UInt8]) async {
        while !Task.isCancelled {
            await listenerComes()
            guard !Task.isCancelled else { return }
            send(ServerSentEvent(name: "changes", data: await changes()))
            try? await Task.sleep(for: interval)
        }
    }

    private func send(_ event: ServerSentEvent) {
        let buffer = ByteBuffer(bytes: event.octets)
        state.withLock { state in
            for listener in state.listeners.values { listener.yield(buffer) }
        }
    }

    /// Waits until some page listens, or the task is cancelled.
    private func listenerComes() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayGoOn = state.withLock { state in
                    guard state.listeners.isEmpty, !Task.isCancelled else { return true }
                    state.waitsForListener = continuation
                    return false
                }
                if mayGoOn { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                state.waitsForListener?.resume()
                state.waitsForListener = nil
            }
        }
    }
}
