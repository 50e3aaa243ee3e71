// Wingmirror · Apache-2.0

import AgentConfiguration

/// What a body reports to be wrong with options or a configuration, a text each; of any other error, what that says.
func problems(_ body: () throws -> Void) -> [String] {
    do {
        try body()
        return []
    } catch let problems as ConfigurationProblems {
        return problems.problems.map(\.description)
    } catch {
        return ["\(error)"]
    }
}
