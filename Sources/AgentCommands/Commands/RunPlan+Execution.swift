// Wingmirror · Apache-2.0

import AdminServer

extension RunPlan {
    /// Runs the agent.
    ///
    /// - Throws: `CommandFailure` or `ConfigurationProblems` for what keeps it from starting or ends it early.
    func execute() async throws {
        do {
            try await Agent(self).run()
        } catch let error as AdminServerError {
            throw CommandFailure(.failed, error.description)
        }
    }
}
