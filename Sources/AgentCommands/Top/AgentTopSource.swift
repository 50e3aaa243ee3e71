// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import Synchronization

/// The figures of a running agent, asked of its API.
final class AgentTopSource: TopSource {
    private let client: AgentClient
    private let window: Duration
    private let latest: Mutex<TopFrame>

    /// Makes a source that has asked nothing.
    ///
    /// - Parameters:
    ///   - agent: Where the agent listens.
    ///   - access: How it is asked.
    ///   - window: How far back the figures of a row go.
    init(_ agent: ServerURL, _ access: AgentAccess, window: Duration) {
        client = AgentClient(agent, access)
        self.window = window
        latest = Mutex(TopFrame(source: agent.description))
    }

    /// Closes the connections.
    func close() async {
        await client.close()
    }

    func frame() async -> TopFrame {
        do throws(AgentClient.Refusal) {
            let routes = try await client.ask("/api/v1/routes?window=\(window.text)")
            let status = try await client.ask("/api/v1/status")
            let frame = TopFrame(source: client.agent.description, routes: routes, status: status)
            latest.withLock { $0 = frame }
            return frame
        } catch {
            var frame = latest.withLock { $0 }
            let since = frame.time.map { "; these are the figures of \($0)" } ?? ""
            frame.problem = "\(client.agent): \(error.reason)\(since)"
            return frame
        }
    }

    func detail(of id: String) async -> TopDetail {
        do throws(AgentClient.Refusal) {
            // The id came from the agent; as it goes into an address, only what an id is made of is taken.
            guard id.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }) else {
                throw AgentClient.Refusal(reason: "the id of the route has characters that no id has")
            }
            return TopDetail(id: id, try await client.ask("/api/v1/routes?route=\(id)&window=10m"))
        } catch {
            return TopDetail(id: id, problem: "\(client.agent): \(error.reason)")
        }
    }
}
