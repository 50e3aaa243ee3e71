// Wingmirror · Apache-2.0

import Synchronization
import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite(.timeLimit(.minutes(20)))
struct TopSessionTests {
    /// A terminal that remembers what was done to it.
    private final class FakeTerminal: TopTerminal {
        struct State: Sendable {
            var size = TerminalSize(columns: 100, rows: 20)
            var log: [String] = []
            var screens: [[String]] = []
            var hasGone = false
        }

        let state = Mutex(State())
        let isColoured = false

        var size: TerminalSize { state.withLock { $0.size } }
        func enter() { state.withLock { $0.log.append("enter") } }
        func leave() { state.withLock { $0.log.append("leave") } }
        func stopProcess() { state.withLock { $0.log.append("stop") } }

        func draw(_ lines: [String]) throws(OctetOutput.Failure) {
            let hasGone = state.withLock { state in
                state.screens.append(lines)
                return state.hasGone
            }
            if hasGone { throw .closed }
        }

        var log: [String] { state.withLock { $0.log } }
        var latest: [String] { state.withLock { $0.screens.last ?? [] } }
    }

    /// A source whose frames count up.
    private final class CountingSource: TopSource {
        let count = Atomic<Int>(0)

        func frame() async -> TopFrame {
            var frame = TopFrame(source: "fake")
            frame.time = "frame \(count.wrappingAdd(1, ordering: .relaxed).newValue)"
            frame.rows = [TopFrame.Row(id: "a1", object: "shop/a", route: "#0", match: "any")]
            return frame
        }

        func detail(of id: String) async -> TopDetail { TopDetail(id: id, problem: "no past of \(id)") }
    }

    /// Runs a session through events; those that are fetched come in where the session asks for them.
    private func run(
        _ terminal: FakeTerminal,
        _ script: @Sendable @escaping (AsyncStream<TopEvent>.Continuation) async -> Void
    ) async throws {
        let (events, report) = AsyncStream.makeStream(of: TopEvent.self)
        var session = TopSession(
            terminal: terminal,
            source: CountingSource(),
            sourceName: "fake",
            order: .rate,
            events: events,
            report: report
        )
        await script(report)
        try await session.run()
    }

    @Test(arguments: [TopEvent.key(.character("q")), .end])
    func `q and signals end the session and give the terminal back`(_ last: TopEvent) async throws {
        let terminal = FakeTerminal()
        try await run(terminal) { $0.yield(last) }
        #expect(terminal.log == ["enter", "leave"])
    }

    @Test func `the terminal is given back when it cannot be drawn on`() async {
        let terminal = FakeTerminal()
        terminal.state.withLock { $0.hasGone = true }
        await #expect(throws: OctetOutput.Failure.closed) { try await run(terminal) { _ in } }
        #expect(terminal.log == ["enter", "leave"])
    }

    @Test func `the terminal is given back while the process is stopped`() async throws {
        let terminal = FakeTerminal()
        try await run(terminal) { report in
            report.yield(.stop)
            report.yield(.end)
        }
        #expect(terminal.log == ["enter", "leave", "stop", "enter", "leave"])
    }

    @Test func `another size is drawn with at once`() async throws {
        let terminal = FakeTerminal()
        try await run(terminal) { report in
            terminal.state.withLock { $0.size.rows = 9 }
            report.yield(.resized)
            report.yield(.end)
        }
        #expect(terminal.latest.count == 9)
    }

    @Test func `figures are shown as they come and stand still while paused`() async throws {
        let terminal = FakeTerminal()
        @Sendable func frame(_ time: String) -> TopEvent {
            var frame = TopFrame(source: "fake")
            frame.time = time
            return .frame(frame)
        }
        try await run(terminal) { report in
            report.yield(frame("first"))
            report.yield(.key(.character("p")))
            report.yield(frame("second"))
            report.yield(.end)
        }
        #expect(terminal.latest[0].contains("first"))
        #expect(terminal.latest[0].contains("PAUSED"))
    }

    @Test func `a message of the capture is shown at the foot`() async throws {
        let terminal = FakeTerminal()
        try await run(terminal) { report in
            report.yield(.message("interface lost\u{1B}[2J"))
            report.yield(.end)
        }
        #expect(terminal.latest.last?.hasPrefix("interface lost␛") == true)
    }
}
