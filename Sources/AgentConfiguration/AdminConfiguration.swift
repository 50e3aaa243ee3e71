// Wingmirror · Apache-2.0

/// Who may use the endpoints; with neither file, what is not metrics or health is for peers on loopback only.
package struct AdminConfiguration: Sendable, Equatable {
    /// Where everything is served but metrics and health, which stay on `metrics.listen` alone; `nil` serves all there.
    package var listen: ListenAddress?
    /// A file of `user:password` lines, for basic authentication; empty for none.
    var basicFile = ""
    /// A file of tokens, one a line, for bearer authentication; empty for none.
    package var bearerFile = ""
}

extension AdminConfiguration {
    /// Reads the section `admin`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("listen", into: &listen, as: .optionalListenAddress)
        section.section("tls") { tls in
            for key in ["certificate", "key"] {
                tls.refuseUnlessEmpty(key, "TLS on the endpoints is not built yet; leave it empty")
            }
        }
        section.section("auth") { auth in
            auth.read("basicFile", into: &basicFile, as: .text)
            auth.read("bearerFile", into: &bearerFile, as: .text)
        }
    }
}
