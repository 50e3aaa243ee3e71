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

        /// What they are asked for by, in the order of `init(_:)`.
        static let paths = ["/api/v1/status", "/api/v1/routes", "/api/v1/mirror"]

        /// Puts the documents of `paths` together.
        init(_ documents: [JSONValue]) {
            (status, routes, mirror) = (documents[0], documents[1], documents[2])
        }
    }

    /// The agent's address, or its pod's namespace and name.
    let name: String
    /// The node that its pod is on; empty where that is not known.
    let node: String
    /// What it says, or why it says nothing.
    let result: Result<Documents, AgentClient.Refusal>

    /// Puts an answer together.
    init(name: String, node: String = "", result: Result<Documents, AgentClient.Refusal>) {
        self.name = name
        self.node = node
        self.result = result
    }

    /// Asks an agent.
    static func ask(_ agent: ServerURL, _ access: AgentAccess) async -> AgentAnswer {
        let client = AgentClient(agent, access)
        let result: Result<Documents, AgentClient.Refusal>
        do throws(AgentClient.Refusal) {
            var documents: [JSONValue] = []
            for path in Documents.paths { documents.append(try await client.ask(path)) }
            result = .success(Documents(documents))
        } catch {
            result = .failure(error)
        }
        await client.close()
        return AgentAnswer(name: agent.description, result: result)
    }
}
