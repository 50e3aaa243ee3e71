// Wingmirror · Apache-2.0

import AdminServer
import Agent
import AgentConfiguration

extension RunPlan {
    /// Runs the agent, and prints the table when the capture has ended.
    ///
    /// - Throws: `CommandFailure` or `ConfigurationProblems` for what keeps it from starting or ends it early.
    func execute() async throws {
        do {
            try await Agent(self) { summary in try summary.print() }.run()
        } catch let error as AdminServerError {
            throw CommandFailure(.failed, error.description)
        }
    }
}

extension CaptureSummary {
    /// Prints the table on standard output.
    fileprivate func print() throws {
        var output = OctetOutput.standardOutput()
        for line in RouteTableReport(routes: routes, registry: registry, figures: figures).lines(Terminal.style(1)) {
            try output.append(line: line)
        }
        try output.flush()
    }
}
