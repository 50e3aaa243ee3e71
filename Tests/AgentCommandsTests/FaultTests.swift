// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

/// What happens to running agents: signals, kills, configurations that are no file, other agents, interfaces that go and come.
///
/// `Fixtures/fault_check.py` does each to the program, and waits for what must follow.
@Suite(
    .enabled(
        if: AgentProgram.canBeChecked,
        "needs the program wingmirror beside the tests, and python3"
    ),
    .timeLimit(.minutes(20))
)
struct FaultTests {
    private static func holds(_ fault: String) async throws {
        let run = try await AgentProgram.check("fault_check.py", [fault])
        #expect(run.status == 0, "\(run.text)")
    }

    @Test func `a storm of signals leaves a good configuration and an agent that counts on`() async throws {
        try await Self.holds("signals")
    }

    @Test func `an agent that is killed while it writes leaves whole records, and the next one goes on behind them`()
        async throws
    {
        try await Self.holds("killed-while-writing")
    }

    @Test func `a log that nobody reads stops nothing, and the agent ends when it is told to`() async throws {
        try await Self.holds("log-unread")
    }

    @Test func `a file that may grow no more ends no agent, and is written on once it may`() async throws {
        try await Self.holds("file-limit")
    }

    @Test(arguments: ["configuration-is-folder", "configuration-is-fifo", "configuration-is-gone"])
    func `a configuration that cannot be read changes nothing, and the agent ends when it is told to`(
        fault: String
    ) async throws {
        try await Self.holds(fault)
    }

    @Test(.enabled(if: geteuid() == 0, "captures live, which needs root"))
    func `two agents on one interface see all of its traffic, each for itself`() async throws {
        try await Self.holds("two-agents")
    }

    @Test(.enabled(if: geteuid() == 0, "makes interfaces, which needs root"))
    func `an interface that is deleted and made again is captured again, and others all the while`() async throws {
        try await Self.holds("interface-gone")
    }
}
