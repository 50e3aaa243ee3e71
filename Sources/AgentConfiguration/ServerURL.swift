// Wingmirror · Apache-2.0
// The generic syntax of URIs, RFC 3986 §3; the schemes http and https, RFC 9110 §4.2.

/// Where a server is, as a URL without anything that only a request needs.
package struct ServerURL: Sendable, Hashable, CustomStringConvertible {
    /// Whether TLS is spoken.
    package let usesTLS: Bool
    /// A name, or an address without brackets.
    package let host: String
    /// The port, that of the scheme where the URL has none.
    package let port: Int

    /// Reads a URL of scheme, host and port; `nil` for anything else.
    ///
    /// A user or password would be shown wherever the configuration is, and a path would be put before those that
    /// requests have, so neither is taken.
    package init?(_ text: String) {
        let schemes = [(prefix: "http://", usesTLS: false, port: 80), (prefix: "https://", usesTLS: true, port: 443)]
        guard let scheme = schemes.first(where: { text.hasPrefix($0.prefix) }) else { return nil }
        var authority = String(text.dropFirst(scheme.prefix.count))
        if authority.hasSuffix("/") {
            authority.removeLast()
        }
        if !authority.contains(":") || authority.hasSuffix("]") {
            authority += ":\(scheme.port)"
        }
        guard let address = ListenAddress(authority), !authority.hasPrefix(":"), address.port > 0,
            !address.host.contains(where: { "/@?# ".contains($0) })
        else { return nil }
        usesTLS = scheme.usesTLS
        host = address.host
        port = address.port
    }

    /// The URL with its port, also where that is the scheme's own.
    package var description: String { named(host) }

    /// Host and port, as a Host field has them (RFC 9110 section 7.2).
    package var authority: String { Self.authority(host, port) }

    /// The same URL with another host.
    package func named(_ name: String) -> String {
        "\(usesTLS ? "https" : "http")://\(Self.authority(name, port))"
    }

    private static func authority(_ host: String, _ port: Int) -> String {
        "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}

extension ConfigurationValue where Value == ServerURL? {
    /// The scheme, host and port of a server.
    static var serverURL: Self {
        ConfigurationValue<String>.text.map(
            "a URL such as http://staging.example.internal:8080, with neither user nor path"
        ) { text in ServerURL(text).map(Optional.some) }
    }
}
