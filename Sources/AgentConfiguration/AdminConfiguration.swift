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
    /// Where the page leads to.
    package var links = Links()

    /// Addresses outside of the agent that the page has links to; each empty for none.
    package struct Links: Sendable, Equatable {
        /// Of Grafana.
        package var grafana = ""
        /// Of the runbooks' folder.
        package var runbooks = ""
        /// Of a trace, with `{trace}` in place of its id.
        package var trace = ""
    }
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
        section.section("links") { section in
            section.read("grafana", into: &links.grafana, as: .webAddress)
            section.read("runbooks", into: &links.runbooks, as: .webAddress)
            section.read("trace", into: &links.trace, as: .webAddress)
            if !links.trace.isEmpty, !links.trace.contains("{trace}") {
                section.refuse("trace", "has no {trace}, which the id of a trace takes the place of")
            }
        }
        section.section("auth") { auth in
            auth.read("basicFile", into: &basicFile, as: .text)
            auth.read("bearerFile", into: &bearerFile, as: .text)
            auth.read("kubernetes", into: &asksKubernetes, as: .flag)
        }
    }
}

extension ConfigurationValue where Value == String {
    /// An address that a browser may open, or nothing; never one that a browser would run.
    fileprivate static var webAddress: Self {
        ConfigurationValue<String>.text.map("an address such as https://grafana.example.com") { text in
            let isAddress = ["http://", "https://"].contains { text.hasPrefix($0) && text.utf8.count > $0.utf8.count }
            return text.isEmpty || isAddress && text.utf8.allSatisfy { 0x21..<0x7F ~= $0 } ? text : nil
        }
    }
}
