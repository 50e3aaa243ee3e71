// Wingmirror · Apache-2.0

/// Who may use the endpoints; with neither file, what is not metrics or health is for peers on loopback only.
package struct AdminConfiguration: Sendable, Equatable {
    /// Where everything is served but metrics and health, which stay on `metrics.listen` alone; `nil` serves all there.
    package var listen: ListenAddress?
    /// A file of `user:password` lines, for basic authentication; empty for none.
    var basicFile = ""
    /// A file of tokens, one a line, for bearer authentication; empty for none.
    package var bearerFile = ""
    /// Whether the API server is asked about tokens that are none of those: whose they are, and whether they may.
    package var asksKubernetes = false
    /// The file of the certificate that the endpoints are served with, and of those that lead to its authority; empty for none.
    package var certificateFile = ""
    /// The file of its private key; empty for none.
    package var keyFile = ""
}

extension AdminConfiguration {
    /// Reads the section `admin`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("listen", into: &listen, as: .optionalListenAddress)
        section.section("tls") { tls in
            tls.read("certificate", into: &certificateFile, as: .text)
            tls.read("key", into: &keyFile, as: .text)
            if certificateFile.isEmpty != keyFile.isEmpty {
                let missing = keyFile.isEmpty ? "key" : "certificate"
                tls.refuse(missing, "is missing: TLS takes a certificate and its key")
            }
        }
        section.section("auth") { auth in
            auth.read("basicFile", into: &basicFile, as: .text)
            auth.read("bearerFile", into: &bearerFile, as: .text)
            auth.read("kubernetes", into: &asksKubernetes, as: .flag)
        }
    }
}
