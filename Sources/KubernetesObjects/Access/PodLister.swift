// Wingmirror · Apache-2.0

package import JSONSyntax

/// Lists pods once, for a command that ends; the agent watches them.
package struct PodLister: Sendable {
    private static let pods = GroupVersionResource(group: "", version: "v1", resource: "pods")
    /// How many pods are in a page; some 10 KiB each.
    private static let pageLength = 500
    /// The most octets of a list.
    private static let limit = 256 << 20

    private let transport: any APITransport
    private let patience: Duration

    /// Asks over a transport, with the right to `list` pods.
    ///
    /// - Parameters:
    ///   - transport: The way to the API server, and who asks.
    ///   - patience: How long the list may take.
    package init(_ transport: some APITransport, patience: Duration = .seconds(30)) {
        self.transport = transport
        self.patience = patience
    }

    /// Asks for pods.
    ///
    /// - Parameters:
    ///   - namespace: Where they are; `nil` for all namespaces.
    ///   - labelSelector: The labels that they have.
    /// - Returns: The pods, as objects of the core group's `v1`.
    /// - Throws: `APIRefusal`, `APIFailure`, or what is wrong with the answer's syntax.
    package func pods(in namespace: String?, labelSelector: String) async throws -> [JSONValue] {
        let collection = ResourceCollection(
            Self.pods,
            kind: "Pod",
            namespace: namespace,
            labelSelector: labelSelector
        )
        return try await within(patience) {
            var pods: [JSONValue] = []
            var octets = 0
            var token: String?
            repeat {
                let page = CollectionRequest.list(.mostRecent, token: token, limit: Self.pageLength)
                let content = try await answer(to: APIRequest(page, of: collection, watchSeconds: 0))
                octets += content.count
                guard octets <= Self.limit else { throw APIFailure.connection("the list of pods is too long") }
                let list = try JSONDocument.parse(content)
                pods += list["items"]?.arrayValue ?? []
                token = list["metadata"]?["continue"]?.stringValue
            } while !(token ?? "").isEmpty
            return pods
        }
    }

    private func answer(to request: APIRequest) async throws -> [UInt8] {
        let answer = try await transport.send(request)
        var content: [UInt8] = []
        for try await part in answer.body {
            content += part
            guard content.count <= Self.limit else { throw APIFailure.connection("the list of pods is too long") }
        }
        guard answer.status == 200 else { throw APIRefusal(status: answer.status, content: content) }
        return content
    }
}
