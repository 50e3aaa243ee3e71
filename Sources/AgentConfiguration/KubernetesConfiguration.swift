// Wingmirror · Apache-2.0

/// Routes from the API server of a cluster, and the gateway's pods with them.
package struct KubernetesConfiguration: Sendable, Equatable {
    /// Whether the API server is asked.
    package var isEnabled = false
    /// The API server's URL; empty for that of the cluster whose pod this is.
    package var server = ""
    /// A file with the bearer token; empty for the pod's own.
    package var tokenFile = ""
    /// A file with the authorities of the server's certificate; empty for the pod's own.
    package var certificateAuthority = ""
    /// The namespaces whose objects are read; empty for all.
    package var namespaces: [String] = []
    /// The name of this node; empty for what the variable `NODE_NAME` says.
    package var node = ""
    /// The file that keeps the last good objects for a start without the API server; empty for none.
    package var snapshot = ""
    /// Whether the gateway's pods on this node are found, so that nobody needs to name addresses, ports and interfaces.
    package var findsGateways = true
}

extension KubernetesConfiguration {
    /// Reads the section `routes.kubernetes`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("enabled", into: &isEnabled, as: .flag)
        section.read("server", into: &server, as: .apiServer)
        section.read("tokenFile", into: &tokenFile, as: .text)
        section.read("certificateAuthority", into: &certificateAuthority, as: .text)
        section.read("namespaces", into: &namespaces, as: .list(of: .nonEmptyText("a namespace")))
        section.read("node", into: &node, as: .text)
        section.read("snapshot", into: &snapshot, as: .text)
        section.read("findGateways", into: &findsGateways, as: .flag)
    }
}

extension ConfigurationValue where Value == String {
    /// The URL of an API server without a path, or nothing.
    fileprivate static var apiServer: Self {
        text.map("a URL such as https://10.96.0.1:443") { text in
            guard !text.isEmpty else { return text }
            guard let url = ServerURL(text) else { return nil }
            return url.description.hasSuffix("/") ? String(url.description.dropLast()) : url.description
        }
    }
}
