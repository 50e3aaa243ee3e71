// Wingmirror · Apache-2.0

extension ConfigurationValue where Value == String {
    /// The scheme, host and port of a server, without a path, and without a user or password, which would be shown.
    static var url: Self {
        ConfigurationValue<String>.text.map(
            "a URL such as http://staging.example.internal:8080, with neither user nor path"
        ) {
            isServerURL($0) ? $0 : nil
        }
    }

    private static func isServerURL(_ text: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else { return false }
        var authority = text.dropFirst(scheme.count)
        if authority.hasSuffix("/") {
            authority = authority.dropLast()
        }
        if !authority.contains(":") || authority.hasSuffix("]") {
            authority += ":80"
        }
        guard let address = ListenAddress(String(authority)), !authority.hasPrefix(":") else { return false }
        return !address.host.contains { "/@?#".contains($0) }
    }
}
