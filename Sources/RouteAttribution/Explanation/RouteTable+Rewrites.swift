// Wingmirror · Apache-2.0

extension RouteTable {
    /// The path that the destination sees for a path that a route took; `nil` where the rule rewrites by a pattern, or not.
    public func rewrittenPath(_ path: String, by route: CompiledRoute) -> String? {
        let replacement = route.metadata.rewriteURI
        guard !replacement.isEmpty, !route.metadata.rewritesByPattern,
            let number = routes.firstIndex(where: { $0.identity == route.identity && $0.gateway == route.gateway })
        else { return nil }
        if route.metadata.rewritesWholePath { return replacement }
        let lookup = index.routes[number]
        switch lookup.test {
        // On a pattern or a whole path, all of it is replaced.
        case .exact, .regex: return replacement
        case .any:
            // Without a condition the prefix is the slash.
            return replacement + path.dropFirst()
        case .prefix: return replacement + String(decoding: path.utf8.dropFirst(Int(lookup.path.count)), as: UTF8.self)
        case .segmentPrefix:
            let rest = String(decoding: path.utf8.dropFirst(Int(lookup.path.count)), as: UTF8.self)
            if rest.isEmpty { return replacement }
            // The Gateway API replaces whole segments, so that no slash is doubled.
            return replacement.hasSuffix("/") ? String(replacement.dropLast()) + rest : replacement + rest
        }
    }
}

extension DescribedRequest {
    /// Whether a field line says that the client came over https.
    public var claimsHTTPS: Bool {
        lines.contains {
            HostNames.lowercased($0.name) == "x-forwarded-proto" && HostNames.lowercased($0.value) == "https"
        }
    }
}
