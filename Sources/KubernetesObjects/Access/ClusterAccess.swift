// Wingmirror · Apache-2.0
// Kubernetes: accessing the API from a pod.

/// Where an API server is, and how the agent proves who it is.
package struct ClusterAccess: Sendable, Hashable {
    /// The server's URL without a path, such as `https://10.96.0.1:443`.
    package var server: String
    /// A PEM file with the authorities that the server's certificate may be of; empty for the system's.
    package var authorityFile = ""
    /// The same as PEM text, for a kubeconfig that holds it.
    package var authority: [UInt8] = []
    /// A file with a bearer token, which others renew; empty for none.
    package var tokenFile = ""
    /// A bearer token that does not change.
    package var token = ""
    /// A client certificate chain and its key as PEM text; empty for none.
    package var clientCertificate: [UInt8] = []
    /// The key of the client certificate.
    package var clientKey: [UInt8] = []
    /// The `User-Agent`, so that audit logs can tell who asks.
    package var userAgent = "wingmirror"

    /// Names a server.
    package init(server: String) {
        self.server = server
    }

    /// Where kubelets put a pod's credentials.
    package static let accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// The API server of the cluster that this pod runs in.
    ///
    /// - Parameters:
    ///   - environment: Gives a variable of the environment.
    ///   - folder: Where the pod's token and authorities are.
    /// - Returns: `nil` outside of a pod.
    package static func inCluster(
        _ environment: (String) -> String?,
        folder: String = accountFolder
    ) -> ClusterAccess? {
        guard let host = environment("KUBERNETES_SERVICE_HOST"), !host.isEmpty else { return nil }
        let port = environment("KUBERNETES_SERVICE_PORT").flatMap { UInt16($0) } ?? 443
        var access = ClusterAccess(server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)")
        access.tokenFile = "\(folder)/token"
        access.authorityFile = "\(folder)/ca.crt"
        return access
    }
}
