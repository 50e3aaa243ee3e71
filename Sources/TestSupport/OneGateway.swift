// Wingmirror · Apache-2.0

/// The route objects that many tests begin with, as YAML: one Gateway, and a VirtualService behind it.
package enum OneGateway {
    /// The Gateway `default/g`, which takes requests for every host on port 80.
    package static let manifest: String = manifest(in: "default")

    /// The same Gateway in another namespace.
    package static func manifest(in namespace: String) -> String {
        """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: g, namespace: \(namespace)}
        spec:
          selector: {istio: ingressgateway}
          servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]

        """
    }

    /// The Gateway, and a VirtualService of the namespace `default` behind it.
    ///
    /// - Parameters:
    ///   - name: The VirtualService's name.
    ///   - host: Its host.
    ///   - rules: Its rules, a list in one line.
    /// - Returns: Two documents, the last line with its end.
    package static func manifest(
        with name: String,
        host: String = "*",
        rules: String = "[{route: [{destination: {host: a}}]}]"
    ) -> String {
        """
        \(manifest)---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: \(name), namespace: default}
        spec:
          hosts: ["\(host)"]
          gateways: [g]
          http: \(rules)

        """
    }
}
