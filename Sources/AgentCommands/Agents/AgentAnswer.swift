// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax

/// What one agent says of itself.
struct AgentAnswer: Sendable {
    /// The documents of an agent.
    struct Documents: Sendable {
        /// `/api/v1/status`.
        var status: JSONValue
        /// `/api/v1/routes`.
        var routes: JSONValue
        /// `/api/v1/mirror`; null where nothing is mirrored.
        var mirror: JSONValue
    }

    /// The agent's address.
    let name: String
    /// What it says, or why it says nothing.
    let result: Result<Documents, AgentClient.Refusal>

    /// Asks an agent.
    static func ask(_ agent: ServerURL, _ access: AgentAccess) async -> AgentAnswer {
        let client = AgentClient(agent, access)
        let result: Result<Documents, AgentClient.Refusal>
        do throws(AgentClient.Refusal) {
            result = .success(
                Documents(
                    status: try await client.ask("/api/v1/status"),
                    routes: try await client.ask("/api/v1/routes"),
                    mirror: try await client.ask("/api/v1/mirror")
                )
            )
        } catch {
            result = .failure(error)
        }
        await client.close()
        return AgentAnswer(name: agent.description, result: result)
    }
}
